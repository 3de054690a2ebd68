//! The page as it was parsed: one flat list of blocks, pictures, links and marks, which every question is asked of.

pub mod attr;
pub mod bounds;
pub mod hints;
pub mod marks;
pub mod refresh;
pub mod state;
pub mod style;
pub mod tree;
pub mod words;
