//! What the coordinator has told of how the agent stands, and what its owner has to say to that.
//!
//! Kept over restarts. Decides how many notices are kept; never what they say.

use serde::{Deserialize, Serialize};
use sward_proto::wire::standing::Standing;

/// Notices that are kept: more than a coordinator tells at once.
const MOST_NOTICES: usize = 64;

/// Both sides' words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tidings {
    /// What was told last; notices are kept from before.
    pub standing: Standing,
    /// The owner's appeal, while it has not been delivered.
    pub appeal: Option<String>,
    /// Why the last one was not taken; empty where it was.
    pub not_taken: String,
}

impl Tidings {
    /// Takes in what is told now.
    pub fn update(&mut self, told: Standing) {
        let mut notices = std::mem::take(&mut self.standing.notices);
        notices.extend(told.notices);
        notices.sort();
        notices.dedup();
        notices.drain(..notices.len().saturating_sub(MOST_NOTICES));
        self.standing = Standing { notices, ..told };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sward_proto::timestamp::Timestamp;
    use sward_proto::wire::standing::Notice;

    #[test]
    fn notices_are_kept_once_and_the_newest_of_them() {
        let notice = |millis| Notice {
            decided: Timestamp::from_millis(millis),
            reason: "under_review".to_owned(),
            tasks: Vec::new(),
        };
        let mut tidings = Tidings::default();
        for millis in [1, 1, 2] {
            let notices = vec![notice(millis)];
            tidings.update(Standing { notices, ..Standing::default() });
        }
        assert_eq!(tidings.standing.notices, [notice(1), notice(2)]);
        for millis in 3..100 {
            let notices = vec![notice(millis)];
            tidings.update(Standing { notices, ..Standing::default() });
        }
        assert_eq!(tidings.standing.notices.len(), MOST_NOTICES);
        assert_eq!(tidings.standing.notices.last(), Some(&notice(99)));
    }
}
