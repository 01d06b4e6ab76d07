//! SSE-C uploads completed without their key.

use futures::future::join_all;
use object_cipher_core::{Completion, ETag, Envelope, Mode, ObjectCipher, State};
use s3_server::store::{Error, NamedPart, Upload};

use crate::{
    host::{self, Host},
    writes::Write,
};

/// The ciphers whose uploads may be completed without their key, each with a stranger's.
fn customers(host: &Host) -> impl Iterator<Item = (&dyn ObjectCipher, &dyn ObjectCipher)> {
    host.strangers().filter(|(cipher, _)| cipher.mode() == Mode::SseC)
}

async fn upload(host: &Host, cipher: &dyn ObjectCipher) -> (Upload, Vec<NamedPart>) {
    let parts = Write::Keyless.parts();
    host.upload_of("a", cipher, Completion::Keyless, &parts).await.unwrap()
}

#[tokio::test]
async fn an_upload_completed_without_its_key_is_sealed_by_the_first_that_brings_it() {
    for host in Host::all().await {
        for (cipher, stranger) in customers(&host) {
            let (upload, named) = upload(&host, cipher).await;
            let told = host.complete_keyless("a", upload.id(), &named).await.unwrap();
            let whole = Write::Keyless.after().unwrap();
            assert_eq!((told.size, told.part_count()), (whole.len() as u64, Some(3)));
            assert!(host.store.uploads(&host.bucket).await.unwrap().is_empty());
            let state = async || {
                let record = host.store.head(&host.bucket, &host::key("a")).await.unwrap();
                (record.envelope.state(), record.etag)
            };
            assert!(matches!(host.open("a", stranger).await, Err(Error::Cipher(_))));
            assert_eq!(state().await, (State::KeylessUpload, told.etag.clone()));
            // Those that race to it all read the object.
            let reads = join_all((0..4).map(|_| host.read_whole("a", cipher))).await;
            assert!(reads.into_iter().all(|read| read.unwrap() == whole));
            assert_eq!(state().await, (State::Finished, told.etag));
            host.bodies(4).await;
            assert!(host.read_whole("a", cipher).await.unwrap() == whole);
            assert!(host.cleared(&["a"]).await.is_empty());
        }
    }
}

#[tokio::test]
async fn one_that_waits_for_its_key_is_replaced_and_deleted_whole_and_kept_by_a_sweep() {
    for host in Host::all().await {
        for (cipher, _) in customers(&host) {
            Write::Keyless.act(&host, cipher, cipher).await.unwrap();
            host.put("a", cipher, b"other").await.unwrap();
            host.bodies(1).await;
            Write::Keyless.act(&host, cipher, cipher).await.unwrap();
            host.bodies(4).await;
            assert_eq!(host.restarted().store.sweep().await.unwrap(), 0);
            assert!(Write::Keyless.is_done(&host, cipher, cipher).await);
            Write::Keyless.act(&host, cipher, cipher).await.unwrap();
            host.store.delete(&host.bucket, &host::key("a")).await.unwrap();
            host.bodies(0).await;
        }
    }
}

#[tokio::test]
async fn m8_a_foreign_etag_is_refused_without_the_key_too() {
    for host in Host::all().await {
        for (cipher, _) in customers(&host) {
            let (upload, mut named) = upload(&host, cipher).await;
            named[1].etag = ETag([9; 16]);
            let refused = host.complete_keyless("a", upload.id(), &named).await;
            assert!(matches!(refused, Err(Error::Part(2))));
        }
    }
}

#[tokio::test]
async fn m14_an_upload_not_created_for_it_is_not_completed_without_its_key() {
    for host in Host::all().await {
        for cipher in host.ciphers() {
            let parts = Write::Keyless.parts();
            let upload = host.upload_of("a", cipher, Completion::WithKey, &parts);
            let (upload, named) = upload.await.unwrap();
            let refused = host.complete_keyless("a", upload.id(), &named).await;
            assert!(matches!(refused, Err(Error::Cipher(_))));
            // Nor when the bit that allows it is set by hand.
            let path = host::upload_record(upload.id());
            let allowed = |envelope: &Envelope| envelope.allows_keyless_completion();
            let Some(forged) = forged(&upload.record().envelope, allowed) else {
                assert_ne!(cipher.mode(), Mode::SseC);
                continue;
            };
            host.edit(&path, |record| record["envelope"] = forged.to_text().into()).await;
            // Without a key nothing is verified, but with it no byte comes out.
            host.complete_keyless("a", upload.id(), &named).await.unwrap();
            assert!(matches!(host.open("a", cipher).await, Err(Error::Cipher(_))));
            host.store.delete(&host.bucket, &host::key("a")).await.unwrap();
        }
    }
}

#[tokio::test]
async fn m14_the_state_set_by_hand_is_rejected() {
    for host in Host::all().await {
        for (cipher, _) in customers(&host) {
            for completion in [Completion::WithKey, Completion::Keyless] {
                let parts = Write::Keyless.parts();
                let (other, _) = host.upload_of("a", cipher, completion, &parts).await.unwrap();
                // A record as of an upload that was completed without its key.
                let (own, named) = upload(&host, cipher).await;
                host.complete_keyless("a", own.id(), &named).await.unwrap();
                let keyless = |envelope: &Envelope| envelope.state() == State::KeylessUpload;
                let forged = forged(&other.record().envelope, keyless);
                let Some(forged) = forged else {
                    assert_eq!(completion, Completion::WithKey, "the state needs the bit");
                    continue;
                };
                let record = host::record("a");
                host.edit(&record, |record| record["envelope"] = forged.to_text().into()).await;
                assert!(matches!(host.open("a", cipher).await, Err(Error::Cipher(_))));
                host.cleared(&["a"]).await;
            }
        }
    }
}

/// The Envelope with one byte of its head changed so that it looks so; none if there is none.
fn forged(envelope: &Envelope, looks: impl Fn(&Envelope) -> bool) -> Option<Envelope> {
    let changes = (0..12).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte)));
    changes.into_iter().find_map(|(at, byte)| {
        let mut bytes = envelope.as_bytes().to_vec();
        bytes[at] = byte;
        let forged = Envelope::parse(&bytes).ok()?;
        (forged.mode() == envelope.mode() && looks(&forged)).then_some(forged)
    })
}

#[tokio::test]
async fn m14_old_attempts_and_subsets_of_the_parts_show_in_the_recomputed_etag() {
    for host in Host::all().await {
        for (cipher, _) in customers(&host) {
            for subset in [false, true] {
                let (upload, mut named) = upload(&host, cipher).await;
                let old = host.json(&host::part_record(upload.id(), 1)).await;
                let kept = host.kept().await;
                named[0] = host::part(&upload, 1, b"a later attempt").await.unwrap();
                let told = host.complete_keyless("a", upload.id(), &named).await.unwrap();
                // What has gone is put back by who has the store.
                let old_body = host::body(old["body"].as_str().unwrap());
                let bytes = kept.into_iter().find(|(path, _)| *path == old_body).unwrap().1;
                host.set(&old_body, bytes).await;
                let mut size = 0;
                host.edit(&host.body("a").await, |table| {
                    let parts = table["parts"].as_array_mut().unwrap();
                    if subset {
                        parts.pop();
                    } else {
                        for field in ["body", "receipt", "size"] {
                            parts[0][field] = old[field].clone();
                        }
                    }
                    size = parts.iter().map(|part| part["size"].as_u64().unwrap()).sum();
                })
                .await;
                host.edit(&host::record("a"), |record| {
                    record["size"] = size.into();
                    record["content"]["keyless"]["count"] = (if subset { 2 } else { 3 }).into();
                })
                .await;
                let object = host.open("a", cipher).await.unwrap();
                assert_ne!(object.record().etag, told.etag, "a client that keeps its own sees it");
                let sealed = hex::encode(object.opener().etag().unwrap().0);
                assert!(object.record().etag.as_ref().unwrap().starts_with(&sealed));
                host.store.delete(&host.bucket, &host::key("a")).await.unwrap();
            }
        }
    }
}
