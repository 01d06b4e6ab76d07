//! A range read: only the chunks that cover it are fetched, and only verified bytes come out.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
};

use embedding::{Object, Result, new_keyring};
use object_cipher::{
    AwsLc, Envelope, ObjectCipher, ObjectContext, ReadRange, SseS3, io, resolve_now,
};

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cipher = SseS3::new(new_keyring(folder.path())?, AwsLc);
    let cx = ObjectContext::new("prod", "films", "reel");
    let content: Vec<u8> = (0..1_000_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let object = resolve_now(Object::put(&cipher, &cx, &content)).ok_or("it waits")??;
    let mut body = File::create_new(folder.path().join("body"))?;
    body.write_all(&object.body)?;
    let mut body = File::open(folder.path().join("body"))?;

    // Open once; then plan, fetch, and open as many ranges as the client asks for.
    let envelope = Envelope::from_text(&object.envelope)?;
    let opener = resolve_now(cipher.open(&cx, &envelope)).ok_or("it waits")??;
    for range in [ReadRange::Bytes(100_000..100_100), ReadRange::Last(10), ReadRange::From(999_999)]
    {
        let plan = opener.plan(&range)?;
        let segment = plan.body().ok_or("it has one body")?;
        let fetch = segment.fetch();
        body.seek(SeekFrom::Start(fetch.start))?;
        let mut out = Vec::new();
        let mut fetched = (&mut body).take(fetch.end - fetch.start);
        io::open_segment(&opener, segment, &mut fetched, &mut out)?;

        let wanted = usize::try_from(plan.range().start)?..usize::try_from(plan.range().end)?;
        assert_eq!(out, content[wanted]);
        println!("{} bytes out of {} fetched", out.len(), fetch.end - fetch.start);
    }

    // Or as a reader that seeks over the plaintext.
    let mut reader = io::ObjectReader::new(&opener, body)?;
    reader.seek(SeekFrom::Start(500_000))?;
    let mut four = [0; 4];
    reader.read_exact(&mut four)?;
    assert_eq!(four, content[500_000..500_004]);
    println!("read at 500000 of {}", reader.plaintext_len());

    let refused = opener.plan(&ReadRange::From(1_000_000)).is_err();
    println!("behind the end is refused: {refused}");
    Ok(())
}
