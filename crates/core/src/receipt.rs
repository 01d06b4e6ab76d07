//! What an uploaded part leaves behind: [`PartReceipt`], sealed.

use alloc::vec::Vec;

use crate::{
    Checksum, ChecksumAlgorithm, ETag, Error, Headers, Item, ObjectId, Result, Suite,
    data_keys::{DataKeys, Purpose, Salts},
    part_table::PartEntry,
    reader::Reader,
    wiped::Wiped,
};

/// A receipt has at most this many checksums.
pub const MAX_RECEIPT_CHECKSUMS: usize = 4;

/// One attempt of a part, as its sealed receipt tells: opened, and compared with the stored body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartReceipt {
    pub(crate) object: ObjectId,
    pub(crate) entry: PartEntry,
    etag: ETag,
    checksums: Vec<Checksum>,
}

impl PartReceipt {
    /// The part number, 1 to 10,000.
    pub fn part(&self) -> u32 {
        self.entry.part
    }

    /// The part's plaintext length, in bytes.
    pub fn plaintext_len(&self) -> u64 {
        self.entry.length
    }

    /// The part's ETag.
    pub fn etag(&self) -> ETag {
        self.etag
    }

    /// The part's checksums, at most four, by rising algorithm.
    pub fn checksums(&self) -> &[Checksum] {
        &self.checksums
    }

    /// The headers that the part's stored body begins with.
    pub fn headers(&self) -> &Headers {
        self.entry.headers()
    }

    /// Seals a receipt: u64 length ‖ headers ‖ `ETag`\[16\] ‖ count u8 ‖ {algorithm u8 ‖ digest}.
    pub(crate) fn seal(
        keys: &DataKeys,
        salts: &Salts,
        entry: &PartEntry,
        etag: ETag,
        checksums: &[Checksum],
    ) -> Result<Vec<u8>> {
        let mut sorted = checksums.to_vec();
        sorted.sort_by_key(|checksum| checksum.algorithm().byte());
        let repeated = sorted.windows(2).any(|pair| pair[0].algorithm() == pair[1].algorithm());
        let count = u8::try_from(sorted.len()).unwrap_or(u8::MAX);
        if usize::from(count) > MAX_RECEIPT_CHECKSUMS || repeated {
            return Err(Error::Misuse("a part has at most four checksums, one an algorithm"));
        }
        let digests: usize = sorted.iter().map(|checksum| 1 + checksum.digest().len()).sum();
        let length = 8 + entry.headers.as_bytes().len() + 16 + 1 + digests;
        let mut plaintext = Wiped::new(Vec::with_capacity(length));
        plaintext.extend_from_slice(&entry.length.to_be_bytes());
        plaintext.extend_from_slice(entry.headers.as_bytes());
        plaintext.extend_from_slice(&etag.0);
        plaintext.push(count);
        for checksum in &sorted {
            plaintext.push(checksum.algorithm().byte());
            plaintext.extend_from_slice(checksum.digest());
        }
        let mut message = Vec::new();
        keys.seal_message(Purpose::Receipt { part: entry.part }, salts, &plaintext, &mut message)?;
        Ok(message)
    }

    pub(crate) fn open(keys: &DataKeys, part: u32, sealed: &[u8]) -> Result<Self> {
        let plaintext = keys.open_message(Purpose::Receipt { part }, sealed)?;
        let mut reader = Reader::new(Item::Receipt, &plaintext);
        let length = reader.u64()?;
        let suite = keys.suite();
        let headers = Headers::parse(suite, reader.take(header_len(suite))?)?;
        let etag = ETag(reader.array()?);
        let count = usize::from(reader.u8()?);
        if count > MAX_RECEIPT_CHECKSUMS {
            return Err(reader.field("checksum count"));
        }
        let mut checksums: Vec<Checksum> = Vec::with_capacity(count);
        for _ in 0..count {
            let checksum = read_checksum(&mut reader)?;
            let last = checksums.last().map(|last| last.algorithm().byte());
            if last >= Some(checksum.algorithm().byte()) {
                return Err(reader.field("checksum order"));
            }
            checksums.push(checksum);
        }
        reader.end()?;
        let entry = PartEntry { part, length, headers };
        Ok(Self { object: keys.object, entry, etag, checksums })
    }
}

/// The receipts kept with an upload that was completed without its key (state 3): u32 count ‖
/// {part u32 ‖ u32 length ‖ receipt}, parts strictly rising.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KeylessReceipts(Vec<(u32, Vec<u8>)>);

impl KeylessReceipts {
    /// The sealed receipts of the parts that the client named, in its order.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the parts are not 1 to 10,000, strictly rising.
    pub fn new(receipts: Vec<(u32, Vec<u8>)>) -> Result<Self> {
        let rising = receipts.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let valid = receipts.iter().all(|(part, _)| (1..=crate::MAX_PARTS).contains(part));
        if receipts.is_empty() || !rising || !valid {
            return Err(Error::Misuse("parts go from 1 to 10,000, each once, rising"));
        }
        Ok(Self(receipts))
    }

    /// The receipts by part number.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u32, &[u8])> {
        self.0.iter().map(|(part, receipt)| (*part, receipt.as_slice()))
    }

    /// The stored form.
    ///
    /// # Errors
    /// [`Error::Limit`] when a receipt exceeds 4 GiB.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        crate::reader::write_u32(self.0.len(), &mut out)?;
        for (part, receipt) in &self.0 {
            out.extend_from_slice(&part.to_be_bytes());
            crate::reader::write_u32(receipt.len(), &mut out)?;
            out.extend_from_slice(receipt);
        }
        Ok(out)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is not canonical.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(Item::KeylessReceipts, bytes);
        let count = reader.u32()?;
        if !(1..=crate::MAX_PARTS).contains(&count) {
            return Err(reader.field("count"));
        }
        let mut receipts = Vec::new();
        for _ in 0..count {
            let part = reader.u32()?;
            let length = reader.u32()?;
            receipts.push((part, reader.take(length as usize)?.to_vec()));
        }
        let parts = reader.field("part");
        reader.end()?;
        Self::new(receipts).map_err(|_| parts)
    }
}

fn read_checksum(reader: &mut Reader<'_>) -> Result<Checksum> {
    let algorithm = ChecksumAlgorithm::from_byte(reader.u8()?);
    let algorithm = algorithm.ok_or(reader.field("checksum algorithm"))?;
    Checksum::new(algorithm, reader.take(algorithm.digest_len())?)
}

fn header_len(suite: Suite) -> usize {
    crate::Layout::new(suite).header_len()
}
