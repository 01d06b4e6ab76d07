//! Uploads: resumed, their receipts opened, completed in memory and read back.

use object_cipher_core::{
    Attributes, ETag, Envelope, KeylessReceipts, PartReceipt, ReadRange, Result, StoredPart,
    Uploader,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{
    StoredObject, now,
    vectors::{GivenKeys, PartChecksum, PartVector, UploadState, UploadVector},
};

use crate::{
    FROZEN,
    objects::{BACKENDS, Backends, cipher},
    verdicts::judge,
};

#[test]
fn every_upload_goes_on_or_is_refused_on_both_backends() {
    for vector in &FROZEN.uploads.vectors {
        for backends in BACKENDS {
            let read = read(vector, backends);
            let Some((receipts, contents)) = judge(&vector.name, &vector.verdict, read) else {
                continue;
            };
            for ((part, receipt), content) in vector.parts.iter().zip(&receipts).zip(&contents) {
                check(&vector.name, part, receipt, content);
            }
        }
    }
}

fn check(name: &str, part: &PartVector, receipt: &PartReceipt, content: &[u8]) {
    assert!(part.plaintext.as_ref().unwrap().is(&RustCrypto, content), "{name}: content");
    assert_eq!(receipt.plaintext_len(), content.len() as u64, "{name}: length");
    assert_eq!(receipt.etag().0, **part.etag.as_ref().unwrap(), "{name}: ETag");
    let checksums: Vec<_> = receipt.checksums().iter().map(Into::into).collect();
    assert_eq!(part.checksums, checksums, "{name}: checksums");
}

/// The receipts, and the content of each part.
fn read(vector: &UploadVector, backends: Backends) -> Result<(Vec<PartReceipt>, Vec<Vec<u8>>)> {
    let envelope = Envelope::from_text(&vector.envelope)?;
    let context = vector.identity.encryption_context()?;
    let cx = vector.identity.object_context(&context);
    let keys = GivenKeys::new(&vector.source_keys);
    let cipher = cipher(vector.mode, keys, backends);
    let uploader = match vector.state {
        UploadState::InProgress => now(cipher.resume_upload(&cx, &envelope))?,
        UploadState::CompletedWithoutKey => now(cipher.resume_keyless_upload(&cx, &envelope))?,
    };
    let receipts = receipts(vector)?
        .iter()
        .zip(&vector.parts)
        .map(|((number, receipt), part)| open_receipt(&uploader, *number, receipt, part))
        .collect::<Result<Vec<_>>>()?;
    let completed = now(cipher.complete_upload(&uploader, &cx, &receipts, &Attributes::default()))?;
    let bodies = vector.parts.iter().map(|part| (part.part, part.body.0.clone())).collect();
    let table = Some(completed.part_table);
    let object = StoredObject { envelope: completed.envelope, bodies, table };
    let content = object.read(&*cipher, &cx, &ReadRange::Whole)?;
    let contents = split(&content, &receipts);
    Ok((receipts, contents))
}

/// The sealed receipts by part number: each beside its part, or all of them kept.
fn receipts(vector: &UploadVector) -> Result<Vec<(u32, Vec<u8>)>> {
    if let Some(kept) = &vector.kept_receipts {
        let kept = KeylessReceipts::parse(kept)?;
        return Ok(kept.iter().map(|(part, receipt)| (part, receipt.to_vec())).collect());
    }
    let receipt = |part: &PartVector| (part.part, part.receipt.clone().unwrap().0);
    Ok(vector.parts.iter().map(receipt).collect())
}

fn open_receipt(
    uploader: &Uploader,
    number: u32,
    receipt: &[u8],
    part: &PartVector,
) -> Result<PartReceipt> {
    let etag = part.named_etag.as_ref().map(|etag| ETag(etag.0.as_slice().try_into().unwrap()));
    let checksum = part.named_checksum.as_ref().map(PartChecksum::checksum).transpose()?;
    let stored = StoredObject::stored_part(uploader, number, receipt, &part.body);
    uploader.open_receipt(&StoredPart { etag, checksum, ..stored })
}

/// The content of each part, in order.
fn split(mut content: &[u8], receipts: &[PartReceipt]) -> Vec<Vec<u8>> {
    let part = |receipt: &PartReceipt| {
        let (part, rest) = content.split_at(usize::try_from(receipt.plaintext_len()).unwrap());
        content = rest;
        part.to_vec()
    };
    receipts.iter().map(part).collect()
}
