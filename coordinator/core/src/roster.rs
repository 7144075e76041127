//! Who is enrolled, who is connected, and what each agent is still to be told.
//!
//! Decides nothing about pages or pay; keeps each agent's mail until it is fetched.

use crate::group::{Network, Ties};
use crate::record::agent::{AgentRecord, Standing};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use sward_proto::ids::{LeaseToken, PeerId};
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::reply::{UploadOrder, Work};

/// One agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// What is stored.
    pub record: AgentRecord,
    /// Where it dials from now; `None` while it is away.
    pub connected: Option<IpAddr>,
    /// What it is to be told.
    pub mail: Mail,
    /// Its long poll, if one is open.
    pub poll: Option<Poll>,
    /// Its credits are being looked up for a receipt.
    pub closing: bool,
    /// Leases that it has not answered yet.
    pub leased: BTreeSet<LeaseToken>,
    /// Its connection has not asked for work yet: what it holds from before is still to be learnt.
    pub fresh: bool,
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
    fn untold(&mut self) {
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
    /// An agent as it is stored.
    #[must_use]
    pub fn new(record: AgentRecord) -> Self {
        let mut mail = Mail::default();
        if record.seq.0 > 0 && !record.countersigned {
            mail.offer_receipt();
        }
        let leased = BTreeSet::new();
        Self { record, connected: None, mail, poll: None, closing: false, leased, fresh: true }
    }

    /// What ties it to others, where it is connected and in good standing.
    #[must_use]
    pub fn ties(&self) -> Option<Ties> {
        let network: Network = self.connected?.into();
        (self.record.standing == Standing::Good)
            .then(|| Ties { payee: self.record.payee.clone(), network })
    }

    /// Its stream is open: orders are told anew.
    pub fn connect(&mut self, ip: IpAddr) {
        self.connected = Some(ip);
        self.record.network = Some(ip.into());
        self.mail.untold();
        self.poll = None;
        self.fresh = true;
    }

    /// Its stream is gone.
    pub const fn disconnect(&mut self) {
        self.connected = None;
        self.poll = None;
    }

    /// What it has not been told yet.
    pub fn deliver(&mut self, limit: usize) -> Work {
        let mut work = Work::default();
        self.mail.deliver(&mut work, &self.record.note, limit);
        work
    }
}

/// All agents.
pub type Roster = BTreeMap<PeerId, Agent>;
