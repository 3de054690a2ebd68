//! pressmark.

pub mod archive;
pub mod crawl;
pub mod demo;
pub mod extract;
pub mod fetch;
pub mod frontier;
pub mod politeness;
pub mod seeds;
pub mod store;
pub mod web;
pub mod wire;
