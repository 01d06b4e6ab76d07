//! The body of S3's errors: [`ErrorXml`].

use std::fmt;

use crate::{
    Answer,
    xml::{DECLARATION, push_element},
};

/// The XML that tells a client of an error, to be sent as `application/xml` with the status of the
/// [`Answer`].
///
/// The answer to a `HEAD` request has the status and no body. Text is escaped, and characters that
/// XML cannot hold become U+FFFD, so that a body is well-formed whatever a request contained.
///
/// ```
/// use object_cipher_s3::{Error, ErrorXml, Profile};
///
/// let answer = Error::UnknownMethod { method: "AES<256>".to_owned() }.answer(Profile::Aws);
/// let body = ErrorXml::new(&answer).element("RequestId", "4442587FB7D0A2F9").to_string();
/// assert_eq!(
///     body,
///     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
///      <Error><Code>InvalidArgument</Code>\
///      <Message>The encryption method specified is not supported</Message>\
///      <ArgumentName>x-amz-server-side-encryption</ArgumentName>\
///      <ArgumentValue>AES&lt;256&gt;</ArgumentValue>\
///      <RequestId>4442587FB7D0A2F9</RequestId></Error>"
/// );
/// ```
#[derive(Clone, Debug)]
pub struct ErrorXml(String);

impl ErrorXml {
    /// The error that an answer speaks of: its code, message and argument.
    pub fn new(answer: &Answer) -> Self {
        let mut elements = String::new();
        push_element(&mut elements, "Code", answer.code);
        push_element(&mut elements, "Message", &answer.message);
        if let Some(name) = answer.argument_name {
            push_element(&mut elements, "ArgumentName", name);
        }
        if let Some(value) = &answer.argument_value {
            push_element(&mut elements, "ArgumentValue", value);
        }
        Self(elements)
    }

    /// Adds an element after the others. S3 ends with what the error is about, such as
    /// `ActualPartCount` and `PartNumberRequested`, `BucketName` or `Resource`, and then `RequestId`
    /// and `HostId`. The name must be one of XML's.
    #[must_use]
    pub fn element(mut self, name: &'static str, text: &str) -> Self {
        push_element(&mut self.0, name, text);
        self
    }
}

impl fmt::Display for ErrorXml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DECLARATION}<Error>{}</Error>", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Error, Profile, xml::Element};

    #[test]
    fn elements_stand_in_the_order_of_s3() {
        let answer = Error::PartNumberNotSatisfiable.answer(Profile::Aws);
        let body = ErrorXml::new(&answer)
            .element("ActualPartCount", "3")
            .element("PartNumberRequested", "4")
            .element("RequestId", "R")
            .element("HostId", "H")
            .to_string();
        assert_eq!(
            body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidPartNumber</Code>\
             <Message>The requested partnumber is not satisfiable</Message>\
             <ActualPartCount>3</ActualPartCount><PartNumberRequested>4</PartNumberRequested>\
             <RequestId>R</RequestId><HostId>H</HostId></Error>"
        );
    }

    proptest! {
        #[test]
        fn whatever_was_asked_for_the_body_is_well_formed(method in any::<String>()) {
            let answer = Error::UnknownMethod { method }.answer(Profile::Aws);
            let body = ErrorXml::new(&answer).to_string();
            prop_assert!(Element::parse(body.as_bytes(), "Error").is_ok(), "{}", body);
        }
    }
}
