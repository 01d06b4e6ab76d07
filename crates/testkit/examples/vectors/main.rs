//! Writes the frozen vectors, or checks that they still follow from the code, byte for byte.
//!
//! ```text
//! cargo run -p object-cipher-testkit --example vectors -- write vectors
//! cargo run -p object-cipher-testkit --example vectors -- check vectors
//! ```

mod generate;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

const USAGE: &str = "usage: vectors (write | check) FOLDER";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["write", folder] => write(Path::new(folder)),
        ["check", folder] => check(Path::new(folder)),
        _ => Err(io::Error::other(USAGE)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (path, text) in texts(folder)? {
        fs::write(path, text)?;
    }
    Ok(())
}

fn check(folder: &Path) -> io::Result<()> {
    for (path, text) in texts(folder)? {
        if fs::read(&path)? != text.as_bytes() {
            return Err(io::Error::other(format!("{} is not what is generated", path.display())));
        }
    }
    Ok(())
}

fn texts(folder: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let texts = generate::vectors().to_texts()?;
    Ok(texts.into_iter().map(|(file, text)| (folder.join(file), text)).collect())
}
