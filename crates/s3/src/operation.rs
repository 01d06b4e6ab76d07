//! The operations of S3 that speak of encryption.

/// An operation of S3 whose request or answer speaks of encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Writes an object.
    PutObject,
    /// Writes an object from an HTML form, whose fields stand for headers.
    PostObject,
    /// Begins a multipart upload and fixes its encryption.
    CreateMultipartUpload,
    /// Writes a part.
    UploadPart,
    /// Writes a part from a stored object.
    UploadPartCopy,
    /// Makes an object of the parts.
    CompleteMultipartUpload,
    /// Lists the parts of an upload.
    ListParts,
    /// Writes an object from a stored one.
    CopyObject,
    /// Reads an object.
    GetObject,
    /// Tells about an object.
    HeadObject,
    /// Tells about an object, its parts and its checksum.
    GetObjectAttributes,
    /// Reads what a query asks of an object.
    SelectObjectContent,
}

impl Operation {
    /// Whether the request may choose a mode, by the header
    /// `x-amz-server-side-encryption` and its kin.
    pub const fn chooses_mode(self) -> bool {
        matches!(
            self,
            Self::PutObject | Self::PostObject | Self::CreateMultipartUpload | Self::CopyObject
        )
    }

    /// Whether it reads a stored object under a copy-source customer key.
    pub const fn copies(self) -> bool {
        matches!(self, Self::CopyObject | Self::UploadPartCopy)
    }

    /// Whether it reads the object it names.
    pub const fn reads(self) -> bool {
        matches!(
            self,
            Self::GetObject
                | Self::HeadObject
                | Self::GetObjectAttributes
                | Self::SelectObjectContent
        )
    }
}
