//! Joining: an invite is good once, until it expires.

use super::Coordinator;
use crate::group::Whereabouts;
use crate::journal::JournalEntry;
use crate::output::{Event, Output};
use crate::record::agent::AgentRecord;
use crate::record::invite::InviteRecord;
use crate::record::{self, encode};
use crate::roster::Agent;
use std::net::IpAddr;
use sward_proto::digest::Digest;
use sward_proto::ids::{InviteCode, Lane, Payee, PeerId};
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::refusal::RefusalCode;
use sward_proto::wire::reply::CoordinatorReply;

impl Coordinator {
    pub(super) fn connected(&mut self, agent: PeerId, ip: IpAddr, whereabouts: Whereabouts) {
        self.visitors.insert(agent, (ip, whereabouts));
        self.roster.connect(&agent, ip, whereabouts);
    }

    pub(super) fn invite(
        &mut self,
        fingerprint: Digest,
        expires: Timestamp,
        trusted: bool,
    ) -> String {
        let invite = InviteRecord { expires, used_by: None, trusted };
        self.put_invite(fingerprint, invite);
        let entry = JournalEntry::Invited { fingerprint, expires, trusted };
        self.outputs.push_back(Output::Journal(entry));
        "invited".to_owned()
    }

    pub(super) fn put_invite(&mut self, fingerprint: Digest, invite: InviteRecord) {
        self.batch.put(record::invite::key(&fingerprint), encode(&invite));
        self.invites.insert(fingerprint, invite);
    }

    pub(super) fn enrol(
        &mut self,
        agent: PeerId,
        id: u64,
        invite: &InviteCode,
        payee: Payee,
        lane: Lane,
        now: Timestamp,
    ) {
        let fingerprint = invite.fingerprint();
        let known = self.invites.get(&fingerprint).copied();
        let enrolled = self.roster.get(&agent).is_some();
        match known {
            // The same agent with the same invite: its answer was lost. Nothing changes.
            Some(invite) if invite.used_by == Some(agent) && enrolled => {}
            Some(invite) if invite.used_by.is_some() => {
                let hint = "this invite was used already: ask the operator for another";
                return self.refuse(agent, id, RefusalCode::Invite, hint);
            }
            Some(invite) if invite.expires <= now => {
                let hint = "this invite has expired: ask the operator for another";
                return self.refuse(agent, id, RefusalCode::Invite, hint);
            }
            None => {
                let hint = "this invite is not known here: check the code and the coordinator";
                return self.refuse(agent, id, RefusalCode::Invite, hint);
            }
            Some(_) if enrolled => {
                let hint = "this key is enrolled already: a second installation needs its own key";
                return self.refuse(agent, id, RefusalCode::Conflict, hint);
            }
            Some(InviteRecord { trusted, .. }) => {
                let at = now;
                let entry = JournalEntry::Enrolled { fingerprint, agent, payee, lane, at, trusted };
                self.outputs.push_back(Output::Journal(entry.clone()));
                self.replay_journal(entry, now);
                self.event(Event::Enrolled(agent));
            }
        }
        let terms = self.config.terms.clone();
        self.send(agent, id, CoordinatorReply::Enrolled(terms));
    }

    /// What an enrolment changes; at its time and when it is read back from the journal.
    pub(super) fn take_in(
        &mut self,
        fingerprint: Digest,
        agent: PeerId,
        payee: Payee,
        lane: Lane,
        at: Timestamp,
        trusted: bool,
    ) {
        let expires = self.invites.get(&fingerprint).map_or(at, |invite| invite.expires);
        self.put_invite(fingerprint, InviteRecord { expires, used_by: Some(agent), trusted });
        let probation = self.config.bounds.probation;
        let record = AgentRecord { trusted, ..AgentRecord::new(payee, lane, at, probation) };
        self.roster.insert(agent, Agent::new(record, at));
        if let Some((ip, whereabouts)) = self.visitors.get(&agent) {
            self.roster.connect(&agent, *ip, *whereabouts);
        }
        self.save_agent(&agent);
    }
}
