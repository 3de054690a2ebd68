//! Where a page leads: to articles, and to next pages.

pub mod listed;
pub mod onward;
pub mod pages;
