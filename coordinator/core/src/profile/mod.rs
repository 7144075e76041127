//! How the pages of a site change between honest fetches, learnt by URL template.
//!
//! Decides which URLs are alike, what a settlement teaches of them, which class of volatility follows, how near two copies
//! have to be, and which blocks of a URL stayed. Learns only from what independent groups agreed on, or from pages on which
//! nobody agreed with anybody, so that one liar, whatever it hands in, makes no template look volatile. Never decides who agrees (quorum),
//! and never what a difference proves (evidence). Research on validation, sections B2, B5 and B8.
//!
//! A geo-variant page can only be told from a forged one by regions, which no result names yet: such pages are noisy,
//! rolling or personalised here, and none is learnt as geo-variant.

mod bands;
mod host;
mod known;
mod learnt;
mod lesson;
mod remembered;
mod template;
mod unlike;

pub use bands::Bands;
pub use host::{HostProfile, TEMPLATES};
pub use known::Known;
pub use learnt::Profile;
pub use lesson::{Lesson, Seen};
pub use remembered::{Remembered, Slot, URLS, stable_after};
pub use template::Template;
