//! Which text is the article, and what it is written in.

pub mod body;
pub mod boilerplate;
pub mod features;
pub mod groups;
pub mod html;
pub mod judge;
pub mod language;
pub mod outline;
pub mod prose;
