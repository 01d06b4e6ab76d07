//! Reading and writing the formats' integers and length-prefixed bytes.

use alloc::vec::Vec;

use crate::{Error, Fault, Item, Result};

/// Takes a byte string apart from the front; every shortage is a typed error.
pub(crate) struct Reader<'a> {
    item: Item,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(item: Item, bytes: &'a [u8]) -> Self {
        Self { item, rest: bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or(self.malformed(Fault::TooShort))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(self.malformed(Fault::TooShort))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Bytes with a u16 length before them, of at most `most`.
    pub(crate) fn prefixed_u16(&mut self, most: usize) -> Result<&'a [u8]> {
        let length = usize::from(self.u16()?);
        if length > most {
            return Err(self.malformed(Fault::TooLong));
        }
        self.take(length)
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(self.malformed(Fault::TrailingBytes)) }
    }

    pub(crate) fn field(&self, name: &'static str) -> Error {
        self.malformed(Fault::Field(name))
    }

    pub(crate) fn malformed(&self, fault: Fault) -> Error {
        Error::Malformed { item: self.item, fault }
    }
}

pub(crate) fn write_u16(length: usize, out: &mut Vec<u8>) -> Result<()> {
    let length =
        u16::try_from(length).map_err(|_| Error::Limit("a field has at most 65,535 bytes"))?;
    out.extend_from_slice(&length.to_be_bytes());
    Ok(())
}

pub(crate) fn write_u32(length: usize, out: &mut Vec<u8>) -> Result<()> {
    let length = u32::try_from(length).map_err(|_| Error::Limit("a field has at most 4 GiB"))?;
    out.extend_from_slice(&length.to_be_bytes());
    Ok(())
}
