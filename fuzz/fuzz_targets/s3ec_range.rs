#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| object_cipher_fuzz::run("s3ec_range", data));
