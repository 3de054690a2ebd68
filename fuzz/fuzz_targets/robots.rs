//! See `pressmark_fuzz::robots`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pressmark_fuzz::robots(bytes));
