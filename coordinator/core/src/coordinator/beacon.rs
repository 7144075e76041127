//! Pages of the beacon site among the others, and what each shows of who handed it in.
//!
//! Decides when such a page is fetched, and whose copy was handed in. A page that was shown to another agent's address says
//! that it was copied; one that was shown to nobody we know says nothing, as addresses change and paths inject.

use super::Coordinator;
use crate::group::Network;
use crate::lookup::Lookup;
use crate::output::Event;
use crate::record::chunk::Entry;
use std::collections::BTreeSet;
use std::net::IpAddr;
use sward_proto::attestation::Attestation;
use sward_proto::compare::response_of;
use sward_proto::digest::Digest;
use sward_proto::ids::{JobId, LeaseToken, PeerId, TaskId};
use sward_proto::outcome::Outcome;
use sward_proto::timestamp::Timestamp;

impl Coordinator {
    /// After some leases, by lot: has a page of the beacon site fetched as one more URL of the same job.
    pub(super) fn mix_in_beacon(&mut self, id: JobId) {
        let Some(every) = self.config.beacon.as_ref().map(|beacon| beacon.every.get()) else {
            return;
        };
        if !self.draw().is_multiple_of(every.into()) {
            return;
        }
        let number = self.draw();
        let url = self.config.beacon.as_ref().and_then(|beacon| beacon.url(number));
        let (Some(url), Some(job)) = (url, self.jobs.get_mut(&id)) else { return };
        // Looked up as links are, so that what the index holds of its host is taken up with it.
        let fingerprint = self.config.seen_key.fingerprint(&url);
        job.admitting += 1;
        self.admitting.insert((id, fingerprint));
        let urls = vec![(Entry { url, depth: 0, retries: 0 }, fingerprint)];
        self.look_up(Lookup::Admit { job: id, urls });
    }

    /// Ends a task that was for a page of the beacon site, where anybody has seen it. Returns whether that was so.
    pub(super) fn weigh_beacon(&mut self, id: TaskId, now: Timestamp) -> bool {
        let Some(task) = self.tasks.get(&id).filter(|task| !task.robots) else { return false };
        let Some(beacon) = self.config.beacon.as_ref().filter(|beacon| beacon.has(&task.url))
        else {
            return false;
        };
        let (mut members, mut copied) = (Vec::new(), Vec::new());
        for (attempt, revealed) in task.revealed() {
            let Some(body) = revealed.parsed().and_then(|seen| body_of(&seen)) else { continue };
            let page = revealed.block_list();
            let was_shown = |address| beacon.was_shown(&task.url, address, body, &page);
            match self.copied_from(&attempt.agent, was_shown) {
                Some(from) => copied.push((attempt.token, attempt.agent, from)),
                None => members.push(attempt.token),
            }
        }
        if members.is_empty() && copied.is_empty() {
            return false;
        }
        let tokens: Vec<LeaseToken> = copied.iter().map(|(token, ..)| *token).collect();
        for (_, agent, from) in copied {
            self.event(Event::Copied { task: id, agent, from });
        }
        self.settling.entry(id).or_default().copied = tokens;
        self.settle(id, Outcome::Beacon, None, &members, None, now);
        true
    }

    /// Whose page this is, where it was shown to an address of another agent, in a network from which this one did not dial
    /// of late. Who shares a payee is one voice anyway.
    fn copied_from(&self, agent: &PeerId, was_shown: impl Fn(IpAddr) -> bool) -> Option<PeerId> {
        let own = self.roster.get(agent)?;
        if own.addresses().any(&was_shown) {
            return None;
        }
        let networks: BTreeSet<Network> = own.addresses().map(Network::from).collect();
        let foreign = |ip: &IpAddr| !networks.contains(&Network::from(*ip));
        self.roster
            .iter()
            .filter(|(peer, other)| *peer != agent && other.record.payee != own.record.payee)
            .find(|(_, other)| other.addresses().filter(foreign).any(&was_shown))
            .map(|(peer, _)| *peer)
    }
}

/// The digest of a body that came with success.
fn body_of(seen: &Attestation) -> Option<Digest> {
    response_of(seen).filter(|response| response.status == 200).map(|response| response.raw)
}
