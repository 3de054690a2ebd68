//! What happened and what is there, said to people and to programs.
//!
//! [`Progress`] listens to a run and shows it while it lasts; [`fn@summary`] closes it. [`Work`] does the same for
//! work on files. [`fn@status`] is the screen of
//! what an archive holds and what waits, [`table`] the rows of a question in five formats,
//! [`fn@findings`] what the extractor sees in a document. Everything here writes to
//! what `cli` hands over, or returns text: no stream is opened, nothing depends on colour, and text that came from
//! the web has lost its control characters before it can reach a terminal ([`clean`]).

mod findings;
mod progress;
mod status;
mod summary;
pub mod table;
mod words;
mod work;

pub use findings::findings;
pub use progress::{Progress, Style};
pub use status::{status, status_json};
pub use summary::summary;
pub use words::{bytes, clean, counted, duration, json, lines};
pub use work::Work;
