//! `RustCrypto` keeps every promise of a backend.

use object_cipher_rustcrypto::RustCrypto;

object_cipher_testkit::backend_tests!(RustCrypto);
object_cipher_testkit::message_backend_tests!(RustCrypto);
