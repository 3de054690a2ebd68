//! The demo: a small news site of our own on loopback.
//!
//! [`site`] serves it, [`world`] knows every byte of it, so that a crawl can be compared with the truth.

mod articles;
mod page;
mod picture;
pub mod site;
pub mod world;
