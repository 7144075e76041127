//! Ledger: credit that is past its hold window becomes a receipt when the epoch closes; who was caught gets none.
//!
//! Receipts are cumulative and chained. Credit that a receipt covers is final and never taken back.

use super::{Coordinator, Timer};
use crate::journal::JournalEntry;
use crate::lookup::{Lookup, MaturedCredit};
use crate::output::{Event, Output};
use crate::record::agent::{AgentRecord, Standing, Totals};
use crate::roster::{Agent, Mail};
use crate::trust::blocks::BlockId;
use sward_proto::digest::Digest;
use sward_proto::ids::{Epoch, PeerId, Seq, TaskId};
use sward_proto::merkle;
use sward_proto::note::SignedNote;
use sward_proto::reason::Reason;
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
        let calendar = self.calendar();
        let due = |record: &AgentRecord| {
            // An agent that has not signed its newest receipt gets no further one, so that no link of its
            // chain is ever missing on its side.
            let signed = record.countersigned || record.seq == Seq(0);
            let good = record.standing == Standing::Good && signed;
            record.blocks.due(calendar, now).filter(|_| good)
        };
        let due: Vec<(PeerId, BlockId)> = self
            .roster
            .iter()
            .filter(|(_, agent)| !agent.closing)
            .filter_map(|(peer, agent)| Some((*peer, due(&agent.record)?)))
            .collect();
        for (agent, through) in due {
            if let Some(member) = self.roster.get_mut(&agent) {
                member.closing = true;
            }
            self.look_up(Lookup::Matured { agent, through, now });
        }
        self.tell_notices(now);
    }

    /// Notices whose time has come since they were last told.
    fn tell_notices(&mut self, now: Timestamp) {
        let fresh = |agent: &Agent| agent.record.notices.told(now).count() > agent.noticed;
        let fresh = self.roster.iter().filter(|(_, agent)| fresh(agent));
        let fresh: Vec<PeerId> = fresh.map(|(peer, _)| *peer).collect();
        for agent in fresh {
            if let Some(member) = self.roster.get_mut(&agent) {
                member.noticed = member.record.notices.told(now).count();
            }
            self.roster.post(&agent, Mail::standing_changed);
        }
    }

    pub(super) fn matured(&mut self, agent: PeerId, credits: &[MaturedCredit], now: Timestamp) {
        let Some(member) = self.roster.get_mut(&agent) else { return };
        member.closing = false;
        let record = &member.record;
        let Some(last) = credits.last().filter(|_| record.standing == Standing::Good) else {
            return;
        };
        // What was contested was held, and earns nothing.
        let earned: Vec<&MaturedCredit> =
            credits.iter().filter(|credit| credit.amount.tasks > 0).collect();
        let forfeited = record.forfeit.min(u32::try_from(earned.len()).unwrap_or(u32::MAX));
        let (_, paid) = earned.split_at(forfeited as usize);
        if paid.is_empty() {
            return self.all_forfeited(agent, last.place, credits);
        }
        let total = |sum: Option<Totals>, credit: &&MaturedCredit| sum?.plus(credit.amount);
        let Some(sum) = paid.iter().fold(Some(record.receipted), total) else { return };
        let leaves: Vec<Digest> = paid.iter().map(|credit| credit.leaf).collect();
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
        let (note, covers) = (note.encode(), Some(last.place));
        let entry = JournalEntry::Receipt { agent, note: note.clone(), covers, forfeited };
        self.outputs.push_back(Output::Journal(entry));
        self.put_receipt(agent, &body, note, credits);
        self.event(Event::Receipt(agent));
    }

    /// Nothing of what turned final is paid; where it was merely contested, that needs no line.
    fn all_forfeited(
        &mut self,
        agent: PeerId,
        covers: (BlockId, TaskId),
        credits: &[MaturedCredit],
    ) {
        if credits.iter().any(|credit| credit.amount.tasks > 0) {
            self.outputs.push_back(Output::Journal(JournalEntry::Forfeited { agent, covers }));
        }
        self.put_covered(agent, credits);
        self.save_agent(&agent);
    }

    /// What a receipt changes; at its time and when it is read back from the journal.
    pub(super) fn put_receipt(
        &mut self,
        agent: PeerId,
        body: &ReceiptBody,
        note: String,
        covered: &[MaturedCredit],
    ) {
        self.put_covered(agent, covered);
        let Some(member) = self.roster.get_mut(&agent) else { return };
        let record = &mut member.record;
        record.receipted = Totals { tasks: body.tasks, bytes: body.bytes, credit: body.credit };
        (record.seq, record.prev) = (body.seq, body.hash());
        (record.note, record.countersigned) = (note, false);
        self.roster.post(&agent, Mail::offer_receipt);
        self.save_agent(&agent);
    }

    /// Credit that is pending no more: what is forfeited comes first, the rest is under a receipt.
    pub(super) fn put_covered(&mut self, agent: PeerId, covered: &[MaturedCredit]) {
        let Some(member) = self.roster.get_mut(&agent) else { return };
        let record = &mut member.record;
        for MaturedCredit { key, place: (block, _), amount, .. } in covered {
            record.pending = record.pending.minus(*amount);
            record.blocks.cover(*block, *amount);
            if amount.tasks > 0 && record.forfeit > 0 {
                record.forfeit -= 1;
                record.forfeited = record.forfeited.plus(*amount).unwrap_or(record.forfeited);
            }
            self.batch.delete(key.clone());
        }
        self.roster.post(&agent, Mail::standing_changed);
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
    pub(super) fn put_conviction(&mut self, agent: PeerId, conviction: Conviction, now: Timestamp) {
        let Some(member) = self.roster.get_mut(&agent) else { return };
        let Conviction { at, reason, tasks, forfeited } = conviction;
        let record = &mut member.record;
        if let Some(reason) = Reason::of_code(&reason) {
            record.notices.add(reason, at, at, tasks);
        }
        record.standing = Standing::Convicted { at, reason };
        record.forfeited = forfeited;
        record.pending = Totals::default();
        record.blocks.clear();
        record.trust.convicted();
        self.roster.retire(&agent);
        self.save_agent(&agent);
        self.count_no_more(&agent, now);
        if !self.recovering {
            self.look_up_held(agent);
        }
    }
}

/// Why and when an agent was caught, and what that takes.
pub(super) struct Conviction {
    pub(super) at: Timestamp,
    /// The reason's code.
    pub(super) reason: String,
    /// The tasks that speak against it.
    pub(super) tasks: Vec<TaskId>,
    /// All that was ever forfeited, with what was pending.
    pub(super) forfeited: Totals,
}
