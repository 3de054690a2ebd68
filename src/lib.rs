//! pressmark.

pub mod extract;
pub mod seeds;
pub mod web;
