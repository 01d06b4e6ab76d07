//! Uploads of one key that overtake each other or stop on their way.

use object_cipher_core::ReadRange;

use crate::bucket::{Client, Refused};

#[test]
fn m12_uploads_of_one_key_in_any_order_leave_one_of_them_whole() {
    // Each step is an upload's companion or its completion; an upload's companion comes first.
    let orders =
        [[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 1, 0], [1, 1, 0, 0]];
    for order in orders {
        let mut client = Client::new();
        let contents: [&[u8]; 2] = [b"the first", b"another, longer one"];
        let uploads = contents.map(|content| client.upload("k", &[(1, content)]));
        let (mut put, mut winner) = ([false; 2], None);
        for at in order {
            if put[at] {
                client.complete(&uploads[at]);
                winner = Some(contents[at]);
            } else {
                client.put_companion(&uploads[at]);
                put[at] = true;
            }
            match winner {
                Some(content) => {
                    assert_eq!(client.get("k", &ReadRange::Whole).unwrap(), content);
                }
                None => assert_eq!(client.get("k", &ReadRange::Whole), Err(Refused::NoSuchKey)),
            }
        }
        assert_eq!(client.list(), ["k"], "what lost is hidden");
    }
}

#[test]
fn m12_a_crash_between_companion_and_completion_leaves_the_object_before() {
    let mut client = Client::new();
    client.put_in_parts("k", &[(1, b"before")]);
    let upload = client.upload("k", &[(1, b"after")]);
    client.put_companion(&upload);
    assert_eq!(client.get("k", &ReadRange::Whole).unwrap(), b"before");

    // One in a single piece takes its place, and the upload is completed late.
    client.put("k", b"between");
    assert_eq!(client.get("k", &ReadRange::Whole).unwrap(), b"between");
    client.complete(&upload);
    assert_eq!(client.get("k", &ReadRange::Whole).unwrap(), b"after");
}

#[test]
fn m12_a_delete_that_another_upload_overtakes_takes_no_others_companion() {
    let mut client = Client::new();
    let old = client.put_in_parts("k", &[(1, b"old")]);
    let upload = client.upload("k", &[(1, b"new")]);
    // The companion that HEAD named before is deleted after the new object is there.
    client.put_companion(&upload);
    client.complete(&upload);
    client.bucket.remove(old.as_str());
    assert_eq!(client.get("k", &ReadRange::Whole).unwrap(), b"new");
}

#[test]
fn an_object_whose_companion_is_gone_gives_nothing() {
    let mut client = Client::new();
    let name = client.put_in_parts("k", &[(1, b"content")]);
    client.bucket.remove(name.as_str());
    for range in [ReadRange::Whole, ReadRange::Bytes(0..1)] {
        assert_eq!(client.get("k", &range), Err(Refused::NoSuchKey));
    }
}
