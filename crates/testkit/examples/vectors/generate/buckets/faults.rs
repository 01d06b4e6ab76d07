//! Objects that must not open, with one fault each.

use object_cipher_testkit::vectors::{
    BucketObjectVector, HeldKeys,
    VerdictStep::{
        self, Body, Companion, Envelope, Info, KeyWrap, Metadata, Mode, ObjectKey, PartTable,
        Place, State,
    },
};

use super::{
    CLIENT, InBucket, OTHER_KEY, RawCompanion, companion_key, identity_of,
    objects::{check_value, in_keyring},
    parts_of, small_parts, small_piece,
};
use crate::generate::{
    envelope::RawEnvelope,
    kinds::{CLIENT_KMS, SSE_C},
    message::shorten,
    objects::{many_parts, multipart},
    samples::{Sample, unversioned},
    uploads,
};

pub(super) fn all() -> Vec<BucketObjectVector> {
    [places(), contents(), keys(), versions(), heads(), companions(), tables()].concat()
}

/// Metadata and keys that lead elsewhere.
fn places() -> Vec<BucketObjectVector> {
    let moved = |mut object: InBucket, key: &str, step, reason: &str| {
        object.key = key.into();
        object.sample.vector.identity = identity_of(key);
        object.refuse(step, reason)
    };
    let bare = |object: &InBucket, reason: &str| BucketObjectVector {
        metadata: vec![("team".into(), "red".into())],
        ..object.refuse(Metadata, reason)
    };
    let companion = companion_key("copy", &small_parts().object_id());
    let mut missing = small_parts().refuse(Companion, "the companion is missing");
    missing.companions.clear();
    let mut elsewhere = small_parts().refuse(Companion, "the companion of a copy's key only");
    let stored = elsewhere.companions.pop_first().unwrap().1;
    elsewhere.companions.insert(companion.clone(), stored);
    let mut upper = small_parts().refuse(Metadata, "the object id in upper case");
    upper.metadata[0].1 = upper.metadata[0].1.to_uppercase();
    let long = "k".repeat(978);
    let too_long = InBucket::held(&parts_of("bucket, parts under a long key", &identity_of(&long)));
    vec![
        bare(&small_piece(), "no pair of the format"),
        bare(&small_parts(), "no pair of the format, though a companion is there"),
        moved(small_piece(), "copy", KeyWrap, "copied to another key"),
        moved(small_parts(), "copy", KeyWrap, "copied to another key, and the companion too"),
        moved(small_piece(), &companion, ObjectKey, "the key of a companion"),
        too_long.refuse(ObjectKey, "a key of 978 bytes"),
        missing,
        elsewhere,
        upper,
    ]
}

/// Contents that are not the sealed ones.
fn contents() -> Vec<BucketObjectVector> {
    let other = |object: &InBucket, reason: &str, edit: &dyn Fn(&mut Vec<u8>)| {
        let mut vector = object.refuse(Body, reason);
        edit(&mut vector.content.0);
        vector
    };
    let (piece, parts) = (&small_piece(), &small_parts());
    let mut vectors = Vec::new();
    for object in [piece, parts] {
        vectors.extend([
            other(object, "one zero byte behind the content", &|content| content.push(0)),
            other(object, "the content's last byte missing", &shorten),
            other(object, "the content empty", &Vec::clear),
            other(object, "the content's last bit flipped", &|content| {
                *content.last_mut().unwrap() ^= 1;
            }),
            other(object, "the content's first bit flipped", &|content| content[0] ^= 0x80),
        ]);
    }
    // Parts of 6, no and 6 bytes: 78, 72 and 78 stored.
    vectors.extend([
        other(parts, "the first and the last part swapped", &|content| {
            let (first, rest) = content.split_at_mut(78);
            first.swap_with_slice(&mut rest[72..]);
        }),
        other(parts, "the empty part missing", &|content| drop(content.drain(78..150))),
        other(parts, "one byte between the parts", &|content| content.insert(78, 0)),
        other(parts, "the last part twice", &|content| content.extend_from_within(150..)),
    ]);
    vectors
}

/// Keys that the program holds.
fn keys() -> Vec<BucketObjectVector> {
    let source_key = small_piece().sample.secrets.source_keys[0].clone();
    let held = |reason: &str, name: &str| {
        let keys = HeldKeys::Program([(name.into(), source_key.clone())].into());
        InBucket { keys, ..small_piece() }.refuse(KeyWrap, reason)
    };
    let mut other_key = small_piece();
    other_key.keys = HeldKeys::Program([("laptop".into(), OTHER_KEY.into())].into());
    let mut renamed = small_piece();
    renamed.sample.raw.layers[0].key_ref = b"desktop".to_vec();
    renamed.keys = HeldKeys::Program([("desktop".into(), source_key.clone())].into());
    let mut blob = small_piece();
    blob.sample.raw.layers[0].blob = vec![0];
    let under_kms = kms().with_keys(small_piece().keys);
    vec![
        held("the key has another name", "desktop"),
        held("the key's name in another case", "Laptop"),
        other_key.refuse(KeyWrap, "another key of the name"),
        renamed.refuse(KeyWrap, "the key's name changed in the Envelope"),
        blob.refuse(KeyWrap, "an ek_blob with a key that the program holds"),
        under_kms.refuse(KeyWrap, "wrapped by a KMS, given to a reader of held keys"),
        small_piece()
            .with_keys(HeldKeys::Kms(source_key.clone()))
            .refuse(KeyWrap, "a key that a program holds, given to a reader of a KMS"),
        in_keyring(3, small_piece())
            .with_keys(HeldKeys::Program([("main.2/3".into(), source_key)].into()))
            .refuse(KeyWrap, "a keyring's version, given to a reader of held keys"),
    ]
}

fn kms() -> InBucket {
    InBucket::kms(super::one_piece(CLIENT_KMS, "bucket, a piece under a KMS", b"content"))
}

/// Versions of a keyring.
fn versions() -> Vec<BucketObjectVector> {
    let source_key = small_piece().sample.secrets.source_keys[0].clone();
    let keyring = |id: &str, version: u32| HeldKeys::Keyring {
        id: id.into(),
        versions: [(version, source_key.clone()), (2, OTHER_KEY.into())].into(),
    };
    let named = |reason: &str, key_ref: &str| {
        let mut object = in_keyring(3, small_piece());
        object.sample = object.sample.rewrapped(|raw| raw.layers[0].key_ref = key_ref.into());
        object.refuse(KeyWrap, reason)
    };
    let checked = |reason: &str, check: Vec<u8>| {
        let mut object = in_keyring(3, small_piece());
        object.sample.raw.layers[0].blob = check;
        object.refuse(KeyWrap, reason)
    };
    let check = check_value(&source_key);
    let given = |reason: &str, keys: HeldKeys| {
        in_keyring(3, small_piece()).with_keys(keys).refuse(KeyWrap, reason)
    };
    vec![
        named("a version with a leading zero", "main.2/03"),
        named("a version with a sign", "main.2/+3"),
        named("version 0", "main.2/0"),
        named("version 4,294,967,299", "main.2/4294967299"),
        named("a version that is not ASCII", "main.2/३"),
        named("no version", "main.2/"),
        named("no slash", "main.2"),
        named("two slashes", "main.2//3"),
        named("no keyring id", "/3"),
        named("a space behind the version", "main.2/3 "),
        checked("no check value", Vec::new()),
        checked("a check value of 7 bytes", check[..7].to_vec()),
        checked("a check value of 9 bytes", [&check[..], &[0]].concat()),
        checked("another check value", check_value(&OTHER_KEY)),
        given("another keyring", keyring("main", 3)),
        given("the keyring has not the version", keyring("main.2", 4)),
        small_piece()
            .with_keys(keyring("main.2", 3))
            .refuse(KeyWrap, "a key that a program holds, given to a reader of a keyring"),
    ]
}

/// A companion's fixed head.
fn heads() -> Vec<BucketObjectVector> {
    let set = |at: usize, value: u8, reason: &str| {
        small_parts()
            .with_companion(|companion| companion.head[at] = value)
            .refuse(Companion, reason)
    };
    let length = |step, reason: &str, length: &dyn Fn(u32) -> u32| {
        let right = u32::try_from(small_parts().sample.raw.to_bytes().len()).unwrap();
        let object = small_parts().with_companion(|raw| raw.length = Some(length(right)));
        object.refuse(step, &format!("the length of the Envelope {reason}"))
    };
    let cut = |at: usize| {
        let mut vector = small_parts().refuse(Companion, &format!("the companion has {at} bytes"));
        vector.companions.values_mut().for_each(|companion| companion.0.truncate(at));
        vector
    };
    let mut vectors = vec![
        set(0, 0x88, "magic byte 0 is 0x88"),
        set(1, b's', "magic byte 1 is 0x73"),
        set(2, b'4', "magic byte 2 is 0x34"),
        set(3, b'E', "magic byte 3 is an Envelope's"),
        set(4, 0, "version 0"),
        set(4, 2, "version 2"),
        length(Envelope, "is 0", &|_| 0),
        length(Envelope, "one less", &|right| right - 1),
        length(Envelope, "one more", &|right| right + 1),
        length(Companion, "is 4,294,967,295", &|_| u32::MAX),
        length(Companion, "is 16,384, more than there is", &|_| 16_384),
    ];
    vectors.extend([0, 3, 4, 5, 8, 9].map(cut));
    vectors
}

/// Envelopes that do not stand in this companion.
fn companions() -> Vec<BucketObjectVector> {
    let edited = |step: VerdictStep, reason: &str, edit: &dyn Fn(&mut InBucket)| {
        let mut object = small_parts();
        edit(&mut object);
        object.refuse(step, reason)
    };
    // Whose object id is the one in the metadata.
    let holding = |step, reason: &str, envelope: RawEnvelope| {
        edited(step, reason, &|object| {
            let id = object.sample.raw.object_id().to_vec();
            object.sample.raw = envelope.clone();
            object.sample.raw.head[12..].copy_from_slice(&id);
        })
    };
    let foreign = InBucket::held(&parts_of("bucket, another upload", &unversioned()));
    let mut swapped = small_parts().refuse(Companion, "the companion of another upload");
    let other = foreign.accept("").companions.pop_first().unwrap().1;
    swapped.companions.values_mut().for_each(|stored| *stored = other.clone());
    let mut renamed = small_parts().refuse(Companion, "the object id changed in metadata and key");
    let id = foreign.object_id();
    let stored = renamed.companions.pop_first().unwrap().1;
    renamed.companions.insert(companion_key(&renamed.key, &id), stored);
    renamed.metadata[0].1 = id;
    vec![
        holding(Place, "the Envelope of an object in one piece", small_piece().sample.raw),
        holding(Mode, "the Envelope of another mode", multipart(SSE_C).raw),
        holding(State, "the Envelope of an upload", uploads::two_parts(CLIENT).raw),
        edited(Envelope, "an Envelope of version 2", &|object| object.sample.raw.head[4] = 2),
        edited(Envelope, "one zero byte behind the Envelope", &|object| {
            object.sample.raw.tail.push(0);
        }),
        edited(KeyWrap, "a bit of the wrapped key flipped", &|object| {
            object.sample.raw.layers[0].wrapped[103] ^= 1;
        }),
        edited(KeyWrap, "a bit of the info message flipped", &|object| {
            object.sample.raw.info[60] ^= 1;
        }),
        edited(Info, "an info message of nothing, wrapped anew", &|object| {
            object.sample = object.sample.with_info(&[]);
        }),
        edited(KeyWrap, "the object id changed everywhere", &|object| {
            object.sample.raw.head[12] ^= 1;
        }),
        swapped,
        renamed,
    ]
}

/// Part tables that are not the sealed ones.
fn tables() -> Vec<BucketObjectVector> {
    let of = |object: InBucket, reason: &str, edit: &dyn Fn(&mut Vec<u8>)| {
        object.with_companion(|companion| edit(&mut companion.table)).refuse(PartTable, reason)
    };
    let with = |reason: &str, edit: &dyn Fn(&mut Vec<u8>)| of(small_parts(), reason, edit);
    let two_pages =
        || InBucket { name: "bucket, 257 parts".into(), ..InBucket::held(&many_parts(CLIENT)) };
    vec![
        with("no table", &Vec::clear),
        with("the table cut within the count", &|table| table.truncate(3)),
        with("the table cut behind the index", &|table| table.truncate(48)),
        with("the table's last byte missing", &shorten),
        with("one zero byte behind the table", &|table| table.push(0)),
        with("the table twice", &|table| table.extend_from_within(..)),
        with("the count 0", &|table| table[3] = 0),
        with("the count one less", &|table| table[3] = 2),
        with("the count 10,001", &|table| table[2..4].copy_from_slice(&[0x27, 0x11])),
        with("the count 2^31", &|table| table[0] = 0x80),
        with("the first part in the index changed", &|table| table[7] ^= 2),
        with("the sum in the index changed", &|table| table[15] ^= 1),
        with("the page digest in the index changed", &|table| table[16] ^= 0x80),
        with("a part number in the page changed", &|table| table[48 + 68 + 3] ^= 1),
        with("a byte of part 1 counted to part 5", &|table| {
            table[48 + 11] -= 1;
            table[48 + 2 * 68 + 11] += 1;
        }),
        with("a bit of a part's headers flipped", &|table| table[48 + 12] ^= 1),
        of(two_pages(), "the pages swapped", &|table| {
            let second = table.split_off(92 + 256 * 68);
            table.splice(92..92, second);
        }),
        of(two_pages(), "the second page missing", &|table| table.truncate(92 + 256 * 68)),
        of(InBucket::held(&with_other_table()), "the table of another object", &|_| ()),
    ]
}

/// The sample with the table of another object of as many parts.
fn with_other_table() -> Sample {
    let mut sample = parts_of("bucket, three parts of another table", &unversioned());
    let other = parts_of("bucket, a table of another object", &unversioned());
    sample.vector.part_index = other.vector.part_index;
    sample.vector.part_pages = other.vector.part_pages;
    sample
}

impl InBucket {
    fn with_keys(self, keys: HeldKeys) -> Self {
        Self { keys, ..self }
    }

    fn with_companion(mut self, edit: impl FnOnce(&mut RawCompanion)) -> Self {
        edit(self.companion.as_mut().unwrap());
        self
    }
}
