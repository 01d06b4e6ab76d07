//! Info blocks of any fields.

use object_cipher_core::CryptoBackend;
use object_cipher_rustcrypto::RustCrypto;

use super::samples::Sample;

/// Fields as tag u8, length u16, value.
pub(crate) fn tlv(fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let field = |(tag, value): &(u8, Vec<u8>)| {
        let length = u16::try_from(value.len()).unwrap().to_be_bytes();
        [&[*tag], &length[..], value].concat()
    };
    fields.iter().flat_map(field).collect()
}

impl Sample {
    /// The headers of a stored body.
    pub(crate) fn headers(&self, part: u32) -> Vec<u8> {
        self.vector.bodies[&part][..56 * self.secrets.deks.len()].to_vec()
    }

    /// SHA-256 of the part table's index.
    pub(crate) fn index_digest(&self) -> Vec<u8> {
        RustCrypto.sha256(&[self.vector.part_index.as_ref().unwrap()]).to_vec()
    }

    /// The sample with an index, a length and a part count in its info block.
    pub(crate) fn with_index(&self, index: &[u8], length: u64, count: u32) -> Self {
        self.with_info(&tlv(&[
            (1, length.to_be_bytes().to_vec()),
            (2, count.to_be_bytes().to_vec()),
            (3, RustCrypto.sha256(&[index]).to_vec()),
        ]))
    }
}
