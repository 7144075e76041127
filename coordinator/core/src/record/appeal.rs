//! An owner's appeal against what was decided, as the index holds it.

use serde::{Deserialize, Serialize};
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::standing;

/// The last appeal of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppealRecord {
    /// The owner's words.
    pub text: String,
    /// When they came in.
    pub at: Timestamp,
    /// What the operator decided; `None` while it is open.
    pub decision: Option<Decision>,
}

/// What an operator decided on an appeal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// Whether the agent is given work again.
    pub upheld: bool,
    /// The operator's words.
    pub why: String,
}

/// That an appeal was upheld: what was before it counts no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reinstated {
    /// When the agent had been barred: what it earned until then stays unpaid.
    pub barred: Timestamp,
    /// When it was given work again: what was found until then teaches nothing.
    pub at: Timestamp,
}

impl AppealRecord {
    /// What its owner reads.
    #[must_use]
    pub fn told(&self) -> standing::Appeal {
        let (decision, answer) = match &self.decision {
            None => (standing::Decision::Open, String::new()),
            Some(Decision { upheld: true, why, .. }) => (standing::Decision::Upheld, why.clone()),
            Some(Decision { why, .. }) => (standing::Decision::Rejected, why.clone()),
        };
        standing::Appeal { at: self.at, decision, answer }
    }
}
