//! The files of `vectors/`, and loading them: [`VectorFile`] and [`Vectors`].

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    BodyVector, BucketObjectVector, CompanionNameVector, EncryptionContextVector,
    MetadataPairVector, ObjectVector, SizeVector, UploadVector, WrapVector,
};

/// What every file names as its format.
const FORMAT: &str = "object-cipher-vectors/1";

/// The files, in the order of [`Vectors`]'s fields.
pub const FILE_NAMES: [&str; 9] = [
    "bodies.json",
    "wraps.json",
    "objects.json",
    "uploads.json",
    "encryption_contexts.json",
    "sizes.json",
    "metadata_pairs.json",
    "companion_names.json",
    "bucket_objects.json",
];

/// One file of vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorFile<V> {
    /// The schema and its version: `object-cipher-vectors/1`.
    pub format: String,
    /// What the vectors are of, in a sentence.
    pub about: String,
    /// The vectors.
    pub vectors: Vec<V>,
}

/// All vectors of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vectors {
    /// `bodies.json`
    pub bodies: VectorFile<BodyVector>,
    /// `wraps.json`
    pub wraps: VectorFile<WrapVector>,
    /// `objects.json`
    pub objects: VectorFile<ObjectVector>,
    /// `uploads.json`
    pub uploads: VectorFile<UploadVector>,
    /// `encryption_contexts.json`
    pub encryption_contexts: VectorFile<EncryptionContextVector>,
    /// `sizes.json`
    pub sizes: VectorFile<SizeVector>,
    /// `metadata_pairs.json`
    pub metadata_pairs: VectorFile<MetadataPairVector>,
    /// `companion_names.json`
    pub companion_names: VectorFile<CompanionNameVector>,
    /// `bucket_objects.json`
    pub bucket_objects: VectorFile<BucketObjectVector>,
}

/// Why vectors were not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {file}")]
    Io {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not of the schema.
    #[error("{file} is not a file of vectors")]
    Json {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The file is of another version of the schema.
    #[error("{file} has the format {found}, not {FORMAT}")]
    Format {
        /// Which file.
        file: String,
        /// Its format.
        found: String,
    },
}

impl<V> VectorFile<V> {
    /// A file of vectors.
    pub fn new(about: &str, vectors: Vec<V>) -> Self {
        Self { format: FORMAT.into(), about: about.into(), vectors }
    }
}

impl<V: Serialize> VectorFile<V> {
    /// The file's text: indented JSON, ended by a newline.
    ///
    /// # Errors
    /// When a value has no form in JSON.
    pub fn to_text(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl<V: DeserializeOwned> VectorFile<V> {
    /// Loads a file of a folder.
    ///
    /// # Errors
    /// When it cannot be read, or is not of the schema.
    pub fn load(folder: &Path, file: &str) -> Result<Self, LoadError> {
        let text = fs::read_to_string(folder.join(file))
            .map_err(|source| LoadError::Io { file: file.into(), source })?;
        let loaded: Self = serde_json::from_str(&text)
            .map_err(|source| LoadError::Json { file: file.into(), source })?;
        if loaded.format != FORMAT {
            return Err(LoadError::Format { file: file.into(), found: loaded.format });
        }
        Ok(loaded)
    }
}

impl Vectors {
    /// Loads all files of a folder.
    ///
    /// # Errors
    /// As [`VectorFile::load`].
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let [
            bodies,
            wraps,
            objects,
            uploads,
            encryption_contexts,
            sizes,
            metadata_pairs,
            companion_names,
            bucket_objects,
        ] = FILE_NAMES;
        Ok(Self {
            bodies: VectorFile::load(folder, bodies)?,
            wraps: VectorFile::load(folder, wraps)?,
            objects: VectorFile::load(folder, objects)?,
            uploads: VectorFile::load(folder, uploads)?,
            encryption_contexts: VectorFile::load(folder, encryption_contexts)?,
            sizes: VectorFile::load(folder, sizes)?,
            metadata_pairs: VectorFile::load(folder, metadata_pairs)?,
            companion_names: VectorFile::load(folder, companion_names)?,
            bucket_objects: VectorFile::load(folder, bucket_objects)?,
        })
    }

    /// The files' names and texts.
    ///
    /// # Errors
    /// As [`VectorFile::to_text`].
    pub fn to_texts(&self) -> serde_json::Result<[(&'static str, String); 9]> {
        let [
            bodies,
            wraps,
            objects,
            uploads,
            encryption_contexts,
            sizes,
            metadata_pairs,
            companion_names,
            bucket_objects,
        ] = FILE_NAMES;
        Ok([
            (bodies, self.bodies.to_text()?),
            (wraps, self.wraps.to_text()?),
            (objects, self.objects.to_text()?),
            (uploads, self.uploads.to_text()?),
            (encryption_contexts, self.encryption_contexts.to_text()?),
            (sizes, self.sizes.to_text()?),
            (metadata_pairs, self.metadata_pairs.to_text()?),
            (companion_names, self.companion_names.to_text()?),
            (bucket_objects, self.bucket_objects.to_text()?),
        ])
    }
}
