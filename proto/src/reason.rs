//! What was decided about an agent, in words that its owner can read.
//!
//! Decides the codes, which never change, and their sentences. Never decides when one applies.

use serde::{Deserialize, Serialize};

/// What was decided about an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Block page, time-out, failed fetch.
    Unreachable,
    /// The page itself varies, or the coordinator's check failed.
    PageAtFault,
    /// What it saw is what another region sees.
    RegionVariant,
    /// Its path injects scripts or breaks certificates.
    PathTampered,
    /// Its pages of regional sites differ from its neighbours'.
    RegionUnsure,
    /// Its pages of fast-changing sites differ from what others see.
    VolatileDiffers,
    /// Everything it fetches is fetched twice for a while.
    UnderReview,
    /// It attested content that nobody else saw.
    Forged,
    /// It handed in an old copy as new.
    Replayed,
    /// It handed in what was meant for another agent.
    Copied,
    /// It backed another's forgery.
    Colluded,
    /// It committed to results and never opened them.
    NeverOpened,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::Unreachable,
        Self::PageAtFault,
        Self::RegionVariant,
        Self::PathTampered,
        Self::RegionUnsure,
        Self::VolatileDiffers,
        Self::UnderReview,
        Self::Forged,
        Self::Replayed,
        Self::Copied,
        Self::Colluded,
        Self::NeverOpened,
    ];

    /// Whether it ends the agent's identity and what is pending is not issued.
    #[must_use]
    pub const fn is_hard(self) -> bool {
        match self {
            Self::Forged | Self::Replayed | Self::Copied | Self::Colluded | Self::NeverOpened => {
                true
            }
            Self::Unreachable
            | Self::PageAtFault
            | Self::RegionVariant
            | Self::PathTampered
            | Self::RegionUnsure
            | Self::VolatileDiffers
            | Self::UnderReview => false,
        }
    }

    /// The reason of a code; none of a code that later builds may have.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The code in JSON, logs and on the wire; it never changes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::PageAtFault => "page_at_fault",
            Self::RegionVariant => "region_variant",
            Self::PathTampered => "path_tampered",
            Self::RegionUnsure => "region_unsure",
            Self::VolatileDiffers => "volatile_differs",
            Self::UnderReview => "under_review",
            Self::Forged => "forged",
            Self::Replayed => "replayed",
            Self::Copied => "copied",
            Self::Colluded => "colluded",
            Self::NeverOpened => "never_opened",
        }
    }

    /// What the owner reads.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "The site did not answer your agent; it rests from that site for a while, and nothing is held against it."
            }
            Self::PageAtFault => {
                "The page shows different things to different visitors; nothing is held against your agent."
            }
            Self::RegionVariant => {
                "Your region sees another version of this page; it is kept as your region's version and paid."
            }
            Self::PathTampered => {
                "Something between your agent and the site may change pages, such as a provider or a security program; for two \
                 weeks it got fewer unencrypted pages, and nothing is held against it."
            }
            Self::RegionUnsure => {
                "Your agent seems to be somewhere else than it says; for two weeks it got fewer pages that depend on the region."
            }
            Self::VolatileDiffers => {
                "Fast-changing pages came out differently at your agent; for two weeks it got steadier ones."
            }
            Self::UnderReview => {
                "A result of your agent was not confirmed by others, so its next pages were fetched twice; that is over now."
            }
            Self::Forged => {
                "Your agent reported content that nobody else found on several pages; its work has ended and what was pending \
                 is not paid. You can appeal with the listed tasks."
            }
            Self::Replayed => {
                "Your agent handed in old copies as new; its work has ended and what was pending is not paid. You can appeal \
                 with the listed tasks."
            }
            Self::Copied => {
                "Your agent handed in what was meant for another agent; its work has ended and what was pending is not paid. \
                 You can appeal with the listed tasks."
            }
            Self::Colluded => {
                "Your agent confirmed content that only agents found guilty had reported; its work has ended and what was \
                 pending is not paid. You can appeal with the listed tasks."
            }
            Self::NeverOpened => {
                "Your agent committed to results and never showed them; its work has ended and what was pending is not paid. \
                 You can appeal with the listed tasks."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_distinct_and_are_what_serde_writes() {
        let codes: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert_eq!(Reason::of_code(reason.code()), Some(reason));
            let written = serde_json::to_value(reason).expect("a value");
            assert_eq!(written, reason.code());
            assert!(reason.sentence().ends_with('.'));
            assert_eq!(reason.is_hard(), reason.sentence().contains("appeal"));
        }
    }
}
