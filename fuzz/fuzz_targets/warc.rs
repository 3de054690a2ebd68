//! See `pressmark_fuzz::warc`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pressmark_fuzz::warc(bytes));
