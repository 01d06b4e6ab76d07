//! What stands for a login: [`Token`].

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderValue;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// A lease is not renewed more often.
const PAUSE: Duration = Duration::from_secs(1);

/// A token, and what is known of its life. Clones share the token's bytes.
#[derive(Clone)]
pub(crate) struct Token {
    header: HeaderValue,
    /// When the server gave or renewed it.
    pub(crate) confirmed: Instant,
    pub(crate) lease: Option<Lease>,
    pub(crate) file: Option<FileStamp>,
}

/// For how long a token holds.
#[derive(Clone, Copy)]
pub(crate) struct Lease {
    pub(crate) length: Duration,
    pub(crate) renewable: bool,
    renew_at: Instant,
    end: Instant,
}

/// Tells whether a file is another now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileStamp {
    pub(crate) modified: Option<SystemTime>,
    pub(crate) len: u64,
}

/// Where in its life a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Age {
    Fresh,
    /// It holds, and should be renewed.
    Due,
    Ended,
}

impl Token {
    /// A token of this text, which is wiped with it; none of what cannot be one.
    pub(crate) fn new(text: Zeroizing<Vec<u8>>, lease: Option<Lease>) -> Option<Self> {
        if text.is_empty() || !text.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).ok()?;
        header.set_sensitive(true);
        Some(Self { header, confirmed: Instant::now(), lease, file: None })
    }

    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }

    pub(crate) fn age(&self, now: Instant) -> Age {
        match self.lease {
            Some(lease) if now >= lease.end => Age::Ended,
            Some(lease) if now >= lease.renew_at => Age::Due,
            _ => Age::Fresh,
        }
    }

    /// The same token, renewed.
    pub(crate) fn renewed(&self, lease: Lease) -> Self {
        Self { confirmed: Instant::now(), lease: Some(lease), ..self.clone() }
    }

    /// The same token, whose renewal is due a little later.
    pub(crate) fn postponed(&self) -> Self {
        let later = |lease: Lease| Lease { renew_at: Instant::now() + PAUSE, ..lease };
        Self { lease: self.lease.map(later), ..self.clone() }
    }
}

impl Lease {
    /// From now on; a length of 0 is for ever. Renewed when two thirds are over.
    pub(crate) fn new(seconds: u64, renewable: bool) -> Option<Self> {
        let length = Duration::from_secs(seconds);
        let now = Instant::now();
        let end = now.checked_add(length).filter(|_| seconds > 0)?;
        let renew_at = now + (length * 2 / 3).max(PAUSE);
        Some(Self { length, renewable, renew_at, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(lease: Option<Lease>) -> Token {
        Token::new(Zeroizing::new(b"s.secret".to_vec()), lease).unwrap()
    }

    #[test]
    fn a_token_is_due_after_two_thirds_of_its_lease() {
        let token = token(Lease::new(30, true));
        let at = |seconds| token.age(token.confirmed + Duration::from_secs(seconds));
        assert_eq!((at(0), at(19)), (Age::Fresh, Age::Fresh));
        assert_eq!((at(21), at(29)), (Age::Due, Age::Due));
        assert_eq!(at(31), Age::Ended);
        let postponed = token.postponed();
        assert_eq!(postponed.age(token.confirmed + Duration::from_secs(31)), Age::Ended);
    }

    #[test]
    fn a_lease_of_nothing_is_for_ever() {
        let token = token(Lease::new(0, true));
        assert_eq!(token.age(token.confirmed + Duration::from_secs(1 << 30)), Age::Fresh);
    }

    #[test]
    fn what_is_no_token_is_refused_and_what_is_one_is_not_shown() {
        for text in ["", "a b", "a\nx: y", "\u{e9}"] {
            assert!(Token::new(Zeroizing::new(text.into()), None).is_none(), "{text:?}");
        }
        assert!(!format!("{:?}", token(None).header()).contains("secret"));
    }
}
