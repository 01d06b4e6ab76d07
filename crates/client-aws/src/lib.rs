#![doc = include_str!("../README.md")]

mod client;
mod copy_object;
mod delete_object;
mod error;
mod get_object;
mod head_object;
mod instruction_file;
mod opened_body;
mod put_object;
mod range;
mod re_encrypt;
mod sealed_parts;
mod upload;

pub use aws_sdk_s3;
pub use client::{Builder, HeaderStorage, S3EncryptionClient};
pub use copy_object::CopyObject;
pub use delete_object::{DeleteObject, DeleteObjects};
pub use error::{Error, Result};
pub use get_object::GetObject;
pub use head_object::{HeadObject, HeadObjectOutput};
pub use object_cipher_client;
pub use put_object::{PutObject, PutObjectOutput};
pub use range::{GetUnauthenticatedRange, UnauthenticatedRangeOutput};
pub use re_encrypt::ReEncryptInstructionFile;
pub use upload::{CreateUpload, Upload};
