//! Measurements behind the constants: each says what it measures and on what.

fn main() {}
