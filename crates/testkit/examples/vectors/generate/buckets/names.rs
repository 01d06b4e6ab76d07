//! Keys of companions, and keys that are none.

use object_cipher_testkit::vectors::{
    CompanionNameVector, Verdict,
    VerdictStep::{CompanionName, ObjectKey},
};

use super::companion_key;

const ID: [u8; 16] =
    [0, 1, 2, 3, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0xff];

pub(in crate::generate) fn all() -> Vec<CompanionNameVector> {
    [made(), only_read(), other_keys(), refused_keys()].concat()
}

fn of(words: &str, object_key: &str) -> CompanionNameVector {
    CompanionNameVector {
        name: format!("companion of {words}"),
        key: Some(companion_key(object_key, &hex::encode(ID))),
        object_key: Some(object_key.into()),
        object_id: Some(ID.into()),
        only_read: false,
        verdict: Verdict::accept(),
    }
}

fn made() -> Vec<CompanionNameVector> {
    let zeros = CompanionNameVector {
        key: Some(companion_key("k", &"0".repeat(32))),
        ..of("an id of zeros", "k")
    };
    let nearly = format!("cat.{}.object-ciphe", hex::encode(ID));
    vec![
        of("a plain key", "cat.jpg"),
        of("a key of one byte", "k"),
        of("a key with slashes and dots", "a//b/../c."),
        of("a key that is not ASCII", "naïve/猫"),
        of("a key that ends like a companion's", "cat.object-cipher"),
        of("a key that is nearly a companion's", &nearly),
        of("a key of 977 bytes", &"x".repeat(977)),
        of("a key of 977 bytes that are not all characters", &format!("xx{}", "猫".repeat(325))),
        CompanionNameVector { object_id: Some([0; 16].into()), ..zeros },
    ]
}

/// A companion of a companion: a lister hides it, and no writer makes it.
fn only_read() -> Vec<CompanionNameVector> {
    let inner = companion_key("cat.jpg", &hex::encode(ID));
    vec![CompanionNameVector { only_read: true, ..of("a companion", &inner) }]
}

fn other_keys() -> Vec<CompanionNameVector> {
    let id = hex::encode(ID);
    let refuse = |reason: &str, key: String| CompanionNameVector {
        name: format!("no companion: {reason}"),
        key: Some(key),
        object_key: None,
        object_id: None,
        only_read: false,
        verdict: Verdict::reject(CompanionName, reason),
    };
    vec![
        refuse("an empty key", String::new()),
        refuse("a plain key", "cat.jpg".into()),
        refuse("nothing before the digits", companion_key("", &id)),
        refuse("digits without a dot before them", format!("{id}.object-cipher")),
        refuse("no dot before the digits", format!("cat{id}.object-cipher")),
        refuse("another character than the dot", format!("cat-{id}.object-cipher")),
        refuse("no dot behind the digits", format!("cat.{id}object-cipher")),
        refuse("upper-case digits", companion_key("cat", &id.to_uppercase())),
        refuse("one upper-case digit", companion_key("cat", &id.replace("45", "4A"))),
        refuse("31 digits", companion_key("cat", &id[1..])),
        refuse("33 digits", companion_key("cat", &format!("0{id}"))),
        refuse("a sign among the digits", companion_key("cat", &format!("+{}", &id[1..]))),
        refuse("a letter behind f", companion_key("cat", &format!("g{}", &id[1..]))),
        refuse("full-width digits", companion_key("cat", &format!("{}１", &id[1..]))),
        refuse("the end cut", format!("cat.{id}.object-ciphe")),
        refuse("the end in another case", format!("cat.{id}.Object-Cipher")),
        refuse("a slash behind the end", format!("cat.{id}.object-cipher/")),
        refuse("1,025 bytes", companion_key(&"x".repeat(978), &id)),
    ]
}

fn refused_keys() -> Vec<CompanionNameVector> {
    let refuse = |reason: &str, object_key: String| CompanionNameVector {
        name: format!("none may be made: {reason}"),
        key: None,
        object_key: Some(object_key),
        object_id: Some(ID.into()),
        only_read: false,
        verdict: Verdict::reject(ObjectKey, reason),
    };
    let companion = companion_key("cat.jpg", &hex::encode(ID));
    vec![
        refuse("an empty key", String::new()),
        refuse("the key of a companion", companion),
        refuse("a key of 978 bytes", "x".repeat(978)),
        refuse("a key of 978 bytes in 326 characters", "猫".repeat(326)),
        refuse("a key of 1,024 bytes", "x".repeat(1_024)),
    ]
}
