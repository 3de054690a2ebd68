//! What a page says of its article: headline, authors, dates, sections, address of record.

pub mod authors;
pub mod byline;
pub mod dates;
pub mod facts;
pub mod months;
pub mod names;
pub mod order;
pub mod published;
pub mod title;
