//! The little XML that S3's configurations and errors need: a bounded document becomes a tree of
//! [`Element`]s, and text goes out escaped.

use quick_xml::{
    NsReader,
    events::{BytesRef, BytesStart, Event, attributes::Attribute},
    name::{Namespace, ResolveResult},
};

use crate::{Error, Result};

/// The namespace of S3's documents.
pub(crate) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
/// The first line of each document that S3 writes.
pub(crate) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Bytes of a configuration, at most.
pub(crate) const MAX_LEN: usize = 64 * 1024;
/// Elements within each other, at most; S3's configurations have four.
const MAX_DEPTH: usize = 8;

/// An element by its local name, with either text or elements within.
#[derive(Debug)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The element that the document consists of, which must have this name.
    ///
    /// Elements are in S3's namespace or in none. A document type, entities beyond the five of XML,
    /// and attributes other than declarations of namespaces are refused, and so is text beside
    /// elements.
    ///
    /// # Errors
    /// [`Error::MalformedXml`], also for a document of more than 64 KiB.
    pub(crate) fn parse(document: &[u8], name: &str) -> Result<Self> {
        if document.len() > MAX_LEN {
            return Err(Error::MalformedXml);
        }
        let document = core::str::from_utf8(document).map_err(|_| Error::MalformedXml)?;
        let root = parse(document)?;
        if root.name == name { Ok(root) } else { Err(Error::MalformedXml) }
    }

    /// The elements within, each at most once, in the order of `names`; no others may be there.
    pub(crate) fn children<const N: usize>(&self, names: [&str; N]) -> Result<[Option<&Self>; N]> {
        let mut found = [None; N];
        for child in &self.children {
            let at = names.iter().position(|name| *name == child.name);
            let place = at.and_then(|at| found.get_mut(at)).ok_or(Error::MalformedXml)?;
            if place.replace(child).is_some() {
                return Err(Error::MalformedXml);
            }
        }
        self.without_text()?;
        Ok(found)
    }

    /// The elements within, all of which must have this name.
    pub(crate) fn all(&self, name: &str) -> Result<&[Self]> {
        self.without_text()?;
        let others = self.children.iter().any(|child| child.name != name);
        if others { Err(Error::MalformedXml) } else { Ok(&self.children) }
    }

    /// The text of an element without elements.
    pub(crate) fn text(&self) -> Result<&str> {
        if self.children.is_empty() { Ok(&self.text) } else { Err(Error::MalformedXml) }
    }

    fn without_text(&self) -> Result<()> {
        if is_blank(&self.text) { Ok(()) } else { Err(Error::MalformedXml) }
    }
}

/// Appends `<name>text</name>`.
pub(crate) fn push_element(out: &mut String, name: &str, text: &str) {
    out.extend(["<", name, ">"]);
    push_text(out, text);
    out.extend(["</", name, ">"]);
}

/// Appends text, escaped. What XML 1.0 cannot hold becomes U+FFFD.
fn push_text(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A reader would make a line feed of it.
            '\r' => out.push_str("&#13;"),
            _ if is_allowed(character) => out.push(character),
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

fn parse(document: &str) -> Result<Element> {
    let mut reader = NsReader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_comments = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut first = true;
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| Error::MalformedXml)?;
        match event {
            Event::Start(start) if root.is_none() && open.len() < MAX_DEPTH => {
                open.push(begin(&start, &namespace)?);
            }
            Event::End(_) => {
                let element = open.pop().ok_or(Error::MalformedXml)?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => root = Some(element),
                }
            }
            Event::Text(text) if !text.contains("]]>") => {
                add_text(open.last_mut(), &text.xml10_content())?;
            }
            Event::CData(text) if !open.is_empty() => {
                add_text(open.last_mut(), &text.xml10_content())?;
            }
            Event::GeneralRef(reference) if !open.is_empty() => {
                let character = resolve(&reference)?;
                add_text(open.last_mut(), character.encode_utf8(&mut [0; 4]))?;
            }
            Event::Decl(declaration) if first => {
                let encoding = declaration.encoding().transpose();
                let encoding = encoding.map_err(|_| Error::MalformedXml)?;
                if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                    return Err(Error::MalformedXml);
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return root.filter(|_| open.is_empty()).ok_or(Error::MalformedXml),
            _ => return Err(Error::MalformedXml),
        }
        first = false;
    }
}

fn begin(start: &BytesStart<'_>, namespace: &ResolveResult<'_>) -> Result<Element> {
    let known = match namespace {
        ResolveResult::Unbound => true,
        ResolveResult::Bound(Namespace(uri)) => *uri == NAMESPACE,
        ResolveResult::Unknown(_) => false,
    };
    let declares = |attribute: Attribute<'_>| attribute.key.as_namespace_binding().is_some();
    if known && start.attributes().all(|attribute| attribute.is_ok_and(declares)) {
        let name = start.local_name().as_ref().to_owned();
        Ok(Element { name, text: String::new(), children: Vec::new() })
    } else {
        Err(Error::MalformedXml)
    }
}

fn add_text(element: Option<&mut Element>, text: &str) -> Result<()> {
    if !text.chars().all(is_allowed) {
        return Err(Error::MalformedXml);
    }
    match element {
        Some(element) => element.text.push_str(text),
        None if is_blank(text) => {}
        None => return Err(Error::MalformedXml),
    }
    Ok(())
}

fn resolve(reference: &BytesRef<'_>) -> Result<char> {
    let character = reference.resolve_char_ref().map_err(|_| Error::MalformedXml)?;
    match (character, reference.as_ref()) {
        (Some(character), _) => Ok(character),
        (None, "lt") => Ok('<'),
        (None, "gt") => Ok('>'),
        (None, "amp") => Ok('&'),
        (None, "quot") => Ok('"'),
        (None, "apos") => Ok('\''),
        (None, _) => Err(Error::MalformedXml),
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// XML 1.0, production 2.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_of(document: &str) -> Option<String> {
        let root = Element::parse(document.as_bytes(), "A").ok()?;
        let [child] = root.children(["B"]).ok()?;
        child?.text().ok().map(str::to_owned)
    }

    #[test]
    fn a_document_is_read_in_each_form_that_clients_send() {
        let forms = [
            "<A><B>x&amp;y</B></A>",
            "\u{feff}<?xml version='1.0' encoding='utf-8'?>\n<!-- a --><A>\n <B>x&#38;y</B>\n</A>\n",
            "<?xml version=\"1.0\"?><A xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><B>x&#x26;y</B></A>",
            "<s:A xmlns:s='http://s3.amazonaws.com/doc/2006-03-01/'><s:B>x<![CDATA[&y]]></s:B></s:A>",
            "<A xmlns='http://s3.amazonaws.com/doc/2006-03-01/' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><B>x<?p?>&amp;<!-- b -->y</B></A>",
        ];
        for form in forms {
            assert_eq!(text_of(form).as_deref(), Some("x&y"), "{form}");
        }
        assert_eq!(text_of("<A><B/></A>").as_deref(), Some(""));
    }

    #[test]
    fn what_is_not_well_formed_or_not_of_the_schema_is_malformed() {
        let depth = "<A>".repeat(MAX_DEPTH + 1) + &"</A>".repeat(MAX_DEPTH + 1);
        let forms = [
            "",
            " ",
            "A",
            "<A>",
            "<A/><A/>",
            "<A></A>x",
            "x<A></A>",
            "<A></B>",
            "</A>",
            "<C/>",
            "<A><B/><B/></A>",
            "<A><C/></A>",
            "<A>x<B/></A>",
            "<A><B><B/></B></A>",
            "<A a='b'><B/></A>",
            "<A><B xmlns='http://example.com/'/></A>",
            "<A><s:B/></A>",
            "<A xmlns:s='a' xmlns:s='b'><B/></A>",
            "<!DOCTYPE A><A><B/></A>",
            "<!DOCTYPE A [<!ENTITY e 'x'>]><A><B>&e;</B></A>",
            "<A><B>&e;</B></A>",
            "<A><B>&amp</B></A>",
            "<A><B>&#0;</B></A>",
            "<A><B>&#1;</B></A>",
            "<A><B>\u{1}</B></A>",
            "<A><B>&#xfffe;</B></A>",
            "<A><!-- a -- b --><B/></A>",
            "\u{feff}\u{feff}<A><B/></A>",
            "<A><B></B a='b'></A>",
            "<A><B>]]></B></A>",
            "<s:A xmlns:s='http://s3.amazonaws.com/doc/2006-03-01/' xmlns:t='http://s3.amazonaws.com/doc/2006-03-01/'><s:B></t:B></s:A>",
            "<A xmlns='https://s3.amazonaws.com/doc/2006-03-01/'><B/></A>",
            "<A xmlns='http://s3.amazonaws.com/doc/2006-03-01'><B/></A>",
            "<A xmlns='http://s3.amazonaws.com/DOC/2006-03-01/'><B/></A>",
            "<a><B/></a>",
            "<A><B>&#+65;</B></A>",
            "<A><B>&#xd800;</B></A>",
            "<A><B>&#4294967361;</B></A>",
            "<A>\u{a0}<B/></A>",
            "<!DOCTYPE A SYSTEM 'file:///etc/passwd'><A><B/></A>",
            "<!DOCTYPE A [<!ENTITY a 'x'><!ENTITY b '&a;&a;&a;&a;'>]><A><B>&b;</B></A>",
            "<A/><!DOCTYPE A>",
            "<A><?xml version='1.0'?><B/></A>",
            " <?xml version='1.0'?><A><B/></A>",
            "<A/>&amp;",
            "<A/><![CDATA[]]>",
            "<?xml version='1.0' encoding='utf-16'?><A><B/></A>",
            "<A/><?xml version='1.0'?>",
            depth.as_str(),
        ];
        for form in forms {
            assert_eq!(text_of(form), None, "{form}");
        }
        assert!(Element::parse(b"<A><B>\xff</B></A>", "A").is_err());
    }

    #[test]
    fn a_document_longer_than_64_kib_is_not_read() {
        let document = |length: usize| format!("<A>{:length$}</A>", "", length = length - 7);
        assert!(Element::parse(document(MAX_LEN).as_bytes(), "A").is_ok());
        assert!(Element::parse(document(MAX_LEN + 1).as_bytes(), "A").is_err());
    }

    proptest! {
        #[test]
        fn any_text_goes_out_as_xml_and_comes_back(text in any::<String>()) {
            let mut document = String::from("<A>");
            push_element(&mut document, "B", &text);
            document.push_str("</A>");
            let kept = text.replace(|c| !is_allowed(c), "\u{fffd}");
            prop_assert_eq!(text_of(&document), Some(kept));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(
            pieces in prop::collection::vec(
                prop::sample::select(vec!["<A>", "</A>", "<B>", "</B>", "<B/>", "&", "amp;", "<!--", "-->",
                    "<![CDATA[", "]]>", "<?", "?>", "<!DOCTYPE", "[", "]>", "xmlns", "=", "'", "\"", "x", " "]),
                0..24,
            ),
        ) {
            let document = pieces.concat();
            let _ = Element::parse(document.as_bytes(), "A");
            let _ = text_of(&format!("<A><B>{document}</B></A>"));
        }
    }
}
