//! See `pressmark_fuzz::cdxj`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pressmark_fuzz::cdxj(bytes));
