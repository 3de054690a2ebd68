//! pressmark.

pub mod extract;
pub mod politeness;
pub mod seeds;
pub mod web;
