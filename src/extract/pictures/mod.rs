//! Which pictures a page has, where each of them is to be had, and which are the article's.

pub mod beside;
pub mod images;
pub mod larger;
pub mod lazy;
pub mod lead;
pub mod placed;
pub mod same;
pub mod srcset;
pub mod stand_ins;
