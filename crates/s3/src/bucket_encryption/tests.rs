//! Section 4 of the notes on S3's behaviour, and 7 where it says so.

use http::StatusCode;
use proptest::prelude::*;

use super::*;

const SSE_S3: DefaultEncryption = DefaultEncryption::SseS3 { bucket_key: false };
const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn xml(rules: &str) -> String {
    format!(
        "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</ServerSideEncryptionConfiguration>"
    )
}

fn from_rule(rule: &str) -> Result<BucketEncryption> {
    BucketEncryption::from_xml(xml(&format!("<Rule>{rule}</Rule>")).as_bytes())
}

fn apply(inner: &str) -> String {
    format!("<ApplyServerSideEncryptionByDefault>{inner}</ApplyServerSideEncryptionByDefault>")
}

fn algorithm(name: &str) -> String {
    apply(&format!("<SSEAlgorithm>{name}</SSEAlgorithm>"))
}

fn with_key(algorithm: &str, key: &str) -> String {
    apply(&format!(
        "<SSEAlgorithm>{algorithm}</SSEAlgorithm><KMSMasterKeyID>{key}</KMSMasterKeyID>"
    ))
}

fn sse_kms(key: Option<&str>, bucket_key: bool) -> DefaultEncryption {
    DefaultEncryption::SseKms { key: key.map(str::to_owned), bucket_key }
}

#[test]
fn the_configuration_of_the_sdks_is_one_in_xml_and_json() {
    let body = "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>
  <ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>arn:aws:kms:us-east-1:111122223333:key/abc</KMSMasterKeyID></ApplyServerSideEncryptionByDefault>
  <BucketKeyEnabled>true</BucketKeyEnabled>
  <BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>
</Rule></ServerSideEncryptionConfiguration>";
    let text = r#"{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"arn:aws:kms:us-east-1:111122223333:key/abc"},"BucketKeyEnabled":true,"BlockedEncryptionTypes":{"EncryptionType":["SSE-C"]}}]}"#;
    let parsed = BucketEncryption::from_xml(body.as_bytes()).unwrap();
    assert_eq!(parsed, BucketEncryption::from_json(text).unwrap());
    assert_eq!(parsed.to_json(), text);
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let written = parsed.to_xml();
    assert_eq!(
        written.strip_prefix(declaration).unwrap(),
        body.replace("\n  ", "").replace('\n', "")
    );
}

#[test]
fn every_member_of_a_rule_may_be_absent() {
    let kms = algorithm("aws:kms");
    let enabled = "<BucketKeyEnabled>true</BucketKeyEnabled>";
    let disabled = "<BucketKeyEnabled>false</BucketKeyEnabled>";
    let blocks =
        "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>";
    let rows: [(&[&str], Mode, bool, bool); 8] = [
        (&[], Mode::SseS3, false, false),
        (&[disabled], Mode::SseS3, false, false),
        (&[enabled], Mode::SseS3, true, false),
        (&[blocks], Mode::SseS3, false, true),
        (&[enabled, blocks], Mode::SseS3, true, true),
        (&[&kms], Mode::SseKms, false, false),
        (&[&kms, enabled], Mode::SseKms, true, false),
        (&[blocks, enabled, &kms], Mode::SseKms, true, true),
    ];
    for (members, mode, bucket_key, blocked) in rows {
        let parsed = from_rule(&members.concat()).unwrap();
        let default = parsed.default_encryption();
        assert_eq!(
            (default.mode(), default.bucket_key_enabled()),
            (mode, bucket_key),
            "{members:?}"
        );
        assert_eq!(parsed.blocks_customer_keys(), blocked, "{members:?}");
        assert_eq!(BucketEncryption::from_xml(parsed.to_xml().as_bytes()), Ok(parsed));
    }
    assert_eq!(
        BucketEncryption::from_xml(xml("<Rule/>").as_bytes()),
        Ok(BucketEncryption::unset())
    );
}

#[test]
fn each_default_is_kept_as_it_was_put() {
    let rows = [
        (algorithm("AES256"), SSE_S3),
        (algorithm("aws:kms"), sse_kms(None, false)),
        (with_key("aws:kms", "1234abcd"), sse_kms(Some("1234abcd"), false)),
        (with_key("aws:kms", "alias/photos"), sse_kms(Some("alias/photos"), false)),
        (with_key("aws:kms", ARN), sse_kms(Some(ARN), false)),
        (algorithm("aws:kms") + "<BucketKeyEnabled>true</BucketKeyEnabled>", sse_kms(None, true)),
        (algorithm("aws:kms:dsse"), DefaultEncryption::DsseKms { key: None, bucket_key: false }),
        (
            with_key("aws:kms:dsse", ARN),
            DefaultEncryption::DsseKms { key: Some(ARN.to_owned()), bucket_key: false },
        ),
    ];
    for (rule, default) in rows {
        let parsed = from_rule(&rule).unwrap();
        assert_eq!(parsed.default_encryption(), &default, "{rule}");
        assert!(parsed.is_set() && !parsed.blocks_customer_keys(), "{rule}");
        assert!(parsed.to_xml().contains(&rule), "{rule}");
        let key = parsed.to_xml().contains("KMSMasterKeyID");
        assert_eq!(key, default.kms_key().is_some(), "{rule}");
    }
}

#[test]
fn a_bucket_key_is_accepted_with_every_default_and_kept() {
    for algorithm_name in ["AES256", "aws:kms", "aws:kms:dsse"] {
        let rule = algorithm(algorithm_name) + "<BucketKeyEnabled>true</BucketKeyEnabled>";
        let parsed = from_rule(&rule).unwrap();
        assert!(parsed.default_encryption().bucket_key_enabled(), "{algorithm_name}");
        assert!(parsed.to_xml().contains("<BucketKeyEnabled>true</BucketKeyEnabled>"));
        assert_eq!(parsed.uses_bucket_key(), algorithm_name == "aws:kms");
    }
}

#[test]
fn a_rule_may_only_speak_of_blocked_types() {
    let blocked = |kind| {
        format!(
            "<BlockedEncryptionTypes><EncryptionType>{kind}</EncryptionType></BlockedEncryptionTypes>"
        )
    };
    let parsed = from_rule(&blocked("SSE-C")).unwrap();
    assert!(parsed.blocks_customer_keys() && !parsed.is_set());
    assert_eq!(parsed.default_encryption(), &SSE_S3);
    assert_eq!(parsed, BucketEncryption::unset_blocking());

    let parsed = from_rule(&blocked("NONE")).unwrap();
    assert_eq!(parsed, BucketEncryption::unset().with_customer_keys_blocked(false));
    assert!(!parsed.blocks_customer_keys());
}

#[test]
fn each_malformed_configuration_has_the_answer_of_s3() {
    let rule = |inner: &str| format!("<Rule>{inner}</Rule>");
    let sse_s3 = rule(&algorithm("AES256"));
    let rows = [
        String::new(),
        format!("{sse_s3}{sse_s3}"),
        rule(&algorithm("AES192")),
        rule(&algorithm("aes256")),
        rule(&algorithm("aws:fsx")),
        rule(&algorithm("aws:backup")),
        rule(&algorithm("")),
        rule(&apply("")),
        rule(&apply(&format!("<KMSMasterKeyID>{ARN}</KMSMasterKeyID>"))),
        rule(&with_key("aws:kms", "")),
        rule(&with_key("aws:kms", "a b")),
        rule(&with_key("aws:kms", "a\nb")),
        rule(&with_key("aws:kms", &"a".repeat(2_049))),
        rule(&(algorithm("AES256") + &algorithm("AES256"))),
        rule("<BucketKeyEnabled>yes</BucketKeyEnabled>"),
        rule("<BucketKeyEnabled/>"),
        rule("<BlockedEncryptionTypes/>"),
        rule(
            "<BlockedEncryptionTypes><EncryptionType>SSE-S3</EncryptionType></BlockedEncryptionTypes>",
        ),
        rule(
            "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes>",
        ),
        rule("<Unknown/>"),
        rule("text"),
        "<Other/>".to_owned(),
        format!("{sse_s3}{}", " ".repeat(64 * 1024)),
    ];
    for rules in rows {
        let answer = BucketEncryption::from_xml(xml(&rules).as_bytes())
            .expect_err(&rules)
            .answer(Profile::Aws);
        assert_eq!((answer.status, answer.code), (StatusCode::BAD_REQUEST, "MalformedXML"));
        assert_eq!(
            answer.message,
            "The XML you provided was not well-formed or did not validate against our published schema"
        );
        assert_eq!((answer.argument_name, answer.argument_value), (None, None), "{rules}");
    }
    assert_eq!(BucketEncryption::from_xml(b""), Err(Error::MalformedXml));
    assert_eq!(BucketEncryption::from_xml(b"<Rule/>"), Err(Error::MalformedXml));
}

#[test]
fn a_kms_key_is_not_applicable_to_sse_s3() {
    for key in [ARN, "1234abcd", "alias/photos"] {
        let answer = from_rule(&with_key("AES256", key)).unwrap_err().answer(Profile::Aws);
        assert_eq!((answer.status, answer.code), (StatusCode::BAD_REQUEST, "InvalidArgument"));
        assert_eq!(
            answer.message,
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        );
        assert_eq!(answer.argument_name, Some("ApplyServerSideEncryptionByDefault"));
        assert_eq!(answer.argument_value, None);
    }
}

#[test]
fn a_bucket_without_a_default_shows_sse_s3_or_in_profile_ceph_that_there_is_none() {
    for bucket in [BucketEncryption::unset(), from_rule(&algorithm("aws:kms")).unwrap().deleted()] {
        assert!(!bucket.is_set());
        assert_eq!(
            bucket.shown(Profile::Aws).unwrap().to_json(),
            r#"{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"},"BucketKeyEnabled":false}]}"#
        );
        let answer = bucket.shown(Profile::Ceph).unwrap_err().answer(Profile::Ceph);
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "7");
        assert_eq!(answer.code, "ServerSideEncryptionConfigurationNotFoundError", "7");
        assert_eq!(answer.message, "The server side encryption configuration was not found", "7");
    }
    let explicit = BucketEncryption::with_default(SSE_S3);
    assert!(explicit.is_set());
    assert_eq!(explicit.shown(Profile::Ceph), Ok(explicit.clone()));
}

#[test]
fn a_put_or_delete_that_says_nothing_of_customer_keys_leaves_their_use_as_it_was() {
    let silent = BucketEncryption::with_default(sse_kms(None, true));
    let allowing = silent.clone().with_customer_keys_blocked(false);
    let blocking = BucketEncryption::unset_blocking();

    assert!(silent.clone().merged_over(&blocking).blocks_customer_keys());
    assert!(!silent.clone().merged_over(&BucketEncryption::unset()).blocks_customer_keys());
    assert!(!allowing.clone().merged_over(&blocking).blocks_customer_keys());
    assert!(blocking.clone().merged_over(&allowing).blocks_customer_keys());
    assert_eq!(blocking.clone().merged_over(&allowing).default_encryption(), &SSE_S3);
    assert_eq!(silent.merged_over(&blocking).deleted(), blocking);
}

#[test]
fn json_is_that_of_the_sdks() {
    let text = r#"{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"abc"},"BucketKeyEnabled":true,"BlockedEncryptionTypes":{"EncryptionType":["SSE-C"]}}]}"#;
    let parsed = BucketEncryption::from_json(text).unwrap();
    assert_eq!(parsed.default_encryption(), &sse_kms(Some("abc"), true));
    assert!(parsed.blocks_customer_keys());
    assert_eq!(parsed.to_json(), text);

    let malformed = [
        "",
        "{}",
        r#"{"Rules":[]}"#,
        r#"{"Rules":[{},{}]}"#,
        r#"{"Rules":[{"Unknown":1}]}"#,
        r#"{"Rules":[{}],"Rules":[{}]}"#,
        r#"{"Rules":[{"ApplyServerSideEncryptionByDefault":{}}]}"#,
        r#"{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES192"}}]}"#,
        r#"{"Rules":[{"BucketKeyEnabled":"true"}]}"#,
        r#"{"Rules":[{}]} x"#,
    ];
    for text in malformed {
        assert_eq!(BucketEncryption::from_json(text), Err(Error::MalformedJson), "{text}");
    }
    let long = format!("{text}{}", " ".repeat(64 * 1024));
    assert_eq!(BucketEncryption::from_json(&long), Err(Error::MalformedJson));
    assert_eq!(BucketEncryption::from_json(r#"{"Rules":[{}]}"#), Ok(BucketEncryption::unset()));
    assert_eq!(
        BucketEncryption::from_json(
            r#"{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256","KMSMasterKeyID":"k"}}]}"#
        ),
        Err(Error::DefaultKeyNotApplicable)
    );
}

fn any_bucket() -> impl Strategy<Value = BucketEncryption> {
    let key = || prop::option::of("[!-~]{1,64}");
    let default = (0..4, key(), any::<bool>()).prop_map(|(kind, key, bucket_key)| match kind {
        0 => None,
        1 => Some(DefaultEncryption::SseS3 { bucket_key }),
        2 => Some(DefaultEncryption::SseKms { key, bucket_key }),
        _ => Some(DefaultEncryption::DsseKms { key, bucket_key }),
    });
    (default, prop::option::of(any::<bool>())).prop_map(|(default, customer_keys_blocked)| {
        BucketEncryption { default, customer_keys_blocked }
    })
}

proptest! {
    #[test]
    fn xml_and_json_read_back_as_the_same_value(bucket in any_bucket()) {
        prop_assert_eq!(BucketEncryption::from_xml(bucket.to_xml().as_bytes()), Ok(bucket.clone()));
        prop_assert_eq!(BucketEncryption::from_json(&bucket.to_json()), Ok(bucket));
    }
}
