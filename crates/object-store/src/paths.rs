//! Where bodies are kept: [`Paths`].

use object_cipher_core::ObjectId;
use object_store::path::{Path, PathPart};

use crate::{Error, Result};

/// Bytes of an object's name.
const ID_LEN: usize = 16;

/// Where everything but the records is kept: under one prefix, which nobody sees through the store.
///
/// A body's name is that of its object, which is random and stays through copies and changes of key. So
/// a body is written once, and never over another.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    reserved: Path,
}

impl Paths {
    pub(crate) fn new(reserved: Path) -> Self {
        Self { reserved }
    }

    /// Where the body of an object is, all its parts one after the other.
    pub(crate) fn body(&self, object: ObjectId) -> Path {
        self.of(Kind::Bodies, object)
    }

    /// Where the mark is that more than one record may have named a body.
    pub(crate) fn mark(&self, object: ObjectId) -> Path {
        self.of(Kind::Shared, object)
    }

    /// The prefix of all bodies.
    pub(crate) fn bodies(&self) -> Path {
        self.reserved.clone().join(Kind::Bodies.name())
    }

    /// The prefix of all marks.
    pub(crate) fn marks(&self) -> Path {
        self.reserved.clone().join(Kind::Shared.name())
    }

    /// The object whose body or mark is at a path.
    pub(crate) fn object_at(path: &Path) -> Option<ObjectId> {
        let name = path.filename()?;
        if name.len() != ID_LEN * 2 || !name.is_ascii() {
            return None;
        }
        let mut bytes = [0; ID_LEN];
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&name[at..at + 2], 16).ok()?;
        }
        Some(ObjectId::from_bytes(bytes))
    }

    /// Whether a path is not for objects. Some file systems do not tell `A` from `a`.
    pub(crate) fn is_reserved(&self, path: &Path) -> bool {
        let mut parts = path.parts();
        self.reserved.parts().all(|reserved| {
            let is_it = |part: PathPart<'_>| part.as_ref().eq_ignore_ascii_case(reserved.as_ref());
            parts.next().is_some_and(is_it)
        })
    }

    /// A path that objects can have.
    ///
    /// # Errors
    /// [`Error::Reserved`] for others.
    pub(crate) fn check(&self, path: &Path) -> Result<()> {
        if self.is_reserved(path) { Err(Error::Reserved { path: path.clone() }) } else { Ok(()) }
    }

    fn of(&self, kind: Kind, object: ObjectId) -> Path {
        // Folders of two digits, since file systems and some stores are slow with large ones.
        let name = object.to_string();
        self.reserved.clone().join(kind.name()).join(&name[..2]).join(name)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Bodies,
    Shared,
}

impl Kind {
    fn name(self) -> PathPart<'static> {
        match self {
            Self::Bodies => "bodies".into(),
            Self::Shared => "shared".into(),
        }
    }
}
