//! Whole objects against a plain copy of their content.

use std::collections::BTreeMap;

use object_cipher_core::{Attributes, Completion, Error, ObjectCipher};

use super::{input, plans::AnyRange};
use crate::{StoredObject, cx, now, plaintext, upload_cx};

/// Ranges of an object of one body are those of its content.
pub fn single(cipher: &dyn ObjectCipher, data: &[u8]) {
    let Some((length, ranges)) = input::<(u16, Vec<AnyRange>)>(data) else { return };
    let content = plaintext(length.into());
    let stored = StoredObject::seal(cipher, &cx(), &content, &Attributes::default()).unwrap();
    judge(cipher, &stored, &content, &ranges);
}

/// Parts sent in any order, again and again, make the object of their last attempts; a rename keeps
/// it.
pub fn multipart(cipher: &dyn ObjectCipher, data: &[u8]) {
    let Some((sent, ranges)) = input::<(Vec<(u16, u16)>, Vec<AnyRange>)>(data) else { return };
    let uploader = now(cipher.create_upload(&upload_cx(), Completion::WithKey)).unwrap();
    let mut attempts = BTreeMap::new();
    for (number, length) in sent.into_iter().take(20) {
        let part = u32::from(number) % 10_001;
        let content = plaintext(length.into());
        match StoredObject::seal_part(&uploader, part, &content) {
            Ok(sealed) => drop(attempts.insert(part, (content, sealed))),
            Err(error) => assert!(part == 0 && matches!(error, Error::Part { .. })),
        }
    }
    let receipts: Vec<_> = attempts
        .iter()
        .map(|(part, (_, (body, receipt)))| {
            let stored = StoredObject::stored_part(&uploader, *part, receipt, body);
            uploader.open_receipt(&stored).unwrap()
        })
        .collect();
    let attributes = Attributes::default();
    let completed = now(cipher.complete_upload(&uploader, &cx(), &receipts, &attributes));
    assert_eq!(completed.is_ok(), !attempts.is_empty());
    let Ok(completed) = completed else { return };
    let content = attempts.values().flat_map(|(content, _)| content.clone()).collect::<Vec<_>>();
    let mut stored = StoredObject {
        envelope: completed.envelope,
        bodies: attempts.into_iter().map(|(part, (_, (body, _)))| (part, body)).collect(),
        table: Some(completed.part_table),
    };
    let opener = stored.open(cipher, &cx()).unwrap();
    stored.envelope = now(cipher.rewrap(&opener, &cx())).unwrap();
    judge(cipher, &stored, &content, &ranges);
}

fn judge(cipher: &dyn ObjectCipher, stored: &StoredObject, content: &[u8], ranges: &[AnyRange]) {
    let length = content.len() as u64;
    for range in ranges.iter().take(8).chain([&AnyRange::Whole]) {
        let (range, selected) = range.of(length);
        let read = stored.read(cipher, &cx(), &range);
        match selected {
            Some(selected) => {
                let at = |at| usize::try_from(at).unwrap();
                assert!(read.unwrap() == content[at(selected.start)..at(selected.end)]);
            }
            None => assert_eq!(read, Err(Error::RangeNotSatisfiable { length })),
        }
    }
}
