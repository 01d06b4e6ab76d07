//! A token, by its PKCS#11 library.

use object_cipher_kms_pkcs11::{Pin, Pkcs11Kms, Settings, TokenName};

use super::{Result, needed};
use crate::args::KmsArgs;

pub(super) fn kms(args: &KmsArgs) -> Result<Pkcs11Kms> {
    let module = needed(args.kms_module.as_ref(), "--kms-module")?;
    let pin = needed(args.kms_pin_file.as_ref(), "--kms-pin-file")?;
    let token = needed(args.kms_token.as_ref(), "--kms-token")?;
    let (label, serial) = token.rsplit_once(':').ok_or("a token is named LABEL:SERIAL")?;
    let token = TokenName { label: label.into(), serial: serial.into() };
    let settings = Settings::new(module, token, Pin::file(pin));
    let settings = args.kms_keys.iter().fold(settings, Settings::key);
    Ok(Pkcs11Kms::start(settings)?)
}
