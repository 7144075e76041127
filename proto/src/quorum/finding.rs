//! What follows from a decision: how the task ends, and what is made of each result.
//!
//! Decides it by rule, so that the coordinator and whoever checks it find the same. Never decides who agrees.

use crate::outcome::Outcome;
use serde::{Deserialize, Serialize};

/// What the coordinator makes of one result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Independent others saw the same.
    Agreed,
    /// The same, but the body that was asked of it did not come or was another: weighed, and not credited.
    Withheld,
    /// No response, or one that a site gives to some and not to others: no blame.
    Neutral,
    /// The same content with scripts or frames that others did not see: its path injects them. No blame.
    Tainted,
    /// Another page, on which independent groups of its region agree and which nobody of that region contradicts: that region's
    /// variant. Credited.
    Variant,
    /// Another page, and nobody of its region saw what was accepted; but too few of it, or not all, agree on this one. No blame;
    /// how often it happens to an agent is counted.
    Regional,
    /// A page near that of independent others who fetched it at the same time, but for blocks in which they contradict it.
    Disputed,
    /// A page that independent others contradict who fetched it at the same time.
    Forged,
    /// A page that independent others contradict, and that was seen before as another fetch.
    Replayed,
    /// A page of the beacon site that was shown to another agent, and not to this one.
    Copied,
}

/// How a task ends on whose answer independent groups agree, but for pages that its job does not want.
#[must_use]
pub const fn agreed_outcome(status: u16) -> Outcome {
    match status {
        200..=299 => Outcome::Ok,
        300..=399 => Outcome::Redirect,
        429 => Outcome::Http429,
        500..=599 => Outcome::Http5xx,
        _ => Outcome::Http4xx,
    }
}

/// How a task ends from whose page independent groups were kept out: as good as a refusal, unless the site asks for
/// patience.
#[must_use]
pub const fn kept_out_outcome(status: u16) -> Outcome {
    match status {
        429 => Outcome::Http429,
        500..=599 => Outcome::Http5xx,
        _ => Outcome::Http4xx,
    }
}

/// Whether who differs may be blamed. A failure, a block page or a page nobody could agree on is no guilt.
#[must_use]
pub const fn is_blaming(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Ok | Outcome::Http4xx | Outcome::Redirect | Outcome::Beacon)
}
