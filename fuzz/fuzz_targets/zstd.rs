//! See `pressmark_fuzz::zstd`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pressmark_fuzz::zstd(bytes));
