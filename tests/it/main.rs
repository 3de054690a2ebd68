//! Tests through the doors that users go through, and tests of the house itself.
//! Every file of this folder is named here (`tidy` looks).

mod tidy;
