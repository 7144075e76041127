//! Real pages, honest loads of them and forgeries, each labelled: what the comparison layers see of them.
//!
//! Pages are other people's and read in place. Whoever measures the layers uses these; nothing here decides anything.

pub mod corpus;
pub mod edits;
pub mod measure;
pub mod source;
pub mod trial;
