//! Incoming pieces of any size, cut into units of the sizes asked for.

use bytes::{Buf, Bytes, BytesMut};
use zeroize::Zeroize;

/// Units that one block of memory serves, as long as what was given out of it is kept elsewhere.
const UNITS_A_BLOCK: usize = 4;

/// Units are cut out of the piece that holds them whole, when that has no other owner; others are
/// copied into a block that is used again once nobody holds it any more.
pub(super) struct Pieces {
    /// What is left of the piece that came last.
    piece: Piece,
    /// The beginning of a unit. May be plaintext.
    gathered: BytesMut,
}

/// A piece, by who owns its memory.
enum Piece {
    Ours(BytesMut),
    Shared(Bytes),
}

/// A unit of the length asked for.
pub(super) enum Unit {
    /// In the memory it came in.
    InPlace(BytesMut),
    /// A copy in memory of our own.
    Copied(BytesMut),
}

impl Pieces {
    pub(super) fn new() -> Self {
        Self { piece: Piece::Shared(Bytes::new()), gathered: BytesMut::new() }
    }

    /// Takes in a piece. The one before must be used up.
    #[inline]
    pub(super) fn put(&mut self, piece: Bytes) {
        self.piece = piece.try_into_mut().map_or_else(Piece::Shared, Piece::Ours);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.gathered.is_empty() && self.piece.len() == 0
    }

    /// A unit of `length` bytes, in place if it can be; a copy has `spare` bytes behind it.
    #[inline]
    pub(super) fn take(&mut self, length: usize, spare: usize) -> Option<Unit> {
        match &mut self.piece {
            Piece::Ours(piece) if self.gathered.is_empty() && piece.len() >= length => {
                Some(Unit::InPlace(piece.split_to(length)))
            }
            _ => self.take_copy(length, spare).map(Unit::Copied),
        }
    }

    /// A unit of `length` bytes, copied, with `spare` bytes behind it.
    pub(super) fn take_copy(&mut self, length: usize, spare: usize) -> Option<BytesMut> {
        let wanted = length - self.gathered.len();
        if wanted > 0 && self.piece.len() > 0 {
            self.make_room(length + spare);
            self.piece.move_to(wanted, &mut self.gathered);
        }
        (self.gathered.len() == length).then(|| self.take_gathered(spare))
    }

    /// What has come of a unit, and `spare` bytes behind it.
    pub(super) fn take_gathered(&mut self, spare: usize) -> BytesMut {
        let length = self.gathered.len() + spare;
        self.make_room(length);
        self.gathered.resize(length, 0);
        self.gathered.split()
    }

    /// Room for a unit. It never moves what was gathered: it is made with the first byte.
    fn make_room(&mut self, unit: usize) {
        if self.gathered.capacity() < unit {
            self.gathered.reserve(unit * UNITS_A_BLOCK);
        }
    }
}

impl Piece {
    #[inline]
    fn len(&self) -> usize {
        match self {
            Self::Ours(piece) => piece.len(),
            Self::Shared(piece) => piece.len(),
        }
    }

    /// Moves at most `most` bytes.
    fn move_to(&mut self, most: usize, gathered: &mut BytesMut) {
        let count = self.len().min(most);
        match self {
            Self::Ours(piece) => {
                gathered.extend_from_slice(&piece[..count]);
                piece.advance(count);
            }
            Self::Shared(piece) => {
                gathered.extend_from_slice(&piece[..count]);
                piece.advance(count);
            }
        }
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.gathered.zeroize();
    }
}
