//! What a bucket keeps beside a body of our own format (`SPEC.md`, appendix D): pairs of metadata and
//! companions, as they come and forged behind a backend without security.

use arbitrary::{Arbitrary, Unstructured};
use object_cipher_client::{
    Companion, CompanionName, MAX_COMPANION_LEN, OwnFormatError, StoredEnvelope,
};
use object_cipher_core::{
    Attributes, CompletedUpload, EkSource, Envelope, LayeredCipher, Mode, ObjectCipher, ObjectId,
    Opener, PartTable, State, StoredParts, Suite,
};
use object_cipher_testkit::{
    NoSecurity, StoredObject, TestKeys, fuzzing::plans::AnyRange, now, upload_cx,
};

use crate::text;

const PREFIX: &str = "x-amz-meta-";
/// The longest content of a body.
const MAX_BODY: u64 = (1 << 46) - 1;

/// An object in parts as it should be, but for its faults.
#[derive(Arbitrary, Debug)]
struct Forged {
    parts: Vec<Part>,
    /// How many there are, if more: the same again and again.
    count: u16,
    range: AnyRange,
    faults: Vec<Fault>,
}

#[derive(Arbitrary, Debug)]
struct Part {
    gap: u8,
    length: Length,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Length {
    Short(u16),
    /// Up to one more than a body's longest.
    Long(u64),
    Any(u64),
}

#[derive(Arbitrary, Debug)]
enum Fault {
    Alter(u32, u8),
    Cut(u32),
    Tail(u8),
}

/// Reads any bytes as a companion, a text as metadata (the object's key, then a line `name: value` a
/// pair), or a forged companion, as the first byte says.
pub fn companion(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind {
        0 => drop(stored(rest)),
        1 => metadata(rest),
        _ => {
            if let Ok(forged) = Unstructured::new(rest).arbitrary::<Forged>() {
                forged.check();
            }
        }
    }
}

fn name(object: ObjectId) -> CompanionName {
    CompanionName::new("dir/key", object).unwrap()
}

/// A companion has one form, under the name of its object.
fn stored(bytes: &[u8]) -> Option<Companion> {
    let object = envelope_in(bytes).map_or(ObjectId::from_bytes([0; 16]), |it| it.object_id());
    let name = name(object);
    let companion = Companion::parse(&name, bytes).ok()?;
    assert_eq!(companion.to_bytes(), bytes, "one form");
    assert!(bytes.len() <= MAX_COMPANION_LEN);
    let one_less = Companion::parse(&name, &bytes[..bytes.len() - 1]);
    let one_more = Companion::parse(&name, &[bytes, &[0]].concat());
    assert!(one_less.is_err() && one_more.is_err(), "one end");
    let (envelope, part_table) = (companion.envelope().clone(), companion.part_table().clone());
    assert_eq!((envelope.mode(), envelope.state()), (Mode::Client, State::Finished));
    assert!(envelope.is_multipart());
    let another = ObjectId::from_bytes(object.as_bytes().map(|byte| !byte));
    let foreign = Companion::parse(&self::name(another), bytes);
    assert_eq!(foreign, Err(OwnFormatError::Foreign { object: another, found: object }));
    // The sums in the index alone.
    let sums = part_table.index()[4..].chunks(44).map(|page| page[4..12].try_into().unwrap());
    let total: Option<u64> = sums.map(u64::from_be_bytes).try_fold(0, u64::checked_add);
    assert_eq!(companion.plaintext_len().ok(), total);
    assert!(StoredEnvelope::in_metadata("dir/key", envelope.clone()).is_err());
    assert_eq!(Companion::new(CompletedUpload { envelope, part_table }).as_ref(), Ok(&companion));
    Some(companion)
}

fn envelope_in(bytes: &[u8]) -> Option<Envelope> {
    let length = u32::from_be_bytes(bytes.get(5..9)?.try_into().ok()?);
    Envelope::parse(bytes[9..].get(..usize::try_from(length).ok()?)?).ok()
}

fn metadata(text: &[u8]) {
    let at = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let Ok(key) = std::str::from_utf8(&text[..at]) else { return };
    let pairs = text::pairs(&text[at..]);
    let found = StoredEnvelope::parse(key, pairs.iter().copied());
    let reversed = StoredEnvelope::parse(key, pairs.iter().rev().copied());
    assert_eq!(found.as_ref().ok(), reversed.as_ref().ok(), "the order does not matter");
    let ours = pairs.iter().filter(|(name, _)| StoredEnvelope::is_pair_name(name)).count();
    let Ok(found) = found else {
        assert!(ours > 0);
        return;
    };
    assert_eq!(ours, usize::from(found.is_some()), "one of ours, or none");
    let Some(found) = found else { return };
    let (name, value) = found.pair();
    let given = pairs.iter().find(|(name, _)| StoredEnvelope::is_pair_name(name));
    assert_eq!(given.map(|(_, value)| *value), Some(&*value), "one form");
    let spelled = format!("{PREFIX}{name}").to_ascii_uppercase();
    for name in [name, &spelled] {
        let again = StoredEnvelope::parse(key, [("other", "pair"), (name, &value)]);
        assert_eq!(again.as_ref(), Ok(&Some(found.clone())));
    }
    let twice = StoredEnvelope::parse(key, [(name, &value), (&spelled, &value)]);
    assert_eq!(twice, Err(OwnFormatError::RepeatedPair(name)));
    for other in [value.to_ascii_uppercase(), format!("{value} "), format!("0{value}")] {
        let read = StoredEnvelope::parse(key, [(name, &other)]);
        assert!(other == value || read != Ok(Some(found.clone())), "one form");
    }
    for length in [0, 71, 72, u64::MAX] {
        let _ = found.plaintext_len(length);
    }
    match &found {
        StoredEnvelope::Companion(name) => {
            assert_eq!((name.object_key(), name.object_id().to_string()), (key, value));
            assert_eq!(CompanionName::parse(name.as_str()).as_ref(), Some(name));
            let hidden = StoredEnvelope::parse(name.as_str(), [(found.pair())]);
            assert_eq!(hidden, Err(OwnFormatError::ReservedKey));
        }
        StoredEnvelope::Metadata(envelope) => {
            assert!(!envelope.is_multipart());
            match StoredEnvelope::in_metadata(key, (**envelope).clone()) {
                Ok(written) => assert_eq!(written, found),
                Err(error) => {
                    assert_eq!(error, OwnFormatError::MetadataTooLong);
                    assert!(name.len() + value.len() > 2_048);
                }
            }
        }
    }
}

impl Forged {
    /// Accepted if and only if every rule is kept, and then every part lies where the ones before it
    /// end.
    fn check(&self) {
        let entries = self.entries();
        if entries.is_empty() {
            return;
        }
        let table = table(&entries);
        let attributes = Attributes::default();
        let sealed = StoredObject::upload(&cipher(), &upload_cx(), &[(1, b"part")], &attributes);
        let completed = CompletedUpload {
            envelope: with_info(&sealed.unwrap().envelope, &table),
            part_table: table,
        };
        let mut bytes = Companion::new(completed).unwrap().to_bytes();
        for fault in &self.faults {
            fault.commit(&mut bytes);
        }
        let companion = stored(&bytes);
        let Some(companion) = companion else {
            assert!(!self.faults.is_empty());
            return;
        };
        let cx = upload_cx().with_part_index(companion.part_table().index());
        let opened = now(cipher().open(&cx, companion.envelope())).ok();
        let verified = opened.and_then(|opener| Some((companion.parts(&opener).ok()?, opener)));
        if !self.faults.is_empty() {
            return;
        }
        assert_eq!(verified.is_some(), are_valid(&entries));
        let Some((parts, opener)) = verified else { return };
        self.check_places(&entries, &parts, &opener);
    }

    fn check_places(&self, entries: &[(u32, u64)], parts: &StoredParts, opener: &Opener) {
        let bodies = entries.iter().map(|(_, length)| body_len(*length));
        assert_eq!(parts.stored_len(), bodies.sum::<u64>());
        let length = opener.plaintext_len();
        let (range, selected) = self.range.near(length.saturating_add(9)).of(length);
        let plan = opener.plan(&range);
        assert_eq!(plan.is_ok(), selected.is_some());
        let (Ok(plan), Some(selected)) = (plan, selected) else { return };
        let mut given = 0;
        for fetch in parts.fetches(&plan).unwrap() {
            let at = entries.iter().position(|(part, _)| *part == fetch.segment.part()).unwrap();
            let start: u64 = entries[..at].iter().map(|(_, length)| body_len(*length)).sum();
            let within = fetch.segment.fetch();
            assert_eq!(fetch.bytes, start + within.start..start + within.end);
            assert!(within.end <= body_len(entries[at].1));
            given += fetch.segment.plaintext().end - fetch.segment.plaintext().start;
        }
        assert_eq!(given, selected.end - selected.start);
    }

    /// Number and length of each part.
    fn entries(&self) -> Vec<(u32, u64)> {
        let count = self.parts.len().max(usize::from(self.count) % 600);
        let mut number = 0;
        let parts = self.parts.iter().cycle().take(count).map(|part| {
            number += u32::from(part.gap) % 32;
            (number, part.length.bytes())
        });
        parts.collect()
    }
}

impl Length {
    fn bytes(self) -> u64 {
        match self {
            Self::Short(length) => length.into(),
            Self::Long(length) => length % (MAX_BODY + 2),
            Self::Any(length) => length,
        }
    }
}

impl Fault {
    fn commit(&self, bytes: &mut Vec<u8>) {
        let place = |at: u32, bytes: &[u8]| at as usize % bytes.len().max(1);
        match *self {
            Self::Alter(at, change) => {
                let at = place(at, bytes);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= change;
                }
            }
            Self::Cut(at) => bytes.truncate(place(at, bytes)),
            Self::Tail(byte) => bytes.push(byte),
        }
    }
}

/// Every key is right and every tag is good.
fn cipher() -> impl ObjectCipher {
    LayeredCipher::client(TestKeys::new(EkSource::Client, [1; 32]), NoSecurity::<false>)
}

/// Section 13: an index, and pages of 256 parts. Without security a hash is zero.
fn table(entries: &[(u32, u64)]) -> PartTable {
    let mut index = u32::try_from(entries.len()).unwrap().to_be_bytes().to_vec();
    let mut pages = Vec::new();
    for page in entries.chunks(256) {
        let sum = page.iter().fold(0_u64, |sum, (_, length)| sum.wrapping_add(*length));
        index.extend([&page[0].0.to_be_bytes()[..], &sum.to_be_bytes(), &[0; 32]].concat());
        for (part, length) in page {
            pages.extend([&part.to_be_bytes()[..], &length.to_be_bytes(), &[0; 56]].concat());
        }
    }
    PartTable::parse(Suite::OneLayer, &[index, pages].concat()).unwrap()
}

/// The Envelope with the info of another table: length, number of parts, digest.
fn with_info(envelope: &Envelope, table: &PartTable) -> Envelope {
    let sums = table.index()[4..].chunks(44).map(|page| page[4..12].try_into().unwrap());
    let total = sums.map(u64::from_be_bytes).fold(0, u64::wrapping_add).to_be_bytes();
    let count = &table.index()[..4];
    let info = [&[1, 0, 8], &total[..], &[2, 0, 4], count, &[3, 0, 32], &[0; 32]].concat();
    let message = [&[0; 56][..], &info, &[0; 16]].concat();
    let kept = envelope.as_bytes().len() - message.len();
    Envelope::parse(&[&envelope.as_bytes()[..kept], &message].concat()).unwrap()
}

/// The rules that are about all parts.
fn are_valid(entries: &[(u32, u64)]) -> bool {
    let total = entries.iter().try_fold(0_u64, |sum, (_, length)| sum.checked_add(*length));
    entries.windows(2).all(|pair| pair[0].0 < pair[1].0)
        && entries[0].0 > 0
        && entries[entries.len() - 1].0 <= 10_000
        && entries.iter().all(|(_, length)| *length <= MAX_BODY)
        && total.is_some()
}

/// Section 19.1: headers, and chunks of 16,384 bytes with a tag each, the last not full.
fn body_len(length: u64) -> u64 {
    56 + length + (length / 16_384 + 1) * 16
}
