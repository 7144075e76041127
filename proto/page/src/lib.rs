//! What a fetched page says: charset, canonical digest, links, title, text.
//!
//! Decides how bytes become text, which parts of a page count when two agents' copies are compared, and what is
//! extracted from it. The agent and the coordinator run the same code on the same bytes. Never reads a clock, a disk
//! or a socket, and runs no script of a page.

pub mod active;
pub mod attested;
pub mod blocks;
pub mod canonical;
pub mod charset;
pub mod depth;
pub mod document;
pub mod fingerprint;
pub mod links;
pub mod main_text;
pub mod markdown;
pub mod neutral;
pub mod page_type;
pub mod prescan;
mod relative_time;
pub mod sketch;
pub mod text;
mod walk;

pub use document::Page;
