//! Ledger: credit that is past its hold window becomes a receipt when the epoch closes; who was caught gets none.
//!
//! Receipts are cumulative and chained. Credit that a receipt covers is final and never taken back.

use super::{Coordinator, Timer};
use crate::journal::JournalEntry;
use crate::lookup::{Lookup, MaturedCredit};
use crate::output::{Event, Output};
use crate::record::agent::{Standing, Totals};
use crate::roster::Mail;
use std::time::Duration;
use sward_proto::digest::Digest;
use sward_proto::ids::{Epoch, PeerId, Seq, TaskId};
use sward_proto::merkle;
use sward_proto::note::SignedNote;
use sward_proto::receipt::{self, ReceiptBatch, ReceiptBody};
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::refusal::RefusalCode;
use sward_proto::wire::reply::CoordinatorReply;

impl Coordinator {
    pub(super) fn arm_epoch(&mut self, now: Timestamp) {
        let length = self.config.tariff.epoch_seconds().max(1) * 1000;
        let next = (now.as_millis() / length + 1) * length;
        self.timers.insert((Timestamp::from_millis(next), Timer::Epoch));
    }

    pub(super) fn close_epoch(&mut self, now: Timestamp) {
        self.arm_epoch(now);
        let due: Vec<PeerId> = self
            .roster
            .iter()
            .filter(|(_, agent)| {
                let record = &agent.record;
                // An agent that has not signed its newest receipt gets no further one, so that no link of its
                // chain is ever missing on its side.
                let signed = record.countersigned || record.seq == Seq(0);
                record.standing == Standing::Good
                    && record.pending.tasks > 0
                    && signed
                    && !agent.closing
            })
            .map(|(peer, _)| *peer)
            .collect();
        for agent in due {
            if let Some(member) = self.roster.get_mut(&agent) {
                member.closing = true;
            }
            // What is settled from now on matures later than this, so a receipt covers all that comes before its end.
            let until = now.minus(Duration::from_millis(1));
            self.look_up(Lookup::Matured { agent, until });
        }
    }

    pub(super) fn matured(&mut self, agent: PeerId, credits: &[MaturedCredit], now: Timestamp) {
        let Some(member) = self.roster.get_mut(&agent) else { return };
        member.closing = false;
        if member.record.standing != Standing::Good {
            return;
        }
        let Some(through) = credits.last().and_then(|credit| position(&credit.key)) else { return };
        // What was contested was held, and earns nothing.
        let paid = || credits.iter().filter(|credit| credit.amount.tasks > 0);
        if paid().next().is_none() {
            credits.iter().for_each(|credit| self.batch.delete(credit.key.clone()));
            return;
        }
        let total = |sum: Option<Totals>, credit: &MaturedCredit| sum?.plus(credit.amount);
        let Some(sum) = credits.iter().fold(Some(member.record.receipted), total) else { return };
        let record = &member.record;
        let leaves: Vec<Digest> = paid().map(|credit| credit.leaf).collect();
        let body = ReceiptBody {
            schema: self.config.schema.clone(),
            log: self.config.signer.name().clone(),
            agent,
            lane: record.lane,
            seq: Seq(record.seq.0 + 1),
            prev: record.prev,
            epoch: Epoch(now.as_secs() / self.config.tariff.epoch_seconds().max(1)),
            issued: now.as_secs(),
            tasks: sum.tasks,
            bytes: sum.bytes,
            credit: sum.credit,
            batch: ReceiptBatch { count: leaves.len() as u64, root: merkle::root(&leaves) },
            tariff: self.config.tariff.hash(),
        };
        let Ok(note) = receipt::sign(&body, &self.config.signer) else { return };
        let note = note.encode();
        let entry = JournalEntry::Receipt { agent, note: note.clone(), through };
        self.outputs.push_back(Output::Journal(entry));
        self.put_receipt(agent, &body, note, credits);
        self.event(Event::Receipt(agent));
    }

    /// What a receipt changes; at its time and when it is read back from the journal.
    pub(super) fn put_receipt(
        &mut self,
        agent: PeerId,
        body: &ReceiptBody,
        note: String,
        covered: &[MaturedCredit],
    ) {
        let Some(member) = self.roster.get_mut(&agent) else { return };
        let record = &mut member.record;
        for credit in covered {
            record.pending = record.pending.minus(credit.amount);
            self.batch.delete(credit.key.clone());
        }
        record.receipted = Totals { tasks: body.tasks, bytes: body.bytes, credit: body.credit };
        (record.seq, record.prev) = (body.seq, body.hash());
        (record.note, record.countersigned) = (note, false);
        self.roster.post(&agent, Mail::offer_receipt);
        self.save_agent(&agent);
    }

    pub(super) fn countersigned(&mut self, agent: PeerId, id: u64, note: &str) {
        match self.check_countersigned(&agent, note) {
            Ok(()) => {
                let entry = JournalEntry::Countersigned { agent, note: note.to_owned() };
                self.outputs.push_back(Output::Journal(entry));
                self.put_countersigned(agent, note.to_owned());
                self.send(agent, id, CoordinatorReply::Receipts(Vec::new()));
            }
            Err(why) => self.refuse(agent, id, RefusalCode::Conflict, &why),
        }
    }

    fn check_countersigned(&self, agent: &PeerId, note: &str) -> Result<(), String> {
        let signed = SignedNote::parse(note.as_bytes()).map_err(|error| error.to_string())?;
        let key = self.config.signer.verifier_key();
        let verified = receipt::verify(&signed, &key).map_err(|error| error.to_string())?;
        let Some(member) = self.roster.get(agent) else { return Err("not enrolled".to_owned()) };
        let newest = SignedNote::parse(member.record.note.as_bytes());
        let same = newest.is_ok_and(|newest| newest.text() == signed.text());
        match (verified.countersigned, same && verified.body.agent == *agent) {
            (true, true) => Ok(()),
            (false, _) => Err("the receipt does not bear this agent's signature".to_owned()),
            (true, false) => Err("this is not the agent's newest receipt here".to_owned()),
        }
    }

    /// What a countersignature changes; at its time and when it is read back from the journal.
    pub(super) fn put_countersigned(&mut self, agent: PeerId, note: String) {
        if let Some(member) = self.roster.get_mut(&agent) {
            (member.record.note, member.record.countersigned) = (note, true);
            self.roster.post(&agent, Mail::receipt_done);
            self.save_agent(&agent);
        }
    }

    /// The newest receipt, for an agent that has an older one or none.
    pub(super) fn receipts(&mut self, agent: PeerId, id: u64, since: Seq) {
        let record = self.roster.get(&agent).map(|member| &member.record);
        let newest = record.filter(|record| record.seq > since).map(|r| r.note.clone());
        self.send(agent, id, CoordinatorReply::Receipts(newest.into_iter().collect()));
    }

    /// What a conviction changes; at its time and when it is read back from the journal. Pending credit is not issued; the
    /// receipts that were signed stay.
    pub(super) fn put_conviction(
        &mut self,
        agent: PeerId,
        at: Timestamp,
        reason: String,
        now: Timestamp,
    ) {
        let Some(member) = self.roster.get_mut(&agent) else { return };
        member.record.standing = Standing::Convicted { at, reason };
        member.record.pending = Totals::default();
        member.record.trust.convicted();
        self.roster.retire(&agent);
        self.save_agent(&agent);
        self.count_no_more(&agent, now);
        if !self.recovering {
            self.look_up_held(agent);
        }
    }
}

/// When a pending credit matures, and its task: its place in the order of the keys.
pub(super) fn position(key: &[u8]) -> Option<(Timestamp, TaskId)> {
    let (rest, task) = key.split_last_chunk::<8>()?;
    let (_, matures) = rest.split_last_chunk::<8>()?;
    let matures = Timestamp::from_millis(u64::from_be_bytes(*matures));
    Some((matures, TaskId(u64::from_be_bytes(*task))))
}
