//! `object_store`'s own suite of what every store must do, over stores in memory and on disk, in each mode
//! that needs no request's key, and in SSE-C.

#![allow(clippy::unwrap_used, reason = "a failed test stops")]

mod setup;

use object_cipher_core::ObjectCipher;
use object_cipher_object_store::EncryptedStore;
use object_store::{
    ObjectStore, integration, local::LocalFileSystem, memory::InMemory, prefix::PrefixStore,
};
use setup::{ciphers, store};

/// All of the suite that is not of stores' internals, each in an empty store.
async fn suite<S: ObjectStore>(empty: impl Fn() -> EncryptedStore<S>, conditional_puts: bool) {
    integration::put_get_delete_list(&empty()).await;
    integration::put_get_attributes(&empty()).await;
    integration::get_opts(&empty()).await;
    integration::put_opts(&empty(), conditional_puts).await;
    integration::stream_get(&empty()).await;
    integration::list_uses_directories_correctly(&empty()).await;
    integration::list_with_delimiter(&empty()).await;
    integration::list_with_offset_exclusivity(&empty()).await;
    let missing = integration::get_nonexistent_object(&empty(), None).await.unwrap_err();
    assert!(matches!(missing, object_store::Error::NotFound { .. }), "{missing}");
    integration::rename_and_copy(&empty()).await;
    integration::copy_if_not_exists(&empty()).await;
    integration::copy_rename_nonexistent_object(&empty()).await;
    integration::multipart_race_condition(&empty(), true).await;
    integration::multipart_out_of_order(&empty()).await;
}

#[tokio::test]
async fn a_store_in_memory_passes_in_every_mode() {
    for cipher in ciphers() {
        suite(|| store(InMemory::new(), cipher.clone()), true).await;
    }
}

/// Such a store says of what it gets where that lies beneath, of what it lists where it lies in it.
#[tokio::test]
async fn a_store_under_a_prefix_passes() {
    suite(|| store(PrefixStore::new(InMemory::new(), "lake"), setup::sse_s3()), true).await;
}

#[tokio::test]
async fn a_store_on_disk_passes_in_every_mode() {
    for cipher in ciphers() {
        let folder = tempfile::tempdir().unwrap();
        let empty = || {
            let place = tempfile::tempdir_in(&folder).unwrap().keep();
            store(LocalFileSystem::new_with_prefix(place).unwrap(), cipher.clone())
        };
        suite(empty, false).await;
    }
}

#[test]
fn every_mode_is_among_them() {
    let mut modes: Vec<_> = ciphers().iter().map(|cipher| cipher.mode().to_string()).collect();
    modes.sort();
    modes.dedup();
    assert_eq!(modes.len(), 5, "{modes:?}");
}
