//! Who is enrolled, who is connected, and what each agent is still to be told.
//!
//! Decides nothing about pages or pay; keeps each agent's mail until it is fetched.

use crate::group::{Asn, Cohort, Network, Ties, Whereabouts};
use crate::record::agent::{self, AgentRecord};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;
use sward_proto::draw::{Place, Round, RoundSeed};
use sward_proto::ids::{LeaseToken, PeerId};
use sward_proto::region::Region;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::reply::{UploadOrder, Work};
use sward_proto::wire::standing::Standing;

/// One agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// What is stored.
    pub record: AgentRecord,
    /// Where it dials from now; `None` while it is away.
    pub connected: Option<IpAddr>,
    /// When it was last here, where it is away.
    left: Timestamp,
    /// What it is to be told.
    mail: Mail,
    /// Its long poll, if one is open.
    poll: Option<Poll>,
    /// Its credits are being looked up for a receipt.
    pub closing: bool,
    /// How many notices its owner could read when it was last told of one.
    pub noticed: usize,
    /// Leases that it has not answered yet.
    pub leased: BTreeSet<LeaseToken>,
    /// As what it is counted among those that can be drawn.
    counted: Option<Circle>,
    /// Its connection has not asked for work yet: what it holds from before is still to be learnt.
    pub fresh: bool,
    /// Where it dialled from of late, the last first. A restart forgets it.
    dialled_from: VecDeque<IpAddr>,
}

/// Addresses remembered of an agent: it may have fetched from any of them what it hands in now.
const ADDRESSES: usize = 8;

/// Those who joined together and dial from one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Circle {
    /// With whom they joined.
    pub cohort: Cohort,
    /// From which autonomous system they dial, where that is known.
    pub asn: Option<Asn>,
    /// From which region.
    pub region: Option<Region>,
}

/// An open long poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    /// The request to answer.
    pub id: u64,
    /// Leases wanted.
    pub capacity: usize,
    /// When it is answered with nothing.
    pub until: Timestamp,
}

/// What an agent is to be told. Each order is told once a connection, and stays until it is done.
#[derive(Debug, Clone, Default)]
pub struct Mail {
    reveal: BTreeMap<LeaseToken, bool>,
    upload: BTreeMap<LeaseToken, (bool, bool)>,
    release: BTreeSet<LeaseToken>,
    receipt: Option<bool>,
    /// How it stands has changed since it was told.
    standing: bool,
}

impl Mail {
    /// Asks for a result to be opened.
    pub fn ask_reveal(&mut self, token: LeaseToken) {
        self.reveal.insert(token, false);
    }

    /// Asks for a capture.
    pub fn ask_upload(&mut self, order: UploadOrder) {
        self.upload.insert(order.token, (order.head_only, false));
    }

    /// Offers the newest receipt.
    pub const fn offer_receipt(&mut self) {
        self.receipt = Some(false);
    }

    /// The newest receipt is countersigned.
    pub const fn receipt_done(&mut self) {
        self.receipt = None;
    }

    /// How the agent stands has changed.
    pub const fn standing_changed(&mut self) {
        self.standing = true;
    }

    /// A result is opened.
    pub fn revealed(&mut self, token: LeaseToken) {
        self.reveal.remove(&token);
    }

    /// A capture has come, or is wanted no more.
    pub fn uploaded(&mut self, token: LeaseToken) {
        self.upload.remove(&token);
    }

    /// The lease is settled: nothing is wanted for it, and its spooled body may go.
    pub fn settled(&mut self, token: LeaseToken) {
        self.revealed(token);
        self.uploaded(token);
        self.release.insert(token);
    }

    /// A new connection has heard nothing yet.
    fn untold(&mut self, has_history: bool) {
        self.standing |= has_history;
        self.reveal.values_mut().for_each(|told| *told = false);
        self.upload.values_mut().for_each(|(_, told)| *told = false);
        self.receipt = self.receipt.map(|_| false);
    }

    /// Moves what was not told yet into an answer, up to `limit` of each kind.
    fn deliver(&mut self, work: &mut Work, note: &str, limit: usize) {
        let untold = self.reveal.iter_mut().filter(|(_, told)| !**told).take(limit);
        for (token, told) in untold {
            *told = true;
            work.reveal.push(*token);
        }
        let untold = self.upload.iter_mut().filter(|(_, (_, told))| !*told).take(limit);
        for (token, (head_only, told)) in untold {
            *told = true;
            work.upload.push(UploadOrder { token: *token, head_only: *head_only });
        }
        while work.release.len() < limit {
            let Some(token) = self.release.pop_first() else { break };
            work.release.push(token);
        }
        if self.receipt == Some(false) {
            self.receipt = Some(true);
            work.receipt = Some(note.to_owned());
        }
    }
}

impl Agent {
    /// An agent as it is stored, which is not connected and may be soon.
    #[must_use]
    pub fn new(record: AgentRecord, now: Timestamp) -> Self {
        let mut mail = Mail::default();
        if record.seq.0 > 0 && !record.countersigned {
            mail.offer_receipt();
        }
        let leased = BTreeSet::new();
        Self {
            record,
            connected: None,
            left: now,
            mail,
            poll: None,
            closing: false,
            noticed: 0,
            leased,
            counted: None,
            fresh: true,
            dialled_from: VecDeque::new(),
        }
    }

    /// What ties it to others, where it is connected and in good standing.
    #[must_use]
    pub fn ties(&self) -> Option<Ties> {
        let network: Network = self.connected?.into();
        let whereabouts = self.record.whereabouts;
        (self.record.standing == agent::Standing::Good).then(|| Ties {
            payee: self.record.payee.clone(),
            network,
            whereabouts,
        })
    }

    /// With whom it joined, and what is known of where it dials from.
    #[must_use]
    pub const fn circle(&self) -> Circle {
        let Whereabouts { asn, region } = self.record.whereabouts;
        Circle { cohort: self.cohort(), asn, region }
    }

    /// With whom it joined.
    #[must_use]
    pub const fn cohort(&self) -> Cohort {
        Cohort::of(self.record.enrolled_at)
    }

    /// Its stream is open: orders are told anew.
    fn connect(&mut self, ip: IpAddr, whereabouts: Whereabouts) {
        let network = Network::from(ip);
        // A household is given another address of its provider now and then; where providers are not known, any is a move.
        let moved = match (self.record.whereabouts.asn, whereabouts.asn) {
            (Some(before), Some(now)) => before != now,
            (Some(_) | None, None) | (None, Some(_)) => {
                self.record.network.is_some_and(|before| before != network)
            }
        };
        if moved {
            self.record.trust.moved();
        }
        self.record.whereabouts = whereabouts;
        self.connected = Some(ip);
        self.dialled_from.retain(|before| *before != ip);
        self.dialled_from.push_front(ip);
        self.dialled_from.truncate(ADDRESSES);
        self.record.network = Some(network);
        self.mail.untold(self.record.has_history());
        self.poll = None;
        self.fresh = true;
    }

    /// Whether it is here, or was not longer ago than `patience` and may come back.
    #[must_use]
    pub fn is_expected(&self, patience: Duration, now: Timestamp) -> bool {
        self.connected.is_some() || now < self.left + patience
    }

    /// Its stream is gone.
    const fn disconnect(&mut self, now: Timestamp) {
        self.connected = None;
        self.left = now;
        self.poll = None;
    }

    /// Where it dialled from of late.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.dialled_from.iter().copied()
    }

    /// Its long poll, if one is open.
    #[must_use]
    pub const fn poll(&self) -> Option<Poll> {
        self.poll
    }

    /// What it has not been told yet.
    fn deliver(&mut self, limit: usize, standing: impl Fn(&AgentRecord) -> Standing) -> Work {
        let mut work = Work::default();
        self.mail.deliver(&mut work, &self.record.note, limit);
        if std::mem::take(&mut self.mail.standing) {
            work.standing = Some(standing(&self.record));
        }
        work
    }
}

/// All agents, with an index of those that wait for an answer and of those that have mail, so that an event costs what it
/// changes and not what is enrolled.
#[derive(Debug)]
pub struct Roster {
    agents: BTreeMap<PeerId, Agent>,
    /// Agents with an open poll, by their place in this round.
    polling: BTreeMap<Place, PeerId>,
    /// The operator's own fetchers with an open poll, likewise.
    trusted_polling: BTreeMap<Place, PeerId>,
    /// The operator's own fetchers.
    trusted: BTreeSet<PeerId>,
    /// This round's seed.
    seed: RoundSeed,
    /// How many of each circle can be drawn: connected and in good standing.
    circles: BTreeMap<Circle, usize>,
    /// Agents that may have something to be told.
    mailed: BTreeSet<PeerId>,
}

impl Roster {
    /// Nobody yet, in the round of this seed.
    #[must_use]
    pub const fn new(seed: RoundSeed) -> Self {
        Self {
            agents: BTreeMap::new(),
            polling: BTreeMap::new(),
            trusted_polling: BTreeMap::new(),
            trusted: BTreeSet::new(),
            seed,
            circles: BTreeMap::new(),
            mailed: BTreeSet::new(),
        }
    }

    /// This round's number.
    #[must_use]
    pub const fn round(&self) -> Round {
        self.seed.round
    }

    /// This round's seed.
    #[must_use]
    pub const fn seed(&self) -> RoundSeed {
        self.seed
    }

    /// A new round has begun: everybody has another place.
    pub fn turn_round(&mut self, seed: RoundSeed) {
        self.seed = seed;
        for polling in [&mut self.polling, &mut self.trusted_polling] {
            let peers = std::mem::take(polling).into_values();
            *polling = peers.map(|peer| (seed.place(&peer), peer)).collect();
        }
    }

    /// An agent.
    #[must_use]
    pub fn get(&self, peer: &PeerId) -> Option<&Agent> {
        self.agents.get(peer)
    }

    /// An agent, to be changed; its mail and its poll have doors of their own.
    pub fn get_mut(&mut self, peer: &PeerId) -> Option<&mut Agent> {
        self.agents.get_mut(peer)
    }

    /// The agents, in order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&PeerId, &Agent)> {
        self.agents.iter()
    }

    /// The agents without their keys.
    pub fn values(&self) -> impl Iterator<Item = &Agent> {
        self.agents.values()
    }

    /// Takes an agent in.
    pub fn insert(&mut self, peer: PeerId, agent: Agent) {
        self.mailed.insert(peer);
        if agent.record.trusted {
            self.trusted.insert(peer);
        }
        self.agents.insert(peer, agent);
    }

    /// Changes an agent's mail.
    pub fn post(&mut self, peer: &PeerId, change: impl FnOnce(&mut Mail)) {
        if let Some(agent) = self.agents.get_mut(peer) {
            change(&mut agent.mail);
            self.mailed.insert(*peer);
        }
    }

    /// An agent's stream is open: orders are told anew.
    pub fn connect(&mut self, peer: &PeerId, ip: IpAddr, whereabouts: Whereabouts) {
        self.retire(peer);
        if let Some(agent) = self.agents.get_mut(peer) {
            agent.connect(ip, whereabouts);
            self.polling.remove(&self.seed.place(peer));
            self.trusted_polling.remove(&self.seed.place(peer));
            self.mailed.insert(*peer);
        }
        self.reinstate(peer);
    }

    /// An agent that is here and in good standing can be drawn.
    pub fn reinstate(&mut self, peer: &PeerId) {
        let Some(agent) = self.agents.get_mut(peer) else { return };
        let is_here = agent.connected.is_some();
        let drawn = agent.record.standing == agent::Standing::Good && !agent.record.trusted;
        if agent.counted.is_none() && is_here && drawn {
            let circle = agent.circle();
            agent.counted = Some(circle);
            *self.circles.entry(circle).or_default() += 1;
        }
    }

    /// An agent's stream is gone.
    pub fn disconnect(&mut self, peer: &PeerId, now: Timestamp) {
        self.retire(peer);
        if let Some(agent) = self.agents.get_mut(peer) {
            agent.disconnect(now);
            self.polling.remove(&self.seed.place(peer));
            self.trusted_polling.remove(&self.seed.place(peer));
        }
    }

    /// An agent waits for an answer. Returns the poll that this one replaces.
    pub fn open_poll(&mut self, peer: &PeerId, poll: Poll) -> Option<Poll> {
        let agent = self.agents.get_mut(peer)?;
        let trusted = agent.record.trusted;
        let polling = if trusted { &mut self.trusted_polling } else { &mut self.polling };
        polling.insert(self.seed.place(peer), *peer);
        agent.poll.replace(poll)
    }

    /// An agent gets its answer.
    pub fn close_poll(&mut self, peer: &PeerId) -> Option<Poll> {
        self.polling.remove(&self.seed.place(peer));
        self.trusted_polling.remove(&self.seed.place(peer));
        self.agents.get_mut(peer)?.poll.take()
    }

    /// The circles of which somebody can be drawn.
    pub fn circles(&self) -> impl Iterator<Item = Circle> {
        self.circles.keys().copied()
    }

    /// How many agents can be drawn.
    #[must_use]
    pub fn drawable(&self) -> usize {
        self.circles.values().sum()
    }

    /// An agent cannot be drawn any more.
    pub fn retire(&mut self, peer: &PeerId) {
        let counted = self.agents.get_mut(peer).and_then(|agent| agent.counted.take());
        let Some(circle) = counted else { return };
        if let Some(count) = self.circles.get_mut(&circle) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.circles.remove(&circle);
            }
        }
    }

    /// The operator's own fetchers.
    pub fn trusted(&self) -> impl Iterator<Item = &Agent> {
        self.trusted.iter().filter_map(|peer| self.agents.get(peer))
    }

    /// Whether one of them is connected.
    #[must_use]
    pub fn has_trusted(&self) -> bool {
        self.trusted().any(|agent| agent.connected.is_some())
    }

    /// How many agents wait for an answer, the operator's own fetchers not counted.
    #[must_use]
    pub fn polls(&self) -> usize {
        self.polling.len()
    }

    /// Whether any agent waits for an answer.
    #[must_use]
    pub fn is_polled(&self) -> bool {
        !self.polling.is_empty() || !self.trusted_polling.is_empty()
    }

    /// Up to `limit` agents that wait, in order of their places, from `place` on: not the operator's own fetchers.
    #[must_use]
    pub fn polling_from(&self, place: Place, limit: usize) -> Vec<PeerId> {
        around(&self.polling, place, limit)
    }

    /// The same of the operator's own fetchers.
    #[must_use]
    pub fn trusted_polling_from(&self, place: Place, limit: usize) -> Vec<PeerId> {
        around(&self.trusted_polling, place, limit)
    }

    /// What agents that wait have not been told yet, up to `limit` of each kind.
    /// How an agent stands, `standing` says.
    pub fn deliver(
        &mut self,
        limit: usize,
        standing: impl Fn(&AgentRecord) -> Standing,
    ) -> BTreeMap<PeerId, Work> {
        let mut delivered = BTreeMap::new();
        let Self { agents, mailed, .. } = self;
        mailed.retain(|peer| {
            let Some(agent) = agents.get_mut(peer) else { return false };
            if agent.poll.is_none() {
                return agent.connected.is_some();
            }
            let work = agent.deliver(limit, &standing);
            let more = !work.is_empty();
            if more {
                delivered.insert(*peer, work);
            }
            more
        });
        delivered
    }
}

fn around(polling: &BTreeMap<Place, PeerId>, place: Place, limit: usize) -> Vec<PeerId> {
    let later = polling.range(place..);
    later.chain(polling.range(..place)).map(|(_, peer)| *peer).take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sward_proto::ids::Lane;

    /// Audited agreements that count after a connection from `first` and another from `second`.
    fn kept(first: (u8, Option<u32>), second: (u8, Option<u32>)) -> u64 {
        let payee = "ann".parse().expect("a payee");
        let mut record = AgentRecord::new(payee, Lane(0), Timestamp::ZERO, 0);
        (0..8).for_each(|_| record.trust.agreed(true, Timestamp::ZERO));
        let mut agent = Agent::new(record, Timestamp::ZERO);
        for (net, asn) in [first, second] {
            let whereabouts = Whereabouts { asn: asn.map(Asn), region: None };
            agent.connect([192, 0, net, 1].into(), whereabouts);
        }
        agent.record.trust.passed()
    }

    #[test]
    fn a_move_is_to_another_system_or_where_none_is_known_to_another_network() {
        assert_eq!(kept((1, Some(7)), (2, Some(7))), 8, "another address of one provider");
        assert_eq!(kept((1, Some(7)), (1, Some(8))), 2);
        assert_eq!((kept((1, None), (1, None)), kept((1, None), (2, None))), (8, 2));
        assert_eq!((kept((1, None), (1, Some(7))), kept((1, None), (2, Some(7)))), (8, 2));
    }
}
