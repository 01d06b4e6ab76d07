//! A second writer of the file format, made from its documentation alone.

use object_cipher_core::{CryptoBackend, cobblestone};
use object_cipher_rustcrypto::RustCrypto;

#[derive(Clone)]
pub(crate) struct Forged {
    pub(crate) kdf: u8,
    pub(crate) costs: [u32; 3],
    pub(crate) generation: u64,
    pub(crate) id: Vec<u8>,
    pub(crate) count: Option<u16>,
    pub(crate) versions: Vec<Version>,
    pub(crate) trailing: Vec<u8>,
}

#[derive(Clone)]
pub(crate) struct Version {
    pub(crate) number: u32,
    pub(crate) created: u64,
    pub(crate) state: u8,
    pub(crate) wraps: u64,
    pub(crate) key: Option<[u8; 32]>,
}

impl Forged {
    /// A correct file with these versions.
    pub(crate) fn new(versions: impl IntoIterator<Item = Version>) -> Self {
        Self {
            kdf: 0,
            costs: [0; 3],
            generation: 1,
            id: b"main".to_vec(),
            count: None,
            versions: versions.into_iter().collect(),
            trailing: Vec::new(),
        }
    }

    pub(crate) fn bytes(&self, secret: &[u8; 32]) -> Vec<u8> {
        let salt = [0x5a; 32];
        let mut okm = [0; 96];
        let info = b"object-cipher/v1/keyring/unlock";
        RustCrypto.hkdf_sha512(&salt, secret, &[info], &mut okm).unwrap();
        let seal = okm[..32].try_into().unwrap();

        let mut header = b"\x89OCK\r\n\x1a\n\x01".to_vec();
        header.push(self.kdf);
        header.extend(self.costs.iter().flat_map(|cost| cost.to_be_bytes()));
        header.extend(salt);
        header.extend(self.generation.to_be_bytes());
        let count = self.count.unwrap_or(u16::try_from(self.versions.len()).unwrap());
        header.extend(count.to_be_bytes());
        header.push(u8::try_from(self.id.len()).unwrap());
        header.extend(&self.id);

        let mut file = header.clone();
        for version in &self.versions {
            let mut fields = version.number.to_be_bytes().to_vec();
            fields.extend(version.created.to_be_bytes());
            fields.push(version.state);
            fields.extend(version.wraps.to_be_bytes());
            file.extend(&fields);
            if let Some(key) = version.key {
                let context: [&[u8]; 3] = [b"object-cipher/v1/keyring/key\0", &header, &fields];
                file.extend(cobblestone::seal_message(&RustCrypto, seal, &context, &key).unwrap());
            }
        }
        file.extend(&self.trailing);
        let mut mac = [0; 64];
        RustCrypto.hmac_sha512(&okm[32..], &[&file], &mut mac).unwrap();
        file.extend(mac);
        file
    }
}

impl Version {
    pub(crate) fn enabled(number: u32) -> Self {
        Self { number, created: 1_700_000_000, state: 1, wraps: 0, key: Some(crate::random()) }
    }

    pub(crate) fn decrypt_only(number: u32) -> Self {
        Self { state: 2, ..Self::enabled(number) }
    }

    pub(crate) fn waiting(number: u32) -> Self {
        Self { state: 4, ..Self::enabled(number) }
    }

    pub(crate) fn destroyed(number: u32) -> Self {
        Self { state: 3, key: None, ..Self::enabled(number) }
    }
}
