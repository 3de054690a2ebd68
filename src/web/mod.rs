//! Values of the web, with no I/O: what a URL, an HTTP message, a media type, a digest or an instant *is*.
//!
//! Everything above speaks in these types. Nothing here opens a file, a socket or a clock; the one trait,
//! [`time::Clock`], is the seam through which the floors above ask for the time.

pub mod candidate;
pub mod charset;
pub mod claims;
pub mod digest;
pub mod exchange;
pub mod expiry;
pub mod framing;
pub mod ladder;
pub mod media;
pub mod message;
pub mod outcome;
pub mod picture;
pub mod recent;
pub mod referrer;
pub mod surt;
pub mod time;
pub mod url;
pub mod verdict;
pub mod wrapped;
