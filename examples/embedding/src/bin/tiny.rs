//! Opens an object with as little as that takes: [`tiny`], in `src/tiny.rs`, builds for a browser and for
//! bare metal. The script `tiny` beside this package's manifest builds and measures it.
//!
//! The object is baked in here; a page would fetch it.

use embedding::tiny;
use object_cipher_core::{ObjectContext, ReadRange, Result};

const ENVELOPE: &str = include_str!("../tiny/cat.envelope");
const BODY: &[u8] = include_bytes!("../tiny/cat.sealed");

fn main() -> Result<()> {
    let key: [u8; 32] = core::array::from_fn(|at| u8::try_from(at).unwrap_or_default());
    let cx = ObjectContext::new("page", "photos", "cat.txt");
    let content = tiny::open(&key, &cx, ENVELOPE.trim_end(), &ReadRange::Whole, |_| BODY.to_vec())?;
    assert_eq!(content, b"a picture of a cat");
    println!("opened {} bytes", content.len());
    Ok(())
}
