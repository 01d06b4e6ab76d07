//! What `UpdateObjectEncryption` changes an object to: [`ObjectEncryption`].

use object_cipher_core::Mode;

use crate::{Error, Result, xml::Element};

/// The encryption that an object is to get from `UpdateObjectEncryption`, which wraps the object's
/// data key anew and leaves the body as it is.
///
/// S3 knows one, `<SSE-KMS>` with `<KMSKeyArn>` and perhaps `<BucketKeyEnabled>`. The elements
/// `<SSE-S3/>` and `<SSE-C/>` are ours: S3 has nothing like them, and they are read with
/// [`UpdateScope::Extended`] only. For SSE-C the key comes in the headers of
/// [`header::CUSTOMER_KEY`](crate::header::CUSTOMER_KEY), and the old one, if the object is under a
/// customer's key already, in those of
/// [`header::COPY_SOURCE_CUSTOMER_KEY`](crate::header::COPY_SOURCE_CUSTOMER_KEY).
///
/// ```
/// use object_cipher_s3::{ObjectEncryption, UpdateScope};
///
/// let body = b"<ObjectEncryption xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><SSE-KMS>\
///     <KMSKeyArn>arn:aws:kms:us-east-1:111122223333:key/1234abcd</KMSKeyArn>\
///     <BucketKeyEnabled>true</BucketKeyEnabled>\
///     </SSE-KMS></ObjectEncryption>";
/// assert_eq!(
///     ObjectEncryption::from_xml(body, UpdateScope::Aws)?,
///     ObjectEncryption::SseKms {
///         key_arn: "arn:aws:kms:us-east-1:111122223333:key/1234abcd".to_owned(),
///         bucket_key: true,
///     }
/// );
/// # Ok::<(), object_cipher_s3::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectEncryption {
    /// Under a key of a KMS.
    SseKms {
        /// The full ARN of the KMS key.
        key_arn: String,
        /// Whether a Bucket Key serves.
        bucket_key: bool,
    },
    /// Under the server's master keyring. An extension.
    SseS3,
    /// Under the customer's key that the request brings. An extension.
    SseC,
}

/// Between which modes `UpdateObjectEncryption` changes objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UpdateScope {
    /// From SSE-S3 and SSE-KMS to SSE-KMS, as S3 does.
    #[default]
    Aws,
    /// Between SSE-S3, SSE-KMS and SSE-C in every direction.
    Extended,
}

impl ObjectEncryption {
    /// The refusal of a request that is not signed by Signature Version 4.
    pub const NEEDS_SIGNATURE_V4: Error = Error::UpdateRefused(
        "Requests that modify an object encryption configuration require Amazon Web Services Signature Version 4. Modify the request to use Amazon Web Services Signature Version 4, and then try again.",
    );
    /// The refusal of another account's KMS key.
    pub const KEY_OF_OTHER_ACCOUNT: Error = Error::UpdateDenied(
        "The Amazon Web Services KMS key in the request must be owned by the same account as the bucket. Modify the request to specify a KMS key from the same account, and then try again.",
    );
    /// The refusal of another organisation's KMS key.
    pub const KEY_OF_OTHER_ORGANISATION: Error = Error::UpdateDenied(
        "The specified Amazon Web Services KMS key must be from the same organization in Organizations as the bucket. Specify a KMS key that belongs to the same organization as the bucket, and then try again.",
    );
    /// The refusal of another account's KMS key to an account that may use its organisation's, and
    /// has none.
    pub const OWNER_WITHOUT_ORGANISATION: Error = Error::UpdateDenied(
        "The bucket owner's account was approved to make UpdateObjectEncryption requests that use any Amazon Web Services KMS key in their organization, but the bucket owner's account isn't part of an organization in Organizations. Make sure that the bucket owner's account and the specified KMS key belong to the same organization, and then try again.",
    );
    /// The refusal to change an object that is under Object Lock.
    pub const OBJECT_LOCKED: Error = Error::UpdateDenied(
        "The encryption type for the specified object can’t be updated because that object is protected by S3 Object Lock. If the object has a governance-mode retention period or a legal hold, you must first remove the Object Lock status on the object before you issue your UpdateObjectEncryption request. You can't use the UpdateObjectEncryption operation with objects that have an Object Lock compliance mode retention period applied to them.",
    );

    /// The body of a request.
    ///
    /// # Errors
    /// [`Error::MalformedXml`] for what is no XML, is longer than 64 KiB or is not of the schema;
    /// [`Error::UpdateRefused`] for a mode outside the scope, for a KMS key that is missing or no
    /// full ARN, and for a wish for a Bucket Key that is neither `true` nor `false`.
    pub fn from_xml(body: &[u8], scope: UpdateScope) -> Result<Self> {
        let root = Element::parse(body, "ObjectEncryption")?;
        let [kms, s3, customer, dsse] =
            root.children(["SSE-KMS", "SSE-S3", "SSE-C", "DSSE-KMS"])?;
        match (kms, s3, customer, dsse) {
            (Some(kms), None, None, None) => sse_kms(kms),
            (None, None, None, None) => Err(NO_SUCH_TARGET),
            (None, Some(target), None, None) => scope.extend(target, Self::SseS3, NO_SUCH_TARGET),
            (None, None, Some(target), None) => {
                scope.extend(target, Self::SseC, UNSUPPORTED_TARGET)
            }
            (None, None, None, Some(_)) => Err(UNSUPPORTED_TARGET),
            _ => Err(Error::MalformedXml),
        }
    }

    /// The mode.
    pub const fn mode(&self) -> Mode {
        match self {
            Self::SseKms { .. } => Mode::SseKms,
            Self::SseS3 => Mode::SseS3,
            Self::SseC => Mode::SseC,
        }
    }
}

impl UpdateScope {
    /// Whether an object of this mode, or without encryption, can be changed.
    ///
    /// # Errors
    /// [`Error::UpdateRefused`] if not.
    pub fn admit_source(self, mode: Option<Mode>) -> Result<()> {
        match mode {
            Some(Mode::SseS3 | Mode::SseKms) => Ok(()),
            Some(Mode::SseC) if self == Self::Extended => Ok(()),
            Some(Mode::SseC | Mode::DsseKms) => Err(UNSUPPORTED_SOURCE),
            // What a client encrypted is no encryption of the server's.
            _ => Err(UNENCRYPTED_SOURCE),
        }
    }

    /// An extension's target, whose element is empty.
    fn extend(
        self,
        element: &Element,
        target: ObjectEncryption,
        refusal: Error,
    ) -> Result<ObjectEncryption> {
        if self == Self::Aws {
            return Err(refusal);
        }
        let [] = element.children([])?;
        Ok(target)
    }
}

const UNENCRYPTED_SOURCE: Error = Error::UpdateRefused(
    "The UpdateObjectEncryption operation doesn't supported unencrypted source objects. Only source objects encrypted with SSE-S3 or SSE-KMS are supported.",
);
const UNSUPPORTED_SOURCE: Error = Error::UpdateRefused(
    "The UpdateObjectEncryption operation doesn't support source objects with the encryption type DSSE-KMS or SSE-C. Only source objects encrypted with SSE-S3 or SSE-KMS are supported.",
);
const UNSUPPORTED_TARGET: Error = Error::UpdateRefused(
    "The UpdateObjectEncryption operation doesn't support updating the encryption type to DSSE-KMS or SSE-C. Modify the request to specify SSE-KMS for the updated encryption type, and then try again.",
);
const NO_SUCH_TARGET: Error = Error::UpdateRefused(
    "Requests that modify an object encryption configuration require a valid new encryption type. Valid values are SSEKMS. Modify the request to specify SSE-KMS for the updated encryption type, and then try again.",
);
const KEY_MISSING: Error = Error::UpdateRefused(
    "Requests that modify an object's encryption type to SSE-KMS require an Amazon Web Services KMS key Amazon Resource Name (ARN). Modify the request to specify a KMS key ARN, and then try again.",
);
const KEY_MALFORMED: Error = Error::UpdateRefused(
    "Requests that modify an object's encryption type to SSE-KMS require a valid Amazon Web Services KMS key Amazon Resource Name (ARN). Confirm that you have a correctly formatted KMS key ARN in your request, and then try again.",
);
const BUCKET_KEY_MALFORMED: Error = Error::UpdateRefused(
    "The BucketKeyEnabled value isn't valid. Valid values are true or false. Modify the request to specify a valid value, and then try again.",
);

fn sse_kms(target: &Element) -> Result<ObjectEncryption> {
    let [key, bucket_key] = target.children(["KMSKeyArn", "BucketKeyEnabled"])?;
    let key_arn = match key.map(Element::text).transpose()? {
        None | Some("") => return Err(KEY_MISSING),
        Some(key) if is_key_arn(key) => key.to_owned(),
        Some(_) => return Err(KEY_MALFORMED),
    };
    let bucket_key = match bucket_key.map(Element::text).transpose()? {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(BUCKET_KEY_MALFORMED),
    };
    Ok(ObjectEncryption::SseKms { key_arn, bucket_key })
}

/// S3's pattern: `arn:aws[a-zA-Z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+`.
fn is_key_arn(text: &str) -> bool {
    let fields: Vec<&str> = text.split(':').collect();
    let &["arn", partition, "kms", region, account, resource] = fields.as_slice() else {
        return false;
    };
    let is_word =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let key = resource.strip_prefix("key/").unwrap_or_default();
    text.len() <= 2_048
        && partition.starts_with("aws")
        && [partition, region, key].into_iter().all(|part| !part.is_empty() && is_word(part))
        && !region.bytes().any(|byte| byte.is_ascii_uppercase())
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::Profile;

    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn parse(inner: &str, scope: UpdateScope) -> Result<ObjectEncryption> {
        let body = format!(
            "<ObjectEncryption xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</ObjectEncryption>"
        );
        ObjectEncryption::from_xml(body.as_bytes(), scope)
    }

    fn sse_kms_with(inner: &str) -> String {
        format!("<SSE-KMS>{inner}</SSE-KMS>")
    }

    fn arn(text: &str) -> String {
        sse_kms_with(&format!("<KMSKeyArn>{text}</KMSKeyArn>"))
    }

    /// Holds an error against what section 4 has of this operation.
    fn refuses(error: &Error, status: StatusCode, code: &str, message: &str) {
        let answer = error.answer(Profile::Aws);
        assert_eq!((answer.status, answer.code), (status, code), "4 {message}");
        assert_eq!(answer.message, message);
        assert_eq!((answer.argument_name, answer.argument_value), (None, None), "4 {message}");
    }

    #[test]
    fn a_full_key_arn_is_the_target_with_or_without_a_bucket_key() {
        let gov = "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1234";
        for scope in [UpdateScope::Aws, UpdateScope::Extended] {
            for (flag, bucket_key) in [
                ("", false),
                ("<BucketKeyEnabled>false</BucketKeyEnabled>", false),
                ("<BucketKeyEnabled>true</BucketKeyEnabled>", true),
            ] {
                for key_arn in [ARN, gov] {
                    let body = sse_kms_with(&format!("<KMSKeyArn>{key_arn}</KMSKeyArn>{flag}"));
                    let wanted =
                        ObjectEncryption::SseKms { key_arn: key_arn.to_owned(), bucket_key };
                    assert_eq!(parse(&body, scope), Ok(wanted));
                }
            }
        }
    }

    #[test]
    fn each_refusal_has_the_answer_of_s3() {
        let flag = |value| {
            let flag =
                format!("<KMSKeyArn>{ARN}</KMSKeyArn><BucketKeyEnabled>{value}</BucketKeyEnabled>");
            sse_kms_with(&flag)
        };
        let no_target = "Requests that modify an object encryption configuration require a valid new encryption type. Valid values are SSEKMS. Modify the request to specify SSE-KMS for the updated encryption type, and then try again.";
        let unsupported = "The UpdateObjectEncryption operation doesn't support updating the encryption type to DSSE-KMS or SSE-C. Modify the request to specify SSE-KMS for the updated encryption type, and then try again.";
        let no_key = "Requests that modify an object's encryption type to SSE-KMS require an Amazon Web Services KMS key Amazon Resource Name (ARN). Modify the request to specify a KMS key ARN, and then try again.";
        let not_an_arn = "Requests that modify an object's encryption type to SSE-KMS require a valid Amazon Web Services KMS key Amazon Resource Name (ARN). Confirm that you have a correctly formatted KMS key ARN in your request, and then try again.";
        let not_a_flag = "The BucketKeyEnabled value isn't valid. Valid values are true or false. Modify the request to specify a valid value, and then try again.";
        let rows = [
            (String::new(), no_target),
            ("<SSE-S3/>".to_owned(), no_target),
            ("<SSE-C/>".to_owned(), unsupported),
            ("<SSE-C><Key/></SSE-C>".to_owned(), unsupported),
            ("<DSSE-KMS/>".to_owned(), unsupported),
            (arn(ARN).replace("SSE-KMS", "DSSE-KMS"), unsupported),
            (sse_kms_with(""), no_key),
            (sse_kms_with("<BucketKeyEnabled>true</BucketKeyEnabled>"), no_key),
            (arn(""), no_key),
            (arn("1234abcd-12ab-34cd-56ef-1234567890ab"), not_an_arn),
            (arn("alias/photos"), not_an_arn),
            (arn("arn:aws:kms:us-east-1:111122223333:alias/photos"), not_an_arn),
            (arn("arn:aws:kms:us-east-1:11112222333:key/1234"), not_an_arn),
            (arn("arn:aws:kms:us-east-1:11112222333a:key/1234"), not_an_arn),
            (arn("arn:aws:kms:US-east-1:111122223333:key/1234"), not_an_arn),
            (arn("arn:aws:kms::111122223333:key/1234"), not_an_arn),
            (arn("arn:aws:s3:us-east-1:111122223333:key/1234"), not_an_arn),
            (arn("arn:gcp:kms:us-east-1:111122223333:key/1234"), not_an_arn),
            (arn("arn:aws:kms:us-east-1:111122223333:key/"), not_an_arn),
            (arn("arn:aws:kms:us-east-1:111122223333:key/a:b"), not_an_arn),
            (arn(&format!("{ARN} ")), not_an_arn),
            (arn(&format!("{ARN}{}", "a".repeat(2_048))), not_an_arn),
            (flag("yes"), not_a_flag),
            (flag("True"), not_a_flag),
            (flag(""), not_a_flag),
        ];
        for (body, message) in rows {
            let refused = parse(&body, UpdateScope::Aws).unwrap_err();
            refuses(&refused, StatusCode::BAD_REQUEST, "InvalidRequest", message);
        }
        let malformed = [
            "<SSE-FSX/>".to_owned(),
            format!("{}<SSE-S3/>", arn(ARN)),
            arn(ARN).repeat(2),
            sse_kms_with("<Other/>"),
            "text".to_owned(),
        ];
        for body in malformed {
            assert_eq!(parse(&body, UpdateScope::Aws), Err(Error::MalformedXml), "{body}");
            assert_eq!(parse(&body, UpdateScope::Extended), Err(Error::MalformedXml), "{body}");
        }
    }

    #[test]
    fn what_a_host_refuses_has_the_answer_of_s3() {
        let unencrypted = "The UpdateObjectEncryption operation doesn't supported unencrypted source objects. Only source objects encrypted with SSE-S3 or SSE-KMS are supported.";
        let unsupported = "The UpdateObjectEncryption operation doesn't support source objects with the encryption type DSSE-KMS or SSE-C. Only source objects encrypted with SSE-S3 or SSE-KMS are supported.";
        let source = |mode| UpdateScope::Aws.admit_source(mode).unwrap_err();
        let rows = [
            (source(None), unencrypted),
            (source(Some(Mode::SseC)), unsupported),
            (source(Some(Mode::DsseKms)), unsupported),
            (
                ObjectEncryption::NEEDS_SIGNATURE_V4,
                "Requests that modify an object encryption configuration require Amazon Web Services Signature Version 4. Modify the request to use Amazon Web Services Signature Version 4, and then try again.",
            ),
        ];
        for (error, message) in rows {
            refuses(&error, StatusCode::BAD_REQUEST, "InvalidRequest", message);
        }
        let rows = [
            (
                ObjectEncryption::KEY_OF_OTHER_ACCOUNT,
                "The Amazon Web Services KMS key in the request must be owned by the same account as the bucket. Modify the request to specify a KMS key from the same account, and then try again.",
            ),
            (
                ObjectEncryption::KEY_OF_OTHER_ORGANISATION,
                "The specified Amazon Web Services KMS key must be from the same organization in Organizations as the bucket. Specify a KMS key that belongs to the same organization as the bucket, and then try again.",
            ),
            (
                ObjectEncryption::OWNER_WITHOUT_ORGANISATION,
                "The bucket owner's account was approved to make UpdateObjectEncryption requests that use any Amazon Web Services KMS key in their organization, but the bucket owner's account isn't part of an organization in Organizations. Make sure that the bucket owner's account and the specified KMS key belong to the same organization, and then try again.",
            ),
            (
                ObjectEncryption::OBJECT_LOCKED,
                "The encryption type for the specified object can’t be updated because that object is protected by S3 Object Lock. If the object has a governance-mode retention period or a legal hold, you must first remove the Object Lock status on the object before you issue your UpdateObjectEncryption request. You can't use the UpdateObjectEncryption operation with objects that have an Object Lock compliance mode retention period applied to them.",
            ),
        ];
        for (error, message) in rows {
            refuses(&error, StatusCode::FORBIDDEN, "AccessDenied", message);
        }
    }

    #[test]
    fn the_extended_scope_changes_to_sse_s3_and_sse_c_and_never_to_dsse() {
        let extended = |body| parse(body, UpdateScope::Extended);
        assert_eq!(extended("<SSE-S3/>"), Ok(ObjectEncryption::SseS3));
        assert_eq!(extended("<SSE-C></SSE-C>"), Ok(ObjectEncryption::SseC));
        assert_eq!(extended("<DSSE-KMS/>"), Err(UNSUPPORTED_TARGET));
        assert_eq!(extended(""), Err(NO_SUCH_TARGET));
        for filled in ["<SSE-C>key</SSE-C>", "<SSE-C><Key/></SSE-C>", "<SSE-S3><SSE-C/></SSE-S3>"] {
            assert_eq!(extended(filled), Err(Error::MalformedXml), "{filled}");
        }
    }

    #[test]
    fn sources_are_those_of_the_scope() {
        let rows = [
            (Some(Mode::SseS3), Ok(()), Ok(())),
            (Some(Mode::SseKms), Ok(()), Ok(())),
            (Some(Mode::SseC), Err(UNSUPPORTED_SOURCE), Ok(())),
            (Some(Mode::DsseKms), Err(UNSUPPORTED_SOURCE), Err(UNSUPPORTED_SOURCE)),
            (Some(Mode::Client), Err(UNENCRYPTED_SOURCE), Err(UNENCRYPTED_SOURCE)),
            (None, Err(UNENCRYPTED_SOURCE), Err(UNENCRYPTED_SOURCE)),
        ];
        for (mode, aws, extended) in rows {
            assert_eq!(UpdateScope::Aws.admit_source(mode), aws, "{mode:?}");
            assert_eq!(UpdateScope::Extended.admit_source(mode), extended, "{mode:?}");
        }
    }
}
