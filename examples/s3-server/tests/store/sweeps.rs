//! The sweep removes what nothing names, and nothing else.

use object_cipher_core::Completion;
use object_store::{ObjectStoreExt as _, path::Path};
use s3_server::store::Error;

use crate::host::{self, Host};

#[tokio::test]
async fn a_sweep_keeps_what_any_record_names_and_removes_nothing_when_one_is_damaged() {
    for host in Host::all().await {
        let cipher = host.sse_s3();
        host.put("a", &cipher, b"content").await.unwrap();
        let parts = [(1, b"part".to_vec())];
        host.upload_of("b", &cipher, Completion::WithKey, &parts).await.unwrap();
        host.set(&host::body(&"0".repeat(32)), "left by a crash").await;

        let record = host::record("a");
        host.edit(&record, |record| record["size"] = "seven".into()).await;
        let refused = host.restarted().store.sweep().await;
        assert!(matches!(refused, Err(Error::Damaged { .. })));
        host.bodies(3).await;
        host.edit(&record, |record| record["size"] = 7.into()).await;
        assert_eq!(host.restarted().store.sweep().await.unwrap(), 1);
        host.bodies(2).await;

        // Without the bucket's own record the objects are still there.
        let bucket = Path::from("buckets/photos.json");
        let record = host.get(&bucket).await;
        host.objects.delete(&bucket).await.unwrap();
        host.restarted().store.sweep().await.unwrap();
        host.set(&bucket, record).await;
        assert_eq!(host.read_whole("a", &cipher).await.unwrap(), b"content");
    }
}
