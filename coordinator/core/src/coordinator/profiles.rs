//! What is known of a page before it is fetched, and what its settlement adds.
//!
//! Decides where that is looked for and kept: with its host, and a URL's blocks in the index alone. Never decides what
//! follows from a settlement ([`crate::profile`]).

use super::Coordinator;
use crate::lookup::Lookup;
use crate::profile::{HostProfile, Known, Lesson, Slot, stable_after};
use crate::record::blocks::BlocksRecord;
use crate::record::{self, encode};
use crate::settlement::Settlement;
use crate::task::{Phase, Task};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::ids::{PeerId, TaskId};
use sward_proto::quorum::Rules;
use sward_proto::timestamp::Timestamp;

impl Coordinator {
    /// What is known of a page now, but for its blocks.
    pub(super) fn known_of(&self, url: &CanonicalUrl, now: Timestamp) -> Known {
        let host = self.frontier.host(&url.host());
        let is_caught = |agent: &PeerId| self.is_convicted(agent);
        host.map_or(Known::NOTHING, |host| host.profile.known(url, now, is_caught))
    }

    /// Asks the index for the stable blocks of a task's URL, where they were kept.
    pub(super) fn look_up_blocks(&mut self, task: TaskId, url: &CanonicalUrl) {
        let (host, url) = (url.host(), self.config.seen_key.fingerprint(url));
        let kept = self.frontier.host(&host).and_then(|known| known.profile.remembered.slot(url));
        if let Some(slot) = kept {
            self.look_up(Lookup::Blocks { task, host, slot, url });
        }
    }

    /// The index has said which blocks of a URL are stable. What was weighed meanwhile stays as it was.
    pub(super) fn blocks_known(&mut self, id: TaskId, stable: Vec<u8>) {
        let task = self.tasks.get_mut(&id).filter(|task| task.phase == Phase::Collecting);
        if let Some(task) = task.filter(|_| !stable.is_empty()) {
            task.known.stable = stable;
            self.save_task(id);
        }
    }

    /// By which rules a task is decided.
    pub(super) fn rules_of(&self, task: &Task) -> Rules {
        let rules = self.config.rules;
        Rules { limits: task.known.limits(rules.limits), ..rules }
    }

    /// What a settlement adds to what is known of its page.
    pub(super) fn learn_page(&mut self, settlement: &Settlement, now: Timestamp) {
        let (url, host) = (&settlement.url, settlement.url.host());
        let roster = &self.roster;
        let group = |agent: &PeerId| {
            let payee = roster.get(agent).map(|member| member.record.payee.as_str());
            let Digest([a, b, c, d, ..]) = Digest::of(payee.unwrap_or_default().as_bytes());
            u32::from_be_bytes([a, b, c, d])
        };
        let Some(lesson) = Lesson::of(settlement, group) else { return };
        let print = self.config.seen_key.fingerprint(url);
        let stable = stable_after(settlement);
        let settled = settlement.settled_at;
        let change = |profile: &mut HostProfile| -> (Vec<u8>, Option<Slot>) {
            profile.learn(url, &lesson, settled);
            let slot = stable.as_ref().and_then(|_| profile.remembered.keep(print));
            (encode(profile), slot)
        };
        let (value, slot) = self.frontier.with_host(&host, now, |host| change(&mut host.profile));
        self.batch.put(record::profile::key(&host), value);
        if let (Some(slot), Some(stable)) = (slot, stable) {
            let kept = BlocksRecord { url: print, stable: stable.to_bytes() };
            self.batch.put(record::blocks::key(&host, slot), encode(&kept));
        }
    }
}
