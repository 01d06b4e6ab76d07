//! `object_store`'s own suite over S3 servers. `run` starts them and says where they are.

mod setup;

use std::{
    env,
    sync::atomic::{AtomicU32, Ordering},
};

use object_cipher_object_store::{CipherTable, EncryptedStore};
use object_store::{
    Certificate, ClientOptions, ObjectStoreExt as _,
    aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut},
    integration,
    path::Path,
    prefix::PrefixStore,
};

static NEXT: AtomicU32 = AtomicU32::new(0);

fn s3() -> AmazonS3 {
    let endpoint = env::var("AWS_ENDPOINT_URL").expect("`run` sets it");
    let mut options = ClientOptions::new().with_allow_http(true);
    if let Ok(bundle) = env::var("AWS_CA_BUNDLE") {
        let pem = std::fs::read(bundle).unwrap();
        options = options.with_root_certificate(Certificate::from_pem(&pem).unwrap());
    }
    AmazonS3Builder::from_env()
        .with_client_options(options)
        .with_endpoint(endpoint)
        .with_bucket_name("lake")
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .build()
        .unwrap()
}

/// An empty store: under a prefix of its own.
fn empty() -> EncryptedStore<PrefixStore<AmazonS3>> {
    let prefix = format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let ciphers = CipherTable::new(setup::sse_kms());
    EncryptedStore::builder(PrefixStore::new(s3(), prefix), "lake", ciphers).build()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the S3 server that `run` starts"]
async fn the_suite_passes_over_s3() {
    integration::put_get_delete_list(&empty()).await;
    integration::put_get_attributes(&empty()).await;
    integration::get_opts(&empty()).await;
    integration::put_opts(&empty(), true).await;
    integration::stream_get(&empty()).await;
    integration::list_uses_directories_correctly(&empty()).await;
    integration::list_with_delimiter(&empty()).await;
    integration::list_with_offset_exclusivity(&empty()).await;
    integration::rename_and_copy(&empty()).await;
    integration::copy_if_not_exists(&empty()).await;
    integration::copy_rename_nonexistent_object(&empty()).await;
    integration::multipart_race_condition(&empty(), true).await;
    integration::multipart_out_of_order(&empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the S3 server that `run` starts"]
async fn a_rewrap_goes_by_conditions_of_the_server() {
    let store = empty();
    let path = Path::from("a");
    store.put(&path, "meow".into()).await.unwrap();
    store.rewrap(&path, Default::default()).await.unwrap();
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "meow");
    let swept = store.sweep(std::time::Duration::from_secs(3_600)).await.unwrap();
    assert_eq!((swept.named, swept.removed), (1, 0));
}
