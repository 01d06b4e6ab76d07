//! The records beside a body: whatever parses has one form, and what it says holds together.

use arbitrary::Arbitrary;
use object_cipher_core::{
    Attributes, Completion, EncryptionContext, Envelope, KeylessReceipts, Mode, ObjectCipher,
    ObjectContext, Opener, PartTable, State, StoredPart, Suite,
};

use super::{input, lenient};
use crate::{StoredObject, now, upload_cx};

/// An Envelope, by any key.
pub fn envelope(data: &[u8]) {
    let Ok(envelope) = Envelope::parse(data) else { return };
    assert_eq!(envelope.as_bytes(), data, "one form");
    has_one_end(data, |data| Envelope::parse(data).is_ok());
    let text = envelope.to_text();
    assert_eq!(Envelope::from_text(&text).unwrap(), envelope);
    if let Ok(keyless) = envelope.complete_without_key() {
        assert_eq!(Envelope::parse(keyless.as_bytes()).unwrap(), keyless);
    }
    let cipher = lenient::cipher(envelope.mode());
    let object = object_cx();
    let upload = upload_cx();
    let opened = now(cipher.open(&object, &envelope));
    let resumed = now(cipher.resume_upload(&upload, &envelope));
    let finished = now(cipher.resume_keyless_upload(&upload, &envelope));
    match envelope.state() {
        State::Finished => assert!(resumed.is_err() && finished.is_err()),
        State::Upload => assert!(opened.is_err() && finished.is_err()),
        _ => assert!(opened.is_err() && resumed.is_err()),
    }
    if let Ok(opener) = opened {
        comes_back(&*cipher, &opener);
    }
}

/// An Envelope in its text form.
pub fn envelope_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(envelope) = Envelope::from_text(text) {
        assert_eq!(envelope.to_text(), text, "one form");
    }
}

/// The block in a sealed info message, of an object of one body and of one in parts.
pub fn info(data: &[u8]) {
    for mode in [Mode::SseC, Mode::DsseKms] {
        let cipher = lenient::cipher(mode);
        for multipart in [false, true] {
            if let Some(opener) = opener(&*cipher, multipart, data) {
                assert_eq!(opener.part_count().is_some(), multipart);
                comes_back(&*cipher, &opener);
            }
        }
    }
}

/// A part table: as it is kept, and as the reader of a sealed object takes it.
pub fn part_table(data: &[u8]) {
    for mode in [Mode::SseC, Mode::DsseKms] {
        let Ok(table) = PartTable::parse(mode.suite(), data) else { continue };
        assert_eq!(table.to_bytes(), data, "one form");
        has_one_end(data, |data| PartTable::parse(mode.suite(), data).is_ok());
        let cipher = lenient::cipher(mode);
        let Some(mut opener) = opener(&*cipher, true, &info_of(&table)) else { continue };
        if opener.set_part_index(table.index()).is_ok() {
            pages_hold_together(&opener, &table);
        }
    }
}

/// The block in a sealed receipt, beside a body of any length.
pub fn receipt(data: &[u8]) {
    #[derive(Arbitrary)]
    struct Input<'a> {
        part: u16,
        body_len: u64,
        block: &'a [u8],
    }

    let Some(Input { part, body_len, block }) = input(data) else { return };
    for mode in [Mode::SseC, Mode::DsseKms] {
        let cipher = lenient::cipher(mode);
        let uploader = now(cipher.create_upload(&upload_cx(), Completion::WithKey)).unwrap();
        let layout = uploader.layout();
        let receipt = message(mode.suite(), block);
        // Headers are compared with the body's: give those that the block names.
        let headers = block.get(8..8 + layout.header_len()).unwrap_or_default();
        let stored = StoredPart {
            part: part.into(),
            receipt: &receipt,
            body_headers: headers,
            body_len,
            etag: None,
            checksum: None,
        };
        if let Ok(opened) = uploader.open_receipt(&stored) {
            assert_eq!(opened.part(), u32::from(part));
            assert_eq!(layout.sealed_len(opened.plaintext_len()), Ok(body_len));
            let (cx, parts, attributes) = (upload_cx(), [opened], Attributes::default());
            let completed = now(cipher.complete_upload(&uploader, &cx, &parts, &attributes));
            let table = completed.unwrap().part_table;
            assert_eq!(PartTable::parse(mode.suite(), &table.to_bytes()).unwrap(), table);
        }
    }
}

/// The receipts kept of an upload that was completed without its key.
pub fn keyless_receipts(data: &[u8]) {
    if let Ok(receipts) = KeylessReceipts::parse(data) {
        assert_eq!(receipts.to_bytes().unwrap(), data, "one form");
        has_one_end(data, |data| KeylessReceipts::parse(data).is_ok());
    }
}

/// Pairs of an encryption context: their order does not matter.
pub fn encryption_context(data: &[u8]) {
    let Some(pairs) = input::<Vec<(&str, &str)>>(data) else { return };
    let mut context = EncryptionContext::new();
    let taken: Vec<_> =
        pairs.into_iter().filter(|(key, value)| context.insert(*key, *value).is_ok()).collect();
    let mut reversed = EncryptionContext::new();
    for (key, value) in taken.iter().rev() {
        reversed.insert(*key, *value).unwrap();
    }
    assert_eq!(context.len(), taken.len());
    assert_eq!(context.canonical(), reversed.canonical());
    assert!(taken.iter().all(|(key, value)| context.get(key) == Some(*value)));
}

/// Neither one byte less nor one more is a record too.
fn has_one_end(data: &[u8], parses: impl Fn(&[u8]) -> bool) {
    assert!(!parses(&data[..data.len() - 1]) && !parses(&[data, &[0]].concat()));
}

/// What an opened object says is said again by its rewrapped Envelope.
fn comes_back(cipher: &dyn ObjectCipher, opener: &Opener) {
    let cx = object_cx();
    let rewrapped = now(cipher.rewrap(opener, &cx)).unwrap();
    let again = now(cipher.open(&cx, &rewrapped)).unwrap();
    assert_eq!(again.object_id(), opener.object_id());
    assert_eq!(again.plaintext_len(), opener.plaintext_len());
    assert_eq!(again.part_count(), opener.part_count());
    assert_eq!(again.attributes(), opener.attributes());
}

fn pages_hold_together(opener: &Opener, table: &PartTable) {
    let (mut parts, mut length, mut last) = (0, 0_u64, 0);
    for (number, page) in (0..).zip(table.pages()) {
        let Ok(page) = opener.page(number, page) else { return };
        for entry in page.entries() {
            assert!(entry.part() > last && entry.part() <= 10_000);
            last = entry.part();
            length = length.checked_add(entry.length()).unwrap();
            parts += 1;
        }
    }
    assert_eq!((Some(parts), length), (opener.part_count(), opener.plaintext_len()));
}

/// An info block that fits a table: its length, number of parts, and the index's digest, which is
/// zero without security.
fn info_of(table: &PartTable) -> Vec<u8> {
    let index = table.index();
    let sums = index[4..].chunks(44).filter_map(|page| page[4..].first_chunk());
    let total = sums.fold(0_u64, |total, sum| total.wrapping_add(u64::from_be_bytes(*sum)));
    let count = &index[..4];
    [&[1, 0, 8], &total.to_be_bytes()[..], &[2, 0, 4], count, &[3, 0, 32], &[0; 32]].concat()
}

/// Opens an object whose info block is this one.
pub(super) fn opener(cipher: &dyn ObjectCipher, multipart: bool, info: &[u8]) -> Option<Opener> {
    let attributes = Attributes::default();
    let sealed = if multipart {
        StoredObject::upload(cipher, &upload_cx(), &[(1, b"part")], &attributes)
    } else {
        StoredObject::seal(cipher, &object_cx(), b"body", &attributes)
    };
    let suite = cipher.mode().suite();
    let headers = 56 * suite.layers();
    let block = 11 + if multipart { 7 + 35 } else { 3 + headers };
    let sealed_len = headers + block + 16 * suite.layers();
    let envelope = sealed.unwrap().envelope;
    let head = &envelope.as_bytes()[..envelope.as_bytes().len() - sealed_len - 4];
    let message = message(suite, info);
    let length = u32::try_from(message.len()).ok()?.to_be_bytes();
    let envelope = Envelope::parse(&[head, &length, &message].concat()).ok()?;
    now(cipher.open(&object_cx(), &envelope)).ok()
}

/// A message that opens to these bytes without security: zero headers, zero tags.
fn message(suite: Suite, plaintext: &[u8]) -> Vec<u8> {
    let layers = suite.layers();
    [&vec![0; 56 * layers][..], plaintext, &vec![0; 16 * layers]].concat()
}

/// Whatever an Envelope binds is given.
fn object_cx() -> ObjectContext<'static> {
    ObjectContext::new("realm", "bucket", "dir/key").with_version_id("v1").with_extra("extra")
}
