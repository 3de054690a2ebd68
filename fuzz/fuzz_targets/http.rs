//! See `pressmark_fuzz::http`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pressmark_fuzz::http(bytes));
