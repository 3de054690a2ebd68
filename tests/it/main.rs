//! Tests through the doors that users go through, and tests of the house itself.
//! Every file of this folder is named here (`tidy` looks).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod door;
mod framing;
mod licences;
mod origin;
mod readers;
mod tidy;
