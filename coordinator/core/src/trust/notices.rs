//! What an agent's owner is told of what was decided, and when.
//!
//! Decides the form of a notice and how many are kept. Never decides an outcome (outcome), nor delivers: an owner reads of it
//! late and in company, so that no moment tells which page was a check.

use super::outcome::told_at;
use serde::{Deserialize, Serialize};
use sward_proto::ids::TaskId;
use sward_proto::reason::Reason;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::standing::{MAX_NOTICES, MAX_TASKS, Notice};

/// Something that was decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Noted {
    decided: Timestamp,
    reason: Reason,
    told: Timestamp,
    tasks: Vec<TaskId>,
}

/// The newest decisions about one agent, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notices(Vec<Noted>);

impl Notices {
    /// Something was decided, whose effect lasts until `until`. The order in which decisions are added does not matter, as
    /// journal and archive are read one after the other when an index is built anew.
    pub fn add(
        &mut self,
        reason: Reason,
        decided: Timestamp,
        until: Timestamp,
        tasks: impl IntoIterator<Item = TaskId>,
    ) {
        let tasks = tasks.into_iter().take(MAX_TASKS).collect();
        self.0.push(Noted { decided, reason, told: told_at(decided, until), tasks });
        self.0.sort();
        self.0.dedup();
        let spare = self.0.len().saturating_sub(MAX_NOTICES);
        self.0.drain(..spare);
    }

    /// What may be told by now.
    pub fn told(&self, now: Timestamp) -> impl Iterator<Item = Notice> {
        self.0.iter().filter(move |noted| noted.told <= now).map(|noted| Notice {
            decided: noted.decided,
            reason: noted.reason.code().to_owned(),
            tasks: noted.tasks.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::outcome::{TELL_DELAY, TELL_EVERY};
    use proptest::prelude::*;

    proptest! {
        /// Never early, never more of them than are taken on the wire, and the same whatever the order.
        #[test]
        fn the_newest_are_told_late(
            decisions in proptest::collection::vec((0u64..1 << 40, 0usize..12, 0u64..1 << 31), 0..40)
        ) {
            let add = |notices: &mut Notices, (decided, reason, lasts): (u64, usize, u64)| {
                let decided = Timestamp::from_millis(decided);
                let until = Timestamp::from_millis(decided.as_millis() + lasts);
                notices.add(Reason::ALL[reason], decided, until, [TaskId(1)]);
            };
            let (mut notices, mut reversed) = (Notices::default(), Notices::default());
            decisions.iter().for_each(|decision| add(&mut notices, *decision));
            decisions.iter().rev().for_each(|decision| add(&mut reversed, *decision));
            prop_assert_eq!(&notices, &reversed);
            prop_assert_eq!(notices.told(Timestamp::MAX).count(), notices.0.len());
            prop_assert!(notices.0.len() <= MAX_NOTICES);
            for noted in &notices.0 {
                let early = Timestamp::from_millis(noted.told.as_millis() - 1);
                prop_assert!(noted.told >= noted.decided + TELL_DELAY);
                prop_assert!(noted.told.as_millis() % TELL_EVERY.as_millis() as u64 == 0);
                prop_assert!(notices.told(early).all(|told| told.decided != noted.decided
                    || told.reason != noted.reason.code()));
            }
        }
    }
}
