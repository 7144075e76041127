//! The `verdict` command: verdicts that hold, and such as were altered.

mod alterations;
mod corpus;
mod files;
mod regions;
mod sample;
