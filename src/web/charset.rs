//! Charsets by the WHATWG rules: byte order mark, then header, then `<meta>`, then a guess.
