//! [`Case`]: the response files of NIST's CAVP.

use std::{fs, io, path::Path};

/// One case of a response file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// The headings of its section: name and value.
    pub headings: Vec<(String, String)>,
    /// Its lines: name and value.
    pub fields: Vec<(String, String)>,
    /// Whether it has to be refused.
    pub fails: bool,
}

impl Case {
    /// The cases of a response file.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn load(path: &Path) -> io::Result<Vec<Self>> {
        Ok(Self::parse(&fs::read_to_string(path)?))
    }

    /// The cases in a response file's text. Comments, and lines of no known form, are passed over.
    ///
    /// ```
    /// use object_cipher_testkit::vectors::Case;
    ///
    /// let cases = Case::parse("[PTlen = 8]\n\nCOUNT = 0\nP = ff\nCOUNT = 1\nC = \nFAIL\n");
    /// assert_eq!(cases.len(), 2);
    /// assert_eq!((cases[0].heading("PTlen"), cases[0].bytes("P")), (Some("8"), Some(vec![0xff])));
    /// assert_eq!((cases[1].bytes("C"), cases[1].bytes("P")), (Some(vec![]), None));
    /// assert!(cases[1].fails && !cases[0].fails);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Vec<Self> {
        let (mut cases, mut headings) = (Vec::<Self>::new(), Vec::new());
        let mut in_headings = false;
        for line in text.lines().map(str::trim) {
            if let Some(heading) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                if !in_headings {
                    headings.clear();
                }
                headings.extend(pair(heading));
                in_headings = true;
            } else if let Some((name, value)) = pair(line) {
                in_headings = false;
                if name.eq_ignore_ascii_case("count") {
                    cases.push(Self { headings: headings.clone(), ..Self::default() });
                } else if let Some(case) = cases.last_mut() {
                    case.fields.push((name, value));
                }
            } else if let Some(case) = cases.last_mut().filter(|_| line == "FAIL") {
                case.fails = true;
            }
        }
        cases
    }

    /// The value of a heading.
    #[must_use]
    pub fn heading(&self, name: &str) -> Option<&str> {
        self.headings.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The bytes of a field.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let (_, value) = self.fields.iter().find(|(key, _)| key == name)?;
        hex::decode(value).ok()
    }
}

fn pair(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}
