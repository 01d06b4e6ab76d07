//! A multipart upload across two processes: the program starts itself a second time, and each of the
//! two seals a part. All that they share is a folder: the keyring, and the Envelope of the upload.

use std::{env, fs, path::Path, process::Command, sync::Arc};

use embedding::{Result, new_keyring};
use object_cipher::{
    Attributes, AwsLc, Completion, ETag, Envelope, ObjectCipher, ObjectContext, PartReceipt,
    ReadRange, SseS3, StoredPart, Uploader, io,
    keyring::{KeyringFile, Unlock},
    resolve_now,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [folder] => part(Path::new(folder), 2, b" and of a dog"),
        _ => upload(tempfile::tempdir()?.path()),
    }
}

/// The first process: creates the upload, seals part 1, completes, reads.
fn upload(folder: &Path) -> Result<()> {
    let cipher = SseS3::new(new_keyring(folder)?, AwsLc);
    let cx = ObjectContext::new("prod", "films", "reel").with_upload_id("upload-1");
    let created = cipher.create_upload(&cx, Completion::WithKey);
    let upload = resolve_now(created).ok_or("it waits")??;
    fs::write(folder.join("upload"), upload.envelope().to_text())?;

    let mut other = Command::new(env::current_exe()?).arg(folder).spawn()?;
    part(folder, 1, b"a film of a cat")?;
    if !other.wait()?.success() {
        return Err("the second process failed".into());
    }

    // Complete: each receipt is compared with its body; the part table first, the Envelope last.
    let parts = [receipt(folder, &upload, 1)?, receipt(folder, &upload, 2)?];
    let attributes = Attributes::default();
    let completed = cipher.complete_upload(&upload, &cx, &parts, &attributes);
    let completed = resolve_now(completed).ok_or("it waits")??;
    fs::remove_file(folder.join("upload"))?;

    // Read a range that lies in both parts.
    let table = &completed.part_table;
    let cx = ObjectContext::new("prod", "films", "reel").with_part_index(table.index());
    let opener = resolve_now(cipher.open(&cx, &completed.envelope)).ok_or("it waits")??;
    let plan = opener.plan(&ReadRange::Bytes(10..28))?;
    let mut out = Vec::new();
    for segment in opener.segments(&plan, Some(table))? {
        let body = fs::read(folder.join(format!("part-{}", segment.part())))?;
        let fetch = segment.fetch();
        let fetched = &body[usize::try_from(fetch.start)?..usize::try_from(fetch.end)?];
        io::open_segment(&opener, &segment, &mut &*fetched, &mut out)?;
    }
    let parts = opener.part_count().unwrap_or_default();
    println!("{} bytes in {parts} parts", opener.plaintext_len());
    println!("bytes 10 to 27: {}", String::from_utf8(out)?);
    Ok(())
}

/// Either process: takes the upload up by its Envelope, and seals a part.
fn part(folder: &Path, number: u32, content: &[u8]) -> Result<()> {
    let unlock = Unlock::key_file(folder.join("store.key"))?;
    let keyring = KeyringFile::open(folder.join("store.keyring"), &unlock, AwsLc)?;
    let cipher = SseS3::new(Arc::new(keyring), AwsLc);
    let cx = ObjectContext::new("prod", "films", "reel").with_upload_id("upload-1");
    let envelope = Envelope::from_text(&fs::read_to_string(folder.join("upload"))?)?;
    let upload = resolve_now(cipher.resume_upload(&cx, &envelope)).ok_or("it waits")??;

    let mut body = Vec::new();
    let stream = upload.part(number)?.into_stream();
    let stream = io::seal_all(stream, &mut &*content, &mut body)?;
    let receipt = stream.finish(etag(number), &[])?;
    // A real host stores the two as one unit, under a name of this attempt.
    fs::write(folder.join(format!("part-{number}")), body)?;
    fs::write(folder.join(format!("receipt-{number}")), receipt)?;
    Ok(())
}

/// The receipt of a part, opened and compared with the body.
fn receipt(folder: &Path, upload: &Uploader, number: u32) -> Result<PartReceipt> {
    let body = fs::read(folder.join(format!("part-{number}")))?;
    let receipt = fs::read(folder.join(format!("receipt-{number}")))?;
    Ok(upload.open_receipt(&StoredPart {
        part: number,
        receipt: &receipt,
        body_headers: &body[..upload.layout().header_len()],
        body_len: u64::try_from(body.len())?,
        etag: Some(etag(number)),
        checksum: None,
    })?)
}

/// What the client was told of a part. A real host takes the MD5 or random bytes.
fn etag(number: u32) -> ETag {
    ETag([number.to_be_bytes()[3]; 16])
}
