//! See `pressmark_fuzz::gzip`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pressmark_fuzz::gzip(bytes));
