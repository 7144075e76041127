//! What an attestation says of a page besides its digests of bytes.
//!
//! Decides which fields there are, that each has a version, and their form on the wire. Never compares two of them.

use super::block::MAX_BLOCKS;
use super::sketch::Sketch;
use crate::digest::Digest;
use crate::vocabulary::vocabulary;
use crate::wire::bounds::{self, WireError};
use crate::wire::pb;

/// By which rules each field was computed. A rule that changes gets another number, and statements under different
/// numbers are not comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LayerVersions {
    /// The canonical digest.
    pub canonical: u16,
    /// Where blocks end and what they cover.
    pub blocks: u16,
    /// The sketch.
    pub sketch: u16,
    /// What counts as active content.
    pub active: u16,
    /// The detector of pages that are none.
    pub neutral: u16,
}

impl LayerVersions {
    /// Those of this build.
    pub const CURRENT: Self = Self { canonical: 2, blocks: 2, sketch: 2, active: 1, neutral: 1 };
}

vocabulary! {
    /// Why a response is no voice for or against a page: the site gave it to this visitor, not to everybody.
    Neutral {
        /// A test whether the visitor is a person.
        Challenge => "challenge",
        /// Refused to this visitor: 403, 451, or a page that says so.
        Blocked => "blocked",
        /// Too many requests: 429.
        RateLimited => "rate_limited",
        /// A question about cookies in place of the page.
        Consent => "consent",
        /// To be logged in for: 401, 407, or a page that asks for a password in place of the page.
        Login => "login",
    }
}

/// What is attested of one parsed page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagePrint {
    /// Of the list of blocks, which travels beside the attestation.
    pub blocks: Digest,
    /// How many they are.
    pub block_count: u16,
    /// Of text and structure.
    pub sketch: Sketch,
    /// Of the set of scripts, frames, embedded objects, inline handlers and forms' targets.
    pub active: Digest,
}

impl LayerVersions {
    pub(crate) fn to_pb(self) -> pb::LayerVersions {
        pb::LayerVersions {
            canonical: self.canonical.into(),
            blocks: self.blocks.into(),
            sketch: self.sketch.into(),
            active: self.active.into(),
            neutral: self.neutral.into(),
        }
    }

    pub(crate) fn from_pb(value: Option<pb::LayerVersions>) -> Result<Self, WireError> {
        let missing = || WireError::invalid("response.versions", "missing");
        let value = value.ok_or_else(missing)?;
        Ok(Self {
            canonical: bounds::small("versions.canonical", value.canonical)?,
            blocks: bounds::small("versions.blocks", value.blocks)?,
            sketch: bounds::small("versions.sketch", value.sketch)?,
            active: bounds::small("versions.active", value.active)?,
            neutral: bounds::small("versions.neutral", value.neutral)?,
        })
    }
}

impl PagePrint {
    pub(crate) fn to_pb(&self) -> pb::PagePrint {
        pb::PagePrint {
            blocks_digest: self.blocks.0.into(),
            block_count: self.block_count.into(),
            words: self.sketch.words_to_bytes(),
            simhash: self.sketch.simhash,
            text_chars: self.sketch.text_chars,
            paths: self.sketch.paths.into(),
            active_digest: self.active.0.into(),
        }
    }

    pub(crate) fn from_pb(value: &pb::PagePrint) -> Result<Self, WireError> {
        let paths = value.paths.as_slice().try_into();
        let block_count = bounds::small("page.block_count", value.block_count)?;
        bounds::at_most("page.block_count", block_count.into(), MAX_BLOCKS)?;
        Ok(Self {
            blocks: bounds::digest("page.blocks_digest", &value.blocks_digest)?,
            block_count,
            sketch: Sketch {
                words: Sketch::words_from_bytes(&value.words)?,
                simhash: value.simhash,
                text_chars: value.text_chars,
                paths: paths.map_err(|_| {
                    WireError::invalid("page.paths", format!("{} bytes", value.paths.len()))
                })?,
            },
            active: bounds::digest("page.active_digest", &value.active_digest)?,
        })
    }
}
