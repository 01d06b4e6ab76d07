//! Writes the seeds into `FOLDER/TARGET/`: `cargo run --example seeds -- FOLDER`.

use std::{env, error::Error, fs, path::Path};

use object_cipher_fuzz::seeds;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("name a folder")?;
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    for (number, (target, seed)) in seeds(&vectors)?.into_iter().enumerate() {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}
