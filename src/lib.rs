//! pressmark.

pub mod archive;
pub mod extract;
pub mod fetch;
pub mod politeness;
pub mod seeds;
pub mod store;
pub mod web;
pub mod wire;
