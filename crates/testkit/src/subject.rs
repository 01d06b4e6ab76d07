//! The object that attacks are about.

use object_cipher_core::ObjectContext;

/// Its identity, with a version id.
pub fn cx() -> ObjectContext<'static> {
    ObjectContext::new("realm", "bucket", "dir/key").with_version_id("v1")
}

/// The same while it is uploaded.
pub fn upload_cx() -> ObjectContext<'static> {
    ObjectContext::new("realm", "bucket", "dir/key").with_upload_id("upload-1")
}

/// A plaintext of a length, without repetition within a chunk.
pub fn plaintext(length: usize) -> Vec<u8> {
    (0_u32..).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).take(length).collect()
}
