//! What users of a store, and of a rekey, are told when they hold it wrong.

#![allow(clippy::unwrap_used, reason = "a failed test stops")]

mod setup;

use http::Extensions;
use object_cipher_core::EncryptionContext;
use object_cipher_object_store::{CipherTable, EncryptedStore, RequestContext};
use object_store::{
    CopyOptions, GetOptions, ObjectStore as _, ObjectStoreExt as _, PutOptions,
    local::LocalFileSystem, memory::InMemory, path::Path,
};
use setup::{Probe, content, read, sse_c, sse_kms, sse_s3, store};

#[tokio::test]
async fn an_error_names_the_object() {
    let probe = Probe::default();
    let path = Path::from("raw/cats.csv");
    store(probe.clone(), sse_s3()).put(&path, content(100_000, 1).into()).await.unwrap();
    let other = EncryptedStore::new(probe.clone(), "pond", sse_s3());
    let told = read(&other, &path).await.unwrap_err().to_string();
    assert!(told.contains("raw/cats.csv"), "{told}");

    let ciphers = CipherTable::new(sse_s3());
    let other = EncryptedStore::builder(probe.clone(), "lake", ciphers).reserved_prefix("bodies");
    let told = read(&other.build(), &path).await.unwrap_err().to_string();
    assert!(told.contains("raw/cats.csv: its body is gone: it is not at bodies/bodies/"), "{told}");

    let opened = store(probe.clone(), sse_s3());
    let (_, record) = opened.record(&path).await.unwrap();
    let id = record.envelope.object_id().to_string();
    let body = Path::from(format!(".object-cipher/bodies/{}/{id}", &id[..2]));
    let cut = probe.memory().get(&body).await.unwrap().bytes().await.unwrap().slice(..50_000);
    probe.memory().put(&body, cut.into()).await.unwrap();
    let told = read(&opened, &path).await.unwrap_err().to_string();
    assert!(told.contains("raw/cats.csv: its body has another length"), "{told}");
}

#[tokio::test]
async fn a_copy_that_fails_names_what_fails_and_leaves_no_mark() {
    let probe = Probe::default();
    let (from, to) = (Path::from("a"), Path::from("b"));
    store(probe.clone(), sse_s3()).put(&from, "meow".into()).await.unwrap();
    let pond = EncryptedStore::new(probe.clone(), "pond", sse_s3());
    let told = pond.copy(&from, &to).await.unwrap_err().to_string();
    assert!(told.contains("error: a: "), "{told}");

    let mut options = CopyOptions::new();
    let mut context = EncryptionContext::new();
    context.insert("team", "cats").unwrap();
    options.extensions.insert(RequestContext(context));
    let lake = store(probe.clone(), sse_s3());
    lake.copy_opts(&from, &to, options).await.unwrap_err();
    let beneath = probe.memory().list_with_delimiter(Some(&".object-cipher".into())).await;
    assert_eq!(beneath.unwrap().common_prefixes, [Path::from(".object-cipher/bodies")]);
}

#[tokio::test]
async fn a_store_without_conditions_names_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let files = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let store = store(files, sse_s3());
    let path = Path::from("a");
    store.put(&path, "meow".into()).await.unwrap();
    let told = store.rewrap(&path, Extensions::default()).await.unwrap_err().to_string();
    assert!(told.starts_with("a: ") && told.contains("Builder::single_writer"), "{told}");
}

#[tokio::test]
async fn what_is_no_record_is_told_so_however_short_it_is() {
    let probe = Probe::default();
    for foreign in ["", "meow", "a file of somebody else"] {
        probe.memory().put(&Path::from("a"), foreign.into()).await.unwrap();
        let told = read(&store(probe.clone(), sse_s3()), &Path::from("a")).await.unwrap_err();
        assert!(told.to_string().contains("does not begin as records do"), "{foreign:?}: {told}");
    }
}

#[tokio::test]
async fn a_context_is_refused_where_there_is_no_kms() {
    let with_context = || {
        let mut context = EncryptionContext::new();
        context.insert("team", "cats").unwrap();
        let mut options = PutOptions::default();
        options.extensions.insert(RequestContext(context));
        options
    };
    let path = Path::from("a");
    for cipher in [sse_s3(), sse_c(7)] {
        let mode = cipher.mode().to_string();
        let store = store(InMemory::new(), cipher);
        let refused = store.put_opts(&path, "meow".into(), with_context()).await.unwrap_err();
        assert!(refused.to_string().contains(&mode), "{refused}");
        let gone = store.get_opts(&path, GetOptions::new()).await.unwrap_err();
        assert!(matches!(gone, object_store::Error::NotFound { .. }), "{gone}");
    }
    // An object that has one loses it on its way to such a mode.
    let dsse = setup::dsse_kms();
    let from = store(Probe::default(), dsse.clone());
    from.put_opts(&path, "meow".into(), with_context()).await.unwrap();
    let ciphers = CipherTable::new(sse_s3()).also_open(dsse);
    let to = EncryptedStore::builder(from.inner().clone(), "lake", ciphers).build();
    to.copy(&path, &Path::from("b")).await.unwrap();
    assert_eq!(read(&to, &Path::from("b")).await.unwrap(), b"meow");
    assert!(to.record(&Path::from("b")).await.unwrap().1.context.is_empty());
    store(Probe::default(), sse_kms())
        .put_opts(&path, "meow".into(), with_context())
        .await
        .unwrap();
}

#[cfg(feature = "rekey")]
mod rekey {
    use object_cipher_core::{KeyRef, Mode};
    use object_cipher_object_store::{
        Error,
        rekey::{Goal, Manifest, Rekey, RekeyFault},
    };
    use setup::lake::{Lake, OBJECTS, OTHER_KEY, arn, beneath, changed, goal};

    use super::*;
    use object_cipher_object_store::rekey::Walk;

    #[tokio::test]
    async fn a_dry_run_tells_that_nothing_can_be_opened() {
        let lake = Lake::new().await;
        let before = beneath(&lake.probe).await;
        let cipher = lake.cipher(OTHER_KEY);
        let pond = EncryptedStore::new(lake.probe.clone(), "pond", cipher);
        let dry = Rekey::new(pond, goal(OTHER_KEY)).dry_run();
        let dry = dry.run(Walk::list(None)).await.unwrap();
        assert_eq!((dry.failed, changed(&dry)), (OBJECTS as u64, 0), "{dry}");

        let no_kms = EncryptedStore::new(lake.probe.clone(), "lake", sse_s3());
        let dry = Rekey::new(no_kms, Goal::new(Mode::SseS3)).dry_run();
        let dry = dry.run(Walk::list(None)).await.unwrap();
        assert_eq!(dry.failed, OBJECTS as u64);
        assert!(dry.failures[0].reason.contains("no cipher was given"), "{dry}");
        assert_eq!(beneath(&lake.probe).await, before);
    }

    #[tokio::test]
    async fn a_dry_run_finds_every_record_that_is_not_in_its_place() {
        let lake = Lake::new().await;
        let stolen = lake.probe.memory().get(&setup::lake::path(1)).await.unwrap();
        let stolen = stolen.bytes().await.unwrap();
        lake.probe.memory().put(&Path::from("z"), stolen.into()).await.unwrap();
        let dry = lake.rekey().concurrency(1).dry_run().run(Walk::list(None)).await.unwrap();
        assert_eq!((dry.failed, changed(&dry)), (1, OBJECTS as u64), "{dry}");
    }

    #[tokio::test]
    async fn a_move_that_meets_one_it_cannot_end_does_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let files = || LocalFileSystem::new_with_prefix(folder.path()).unwrap();
        let lake = Lake::new().await;
        let from = EncryptedStore::new(files(), "lake", lake.cipher(setup::KEY));
        for number in 0..9 {
            from.put(&Path::from(format!("a/{number}")), "meow".into()).await.unwrap();
        }
        from.copy(&Path::from("a/4"), &Path::from("b/4")).await.unwrap();
        let to = EncryptedStore::new(files(), "lake", lake.cipher(OTHER_KEY));
        let run = Rekey::moving(to, goal(OTHER_KEY), "a".into(), "b".into()).unwrap();
        let report = run.run(Walk::list(Some("a".into()))).await.unwrap();
        assert_eq!((report.failed, changed(&report)), (1, 8), "{report}");
    }

    #[tokio::test]
    async fn an_alias_is_no_goal_and_another_mode_is_told_so() {
        let lake = Lake::new().await;
        for alias in ["alias/cats", "arn:aws:kms:us-east-1:111122223333:alias/cats"] {
            let goal = Goal::new(Mode::SseKms).under(KeyRef::Kms(alias.into()));
            let refused = Rekey::new(lake.store(OTHER_KEY), goal).run(Walk::list(None)).await;
            assert!(matches!(&refused, Err(Error::Rekey(RekeyFault::Alias(_)))), "{refused:?}");
        }
        let calls = lake.kms.calls();
        let report = Rekey::new(lake.store(OTHER_KEY), Goal::new(Mode::SseS3));
        let report = report.run(Walk::list(None)).await.unwrap();
        let wanted = "the store's cipher for it seals by SSE-KMS, and SSE-S3 is wanted";
        assert_eq!(report.failures[0].reason, wanted);
        assert_eq!(lake.kms.calls(), calls);
    }

    #[tokio::test]
    async fn where_nothing_can_be_rewrapped_a_run_ends_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let files = || LocalFileSystem::new_with_prefix(folder.path()).unwrap();
        let lake = Lake::new().await;
        let cipher = |key| lake.cipher(key);
        let from = EncryptedStore::new(files(), "lake", cipher(setup::KEY));
        for name in ["a", "b"] {
            from.put(&Path::from(name), "meow".into()).await.unwrap();
        }
        let to = EncryptedStore::new(files(), "lake", cipher(OTHER_KEY));
        let run = Rekey::new(to, goal(OTHER_KEY)).run(Walk::list(None)).await;
        assert!(matches!(run, Err(Error::NoConditions { .. })), "{run:?}");
    }

    #[tokio::test]
    async fn a_record_copied_beneath_is_in_no_census() {
        let lake = Lake::new().await;
        let stolen = lake.probe.memory().get(&setup::lake::path(1)).await.unwrap();
        let stolen = stolen.bytes().await.unwrap();
        lake.probe.memory().put(&Path::from("copy"), stolen.into()).await.unwrap();
        let census = lake.census().await;
        assert_eq!((census.failed, census.unknown), (1, 1), "{census}");
        assert_eq!(census.census[0].objects, OBJECTS as u64);
        assert!(census.failures[0].reason.contains("written for another path"), "{census}");
    }

    #[tokio::test]
    async fn a_run_without_a_name_has_that_of_the_store_beneath() {
        let lake = Lake::new().await;
        let report = Rekey::census(lake.store(OTHER_KEY)).run(Walk::list(None)).await.unwrap();
        assert_eq!(report.store, lake.probe.to_string());
        assert!(report.to_string().contains(&arn(setup::KEY)));
    }

    #[test]
    fn a_manifest_of_another_bucket_is_refused_by_its_json_alone() {
        let json =
            r#"{"sourceBucket": "pond", "fileFormat": "CSV", "fileSchema": "Key", "files": []}"#;
        let manifest = Manifest::parse(json.as_bytes()).unwrap();
        let first = |manifest: &Manifest| manifest.paths(&b"a\n"[..]).unwrap().next().unwrap();
        assert_eq!(first(&manifest), Ok(Path::from("a")));
        let refused = first(&manifest.of_bucket("lake")).unwrap_err();
        assert_eq!(refused.reason, "it is of the bucket pond, not lake");
    }
}
