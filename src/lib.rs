//! pressmark.

pub mod demo;
pub mod extract;
pub mod seeds;
pub mod web;
