//! How a third party puts its own source of keys, cipher and backend through the suites.

use std::{collections::HashMap, sync::Arc, sync::Mutex};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    BoxFuture, FreshKey, KeyBlob, KeyError, KeyErrorKind, KeyRef, KeySource, LayeredCipher,
    ObjectContext, Result, SourceKey,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{backend_tests, key_source_tests, object_cipher_tests};

/// Somebody's KMS: a table of data keys by their handles.
#[derive(Default)]
struct Table(Mutex<HashMap<Vec<u8>, Arc<SourceKey>>>);

impl KeySource for Table {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        Box::pin(async {
            let mut table = self.0.lock().map_err(|_| unavailable())?;
            let handle = format!("handle {:04}", table.len()).into_bytes();
            let key = SourceKey::from_bytes(&[table.len().to_le_bytes()[0] | 0x80; 32]);
            table.insert(handle.clone(), Arc::clone(&key));
            Ok(FreshKey { key, key_ref: key_ref(), blob: KeyBlob::kms("1", &handle)? })
        })
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        name: &'a KeyRef,
        blob: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(async move {
            let table = self.0.lock().map_err(|_| unavailable())?;
            let handle = blob.kms_parts().map(|(_, handle)| handle);
            let key = handle.and_then(|handle| table.get(handle)).filter(|_| *name == key_ref());
            Ok(Arc::clone(key.ok_or(KeyError::new(KeyErrorKind::NotFound, "no such handle"))?))
        })
    }
}

fn key_ref() -> KeyRef {
    KeyRef::Kms("table".into())
}

fn unavailable() -> KeyError {
    KeyError::new(KeyErrorKind::Unavailable, "the table is locked for good")
}

key_source_tests! {
    my_key_source: Table::default()
}

object_cipher_tests! {
    my_cipher: LayeredCipher::dsse_kms(Table::default(), AwsLc, RustCrypto)
}

mod my_backend {
    use super::{AwsLc, backend_tests};

    backend_tests!(AwsLc);
}
