//! What s3s takes of signatures and S3 does not: [`check`].

use http::{HeaderMap, StatusCode, Uri, header::AUTHORIZATION};

use super::{Refusal, Result};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// It is in what is signed, whether it is named or not.
const CONTENT_SHA256: &str = "x-amz-content-sha256";

/// Refuses signatures before Version 4, which leave out what a request is about (`?encryption`, say),
/// and requests that somebody added headers to.
///
/// # Errors
/// S3's answers.
pub(super) fn check(uri: &Uri, headers: &HeaderMap) -> Result<()> {
    let authorization = headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let query = uri.query().unwrap_or_default();
    let in_query = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    if authorization.is_some_and(|text| !text.starts_with(ALGORITHM))
        || in_query("AWSAccessKeyId").is_some()
    {
        let message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "InvalidRequest", message));
    }
    // Whichever of the two s3s looks at.
    let lists = [
        authorization.map(|text| signed_headers(text).unwrap_or_default().to_owned()),
        in_query("X-Amz-SignedHeaders"),
    ];
    let is_signed = |name: &str| {
        lists.iter().flatten().all(|list| list.split(';').any(|signed| signed == name))
    };
    let matter = |name: &&str| name.starts_with("x-amz-") && *name != CONTENT_SHA256;
    if headers.keys().map(http::HeaderName::as_str).filter(matter).all(is_signed) {
        Ok(())
    } else {
        let message = "There were headers present in the request which were not signed";
        Err(Refusal::new(StatusCode::FORBIDDEN, "AccessDenied", message))
    }
}

/// Of `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=a;b, Signature=…`.
fn signed_headers(authorization: &str) -> Option<&str> {
    let mut parts = authorization.split(|end: char| end == ',' || end.is_whitespace());
    parts.find_map(|part| part.strip_prefix("SignedHeaders="))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-date, Signature=00";

    fn code(uri: &str, headers: &[(&'static str, &str)]) -> Option<&'static str> {
        let pairs = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
        match check(&uri.parse().unwrap(), &pairs.collect()) {
            Ok(()) => None,
            Err(Refusal::Other(answer)) => Some(answer.code),
            Err(refusal) => panic!("{refusal:?}"),
        }
    }

    #[test]
    fn signatures_before_version_4_are_refused() {
        let header = ("authorization", "AWS A:c2lnbmF0dXJl");
        assert_eq!(code("/b/k", &[header]), Some("InvalidRequest"));
        let query = "/b/k?AWSAccessKeyId=A&Signature=a&Expires=1&encryption";
        assert_eq!(code(query, &[]), Some("InvalidRequest"));
        assert_eq!(code("/b/k?%41WSAccessKeyId=A", &[]), Some("InvalidRequest"));
    }

    #[test]
    fn every_header_of_amazons_has_to_be_signed() {
        let signed = ("authorization", SIGNED);
        let date = ("x-amz-date", "20260101T000000Z");
        let digest = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        assert_eq!(code("/b/k", &[signed, date, digest, ("range", "bytes=0-")]), None);
        let added = ("x-amz-copy-source", "b/other");
        assert_eq!(code("/b/k", &[signed, date, added]), Some("AccessDenied"));
        let tabs = SIGNED.replace(' ', "\t").replace(',', ",\t");
        assert_eq!(code("/b/k", &[("authorization", &tabs), date]), None);
        assert_eq!(code("/b/k", &[("authorization", &tabs), added]), Some("AccessDenied"));
        let url = "/b/k?X-Amz-SignedHeaders=host%3Bx-amz-copy-source";
        assert_eq!(code(url, &[added]), None);
        assert_eq!(code(url, &[added, ("x-amz-acl", "private")]), Some("AccessDenied"));
        let covering = ("authorization", "AWS4-HMAC-SHA256 SignedHeaders=x-amz-acl");
        let both = [covering, ("x-amz-acl", "private")];
        assert_eq!(code("/b/k?X-Amz-SignedHeaders=host", &both), Some("AccessDenied"));
        // Who signs nothing is nobody.
        assert_eq!(code("/b/k", &[added]), None);
    }
}
