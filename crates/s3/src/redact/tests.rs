use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use http::{HeaderName, HeaderValue};
use md5::{Digest as _, Md5};
use proptest::prelude::*;

use super::*;
use crate::CustomerKey;

/// Base64 of these has `+` and `/` in it.
const KEY: [u8; 32] = [0xfb; 32];
const SECRET_NAMES: [&str; 4] = [
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
];
const OPEN_NAMES: [&str; 4] = [
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
];

fn key_base64() -> String {
    STANDARD.encode(KEY)
}

/// Every way in which the secret may be written.
fn forms_of(secret: &[u8]) -> Vec<String> {
    let standard = STANDARD.encode(secret);
    let percent = standard.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    vec![
        hex::encode(secret),
        hex::encode_upper(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        percent.replace("%2B", "%2b").replace("%2F", "%2f"),
        percent.replace('%', "%25"),
        percent,
        standard,
        format!("{secret:?}"),
    ]
}

#[test]
fn c8_headers_of_customer_keys_are_marked_or_gone_and_others_stay() {
    let mut headers = HeaderMap::new();
    for name in SECRET_NAMES.into_iter().chain(OPEN_NAMES) {
        for value in [key_base64(), "second".to_owned()] {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_str(&value).unwrap());
        }
    }
    let stripped = strip_headers(&headers);
    mark_headers(&mut headers);
    for name in SECRET_NAMES {
        assert!(headers.get_all(name).iter().all(HeaderValue::is_sensitive), "{name}");
        assert!(!stripped.contains_key(name), "{name}");
    }
    for name in OPEN_NAMES {
        assert!(!headers.get_all(name).iter().any(HeaderValue::is_sensitive), "{name}");
        assert_eq!(stripped.get_all(name).iter().count(), 2, "{name}");
    }
    assert_eq!(headers.len(), 16);
}

#[test]
fn z4_urls_show_no_key_however_the_name_is_written() {
    let names = [
        "x-amz-server-side-encryption-customer-key",
        "X-AMZ-Server-Side-Encryption-Customer-Key",
        "x-amz-server-side-encryption-customer-key-MD5",
        "x-amz-copy-source-server-side-encryption-customer-key",
        "x%2Damz%2dserver-side-encryption-customer%2Dkey",
        "%78-amz-%73erver-side-encryption-customer-ke%79",
        "x-amz-server-side-encryption%252Dcustomer%25252dkey%252dmd5",
    ];
    for name in names {
        for separator in ["&", ";"] {
            let before = format!("https://h/b/k?partNumber=1{separator}{name}=");
            let after = format!("{separator}X-Amz-Signature=abc#{name}=");
            for value in forms_of(&KEY).into_iter().chain(["any + (text)?".to_owned()]) {
                assert_eq!(
                    url(&format!("{before}{value}{after}{value}")),
                    format!("{before}[redacted]{after}[redacted]")
                );
            }
        }
    }
    assert_eq!(
        url("/login?to=%2Fk%3Fx-amz-server-side-encryption-customer-key%3Dc2VjcmV0"),
        "/login?to=%2Fk%3Fx-amz-server-side-encryption-customer-key%3D[redacted]"
    );
    for open in [
        "https://h/b/k",
        "https://h/b/k?x-amz-server-side-encryption-customer-algorithm=AES256",
        "/b/x-amz-server-side-encryption-customer-key?a=b&c",
        "/b?prefix=x-amz-server-side-encryption-customer-key",
        "/b?x-amz-server-side-encryption-customer-keys=1",
    ] {
        assert_eq!(url(open), open);
    }
}

#[test]
fn z4_text_shows_no_key_beside_its_name() {
    let key = key_base64();
    let rows = [
        "{\"x-amz-server-side-encryption-customer-key\": \"@\", \"host\": \"h\"}",
        "{\\\"x-amz-server-side-encryption-customer-key\\\":\\\"@\\\"}",
        "X-Amz-Server-Side-Encryption-Customer-Key: @\r\nHost: h\r\n",
        "x-amz-server-side-encryption-customer-key-md5:@\nhost:h",
        "x-amz-copy-source-server-side-encryption-customer-key:@,@\n",
        "GET /b/k?x-amz-server-side-encryption-customer-key=@&a=b HTTP/1.1",
        "redirect=%2Fk%3Fx-amz-server-side-encryption-customer-key%3D@",
        "PutObjectInput { sse_customer_key: Some(\"@\"), sse_customer_key_md5: Some(\"@\") }",
        "CopyObjectInput { copy_source_sse_customer_key: Some(@) }",
        "{'SSECustomerKey': '@', 'SSECustomerKeyMD5': '@', 'CopySourceSSECustomerKey': b'@'}",
        "aws s3 cp --sse-c AES256 --sse-c-key @ a s3://b/a",
        "aws s3 cp --sse-c-copy-source-key fileb://@ a s3://b/a",
        "HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION_CUSTOMER_KEY=@",
        "name=\"x-amz-server-side-encryption-customer-key\"\r\n\r\n@\r\n--boundary",
        "[\"eq\", \"$x-amz-server-side-encryption-customer-key\", \"@\"]",
        "<SSECustomerKey>@</SSECustomerKey>",
        "{&quot;SSECustomerKey&quot;: &quot;@&quot;}",
    ];
    for row in rows {
        let shown = text(&row.replace('@', &key)).into_owned();
        assert!(!shown.contains(&key) && shown.contains(REDACTED), "{row}: {shown}");
        assert_eq!(text(&shown), shown, "redacted once");
    }
    let bytes = text("sse_customer_key: [251, 251, 251], bucket: b").into_owned();
    assert_eq!(bytes, "sse_customer_key: [[redacted]], bucket: b");
    let raw =
        text("{\"SSECustomerKey\": \"not \\\"base64\\\" at all\", \"Key\": \"k\"}").into_owned();
    assert_eq!(raw, "{\"SSECustomerKey\": \"[redacted]\", \"Key\": \"k\"}");
}

#[test]
fn text_without_a_key_stays_as_it_is() {
    for open in [
        "",
        "x-amz-server-side-encryption-customer-algorithm: AES256",
        "the header x-amz-server-side-encryption-customer-key is missing",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-server-side-encryption-customer-key=&a=b",
        "x-amz-server-side-encryption: aws:kms",
        "x-amz-server-side-encryption-customer-keyring: main",
        "größer als 5 GiB",
    ] {
        assert_eq!(text(open), open);
        assert_eq!(xml(open), open);
    }
}

#[test]
fn z4_s3_xml_shows_no_key_even_cut_short() {
    let key = key_base64();
    let canonical = format!("PUT\n/b/k\n\nx-amz-server-side-encryption-customer-key:{key}\n");
    let bytes: Vec<String> = canonical.bytes().map(|byte| format!("{byte:02x}")).collect();
    let body = format!(
        "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>{}</StringToSign>\
         <CanonicalRequest>{canonical}</CanonicalRequest>\
         <CanonicalRequestBytes>{}</CanonicalRequestBytes><RequestId>R</RequestId>\
         <SSECustomerKey>{key}</SSECustomerKey></Error>",
        STANDARD.encode(&canonical),
        bytes.join(" "),
    );
    assert_eq!(
        xml(&body),
        "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>[redacted]</StringToSign>\
         <CanonicalRequest>[redacted]</CanonicalRequest>\
         <CanonicalRequestBytes>[redacted]</CanonicalRequestBytes><RequestId>R</RequestId>\
         <SSECustomerKey>[redacted]</SSECustomerKey></Error>"
    );
    for length in 0..body.len() {
        assert!(!xml(&body[..length]).contains(&key[..8]), "cut to {length}");
    }
}

#[test]
fn c8_a_key_is_found_by_its_bytes_in_every_form() {
    let key = CustomerKey::from_bytes(&KEY);
    let scrubber = KeyScrubber::new(&key);
    assert_eq!(format!("{scrubber:?}"), "KeyScrubber([redacted])");
    let key_md5 = Md5::digest(KEY);
    for form in forms_of(&KEY).into_iter().chain(forms_of(&key_md5)) {
        let line = format!("größer {form}: refused, {form}");
        assert!(scrubber.finds_in(line.as_bytes()), "{form}");
        assert_eq!(scrubber.scrub(&line), "größer [redacted]: refused, [redacted]", "{form}");
    }
    let raw = [b"begin".as_slice(), &KEY, b"end"].concat();
    assert_eq!(scrubber.scrub_bytes(&raw).as_ref(), b"begin[redacted]end");

    let other = CustomerKey::from_bytes(&[0xfa; 32]);
    for form in forms_of(other.source_key().expose_bytes()) {
        assert!(!scrubber.finds_in(form.as_bytes()), "{form}");
        assert_eq!(scrubber.scrub(&form), form);
    }
}

#[test]
fn a_text_is_read_once_however_large() {
    // Of a size that would take minutes if each name or element began a search of the rest.
    let names = "server-side-encryption-customer-key%25".repeat(64 * 1024);
    assert_eq!(text(&names), names);
    assert_eq!(xml(&names), names);
    let elements = "<StringToSign>a</StringToSign>".repeat(256 * 1024);
    assert_eq!(xml(&elements), elements.replace('a', REDACTED));
}

proptest! {
    #[test]
    fn c8_nothing_is_left_of_a_key(
        key in any::<[u8; 32]>(),
        before in any::<String>(),
        after in any::<String>(),
        form in 0_usize..10,
    ) {
        let scrubber = KeyScrubber::new(&CustomerKey::from_bytes(&key));
        let line = format!("{before}{}{after}", forms_of(&key)[form]);
        prop_assert!(scrubber.finds_in(line.as_bytes()));
        prop_assert!(!scrubber.finds_in(scrubber.scrub(&line).as_bytes()));
    }

    #[test]
    fn text_and_urls_of_every_kind_are_read_without_a_panic(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "x-amz-server-side-encryption-customer-key", "-md5", "SSECustomerKey", "=", ":", "\"",
                "'", "%", "%3D", "%25", "&", "&quot;", "Some(", "[", "]", "?", "#", " ", "\n", "ü", "\\",
                "<CanonicalRequest>", "</CanonicalRequest>", "abc", ",",
            ]),
            0..16,
        ),
    ) {
        let line = pieces.concat();
        let _ = (url(&line), text(&line), xml(&line));
    }
}
