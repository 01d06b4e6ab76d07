//! A rekey of a store in S3, beside others who write.

use std::{process::Stdio, sync::Arc};

use futures_util::{StreamExt as _, stream};
use object_cipher_core::KeyRef;
use object_cipher_keyring::{KeyringFile, Unlock};
use object_cipher_object_store::{EncryptedStore, rekey::Report};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_s3::SseS3;
use object_store::{ObjectStoreExt as _, aws::AmazonS3, aws::AmazonS3Builder, prefix::PrefixStore};

use crate::{
    bench::{Bench, DONE},
    lake::{now, path, plain},
};

const OBJECTS: usize = 200;
const URL: &str = "s3://lake/raw/2026";

/// The store as a service has it.
fn store(bench: &Bench) -> EncryptedStore<PrefixStore<AmazonS3>> {
    let unlock = Unlock::key_file(bench.path("unlock.key")).unwrap();
    let keyring = KeyringFile::open(bench.path("keyring"), &unlock, RustCrypto).unwrap();
    let s3 = AmazonS3Builder::from_env().with_bucket_name("lake").build().unwrap();
    let cipher = SseS3::new(Arc::new(keyring), RustCrypto);
    EncryptedStore::new(PrefixStore::new(s3, "raw/2026"), "lake", cipher)
}

#[test]
#[ignore = "needs an S3 server: tests/rekey-s3 starts one"]
fn over_s3_what_others_write_meanwhile_stays_and_all_come_under_the_new_key() {
    let bench = Bench::new();
    let before = store(&bench);
    let put = async |number| {
        before.put(&path(number), plain(number).into()).await.unwrap();
    };
    now(stream::iter(0..OBJECTS).for_each_concurrent(8, put));
    bench.run(&["keyring", "rotate"]).expect(DONE);
    let all = ["rekey", "run", URL, "--mode", "sse-s3", "--key-file", "unlock.key", "--quiet"];
    let run = |index: &str| {
        let (shard, report) = (format!("{index}/2"), format!("{index}.json"));
        let own = ["--shard", &*shard, "--report", &*report, "--journal", index];
        let mut command = bench.command(&[&all[..], &own].concat());
        command.stderr(Stdio::inherit()).spawn().unwrap()
    };
    let mut runs = [run("0"), run("1")];
    // Others go on writing, under whichever key they know.
    now(stream::iter((0..OBJECTS).step_by(3)).for_each(async |number| {
        before.put(&path(number), plain(number + 1).into()).await.unwrap();
    }));
    assert!(runs.iter_mut().all(|run| run.wait().unwrap().success()));
    bench.plain(&["rekey", "merge", "0.json", "1.json"]).expect(DONE);

    let again = bench.plain(&[&all[..], &["--json"]].concat()).expect(DONE);
    let again: Report = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((again.objects, again.failed), (OBJECTS as u64, 0));
    let census = bench.plain(&["rekey", "census", URL, "--json"]).expect(DONE);
    let census: Report = serde_json::from_slice(&census.stdout).unwrap();
    assert_eq!(census.census, again.census);
    bench.run(&["keyring", "retire", "1", "--destroy", "--yes"]).expect(DONE);
    let after = store(&bench);
    now(stream::iter(0..OBJECTS).for_each_concurrent(8, async |number| {
        let (_, record) = after.record(&path(number)).await.unwrap();
        let layer = record.envelope.layers().next().unwrap().key_ref().clone();
        assert!(matches!(layer, KeyRef::Master(key) if key.version() == 2), "{number}");
        let content = after.get(&path(number)).await.unwrap().bytes().await.unwrap();
        let written = if number.is_multiple_of(3) { number + 1 } else { number };
        assert_eq!(content, plain(written), "{number}");
    }));
}
