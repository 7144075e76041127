//! The coordinator's books, read from archive and journal by themselves: what was accepted, who was credited for what.
//!
//! Decides what must be true of them whatever was killed or damaged: no task has two ends, no URL is accepted twice, no
//! agent is credited twice for one task, and receipts chain on both sides and add up to the credit.

use super::agent::Agent;
use super::coordinator::Coordinator;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use sward_coordinator::archive::Position;
use sward_coordinator::config::Layout;
use sward_coordinator::keeper::StampedEntry;
use sward_coordinator::question::AgentView;
use sward_coordinator::recover::for_each_settlement;
use sward_coordinator_core::journal::JournalEntry;
use sward_coordinator_core::record::agent::Totals;
use sward_coordinator_core::settlement::Settlement;
use sward_proto::ids::{PeerId, Seq, TaskId};
use sward_proto::note::{SignedNote, VerifierKey};
use sward_proto::outcome::Outcome;
use sward_proto::receipt::{self, ReceiptBody};

/// What archive and journal say.
#[derive(Debug, Default)]
pub struct Books {
    /// Accepted pages, robots.txt files apart.
    pub accepted: BTreeSet<String>,
    /// Credited results of each agent.
    pub credits: BTreeMap<PeerId, BTreeMap<TaskId, Totals>>,
    /// Each agent's receipts, as the coordinator signed them.
    pub receipts: BTreeMap<PeerId, Vec<String>>,
}

impl Books {
    /// Reads the books of a data folder.
    ///
    /// # Panics
    /// Where they cannot be read or contradict themselves.
    #[must_use]
    pub fn read(data: &Path) -> Self {
        let layout = Layout::new(data.to_owned());
        let mut books = Self::default();
        let mut ended = BTreeSet::new();
        for_each_settlement(&layout, Position::START, |stamped, _| {
            let settlement = stamped.settlement;
            let task = settlement.task;
            assert!(ended.insert(task), "task {task} of {} has two ends", settlement.url);
            books.take(&settlement);
            Ok(())
        })
        .expect("a whole archive");
        for line in std::fs::read_to_string(layout.journal()).expect("a journal").lines() {
            let (_, json) = line.split_once(' ').expect("a checksum and an entry");
            let stamped: StampedEntry = serde_json::from_str(json).expect("an entry");
            if let JournalEntry::Receipt { agent, note, .. } = stamped.entry {
                books.receipts.entry(agent).or_default().push(note);
            }
        }
        books
    }

    fn take(&mut self, settlement: &Settlement) {
        let url = settlement.url.to_string();
        if settlement.outcome == Outcome::Ok && !settlement.robots {
            assert!(self.accepted.insert(url.clone()), "{url} was accepted twice");
        }
        for result in &settlement.results {
            if result.credit.tasks > 0 {
                let credits = self.credits.entry(result.agent).or_default();
                let before = credits.insert(settlement.task, result.credit);
                assert!(before.is_none(), "{} is credited twice for {url}", result.agent);
            }
        }
    }

    /// All credit of an agent.
    #[must_use]
    pub fn total(&self, agent: &PeerId) -> Totals {
        let credits = self.credits.get(agent).into_iter().flat_map(BTreeMap::values);
        credits.fold(Totals::default(), |sum, credit| sum.plus(*credit).expect("small"))
    }
}

/// Checks the receipts of agents whose credit is all final: those in the journal and those on the agents chain, and the
/// newest says what the archive's settlements come to.
///
/// # Panics
/// Where they do not.
pub fn check_receipts(coordinator: &Coordinator, views: &[AgentView], agents: &[Agent]) {
    let key = coordinator.key();
    let books = Books::read(&coordinator.data);
    for agent in agents {
        let peer = agent.peer;
        let view = views.iter().find(|view| view.peer_id == peer.to_string()).expect("enrolled");
        assert_eq!(view.standing, "good", "an honest agent was blamed: {view:?}");
        assert_eq!(view.pending, 0, "not all is final: {view:?}");
        let signed = books.receipts.get(&peer).map(Vec::as_slice).unwrap_or_default();
        let ours = chain(signed, &key, false);
        let theirs = chain(&receipts_of(agent), &key, true);
        assert_eq!(theirs, ours, "{peer} holds other receipts than were signed");
        let newest = theirs.last().expect("a receipt");
        let total = books.total(&peer);
        let said = Totals { tasks: newest.tasks, bytes: newest.bytes, credit: newest.credit };
        assert_eq!(said, total, "the receipts of {peer} do not add up to the settlements");
        assert_eq!((view.receipted_tasks, view.receipted), (total.tasks, total.credit));
        assert_eq!(Seq(view.receipt_seq), newest.seq);
    }
}

/// The bodies of receipts, each signed and following on the one before it.
fn chain(notes: &[String], key: &VerifierKey, countersigned: bool) -> Vec<ReceiptBody> {
    let mut bodies: Vec<ReceiptBody> = Vec::new();
    for note in notes {
        let note = SignedNote::parse(note.as_bytes()).expect("a note");
        let verified = receipt::verify(&note, key).expect("a receipt that holds");
        assert!(verified.countersigned || !countersigned, "not countersigned: {}", note.text());
        match bodies.last() {
            Some(before) => receipt::follows(before, &verified.body).expect("a chain"),
            None => assert_eq!(verified.body.seq, Seq(1), "a chain begins with its first link"),
        }
        bodies.push(verified.body);
    }
    bodies
}

fn receipts_of(agent: &Agent) -> Vec<String> {
    let layout = sward_agent::config::Layout::new(agent.data.clone());
    sward_agent::store::receipts(&layout).expect("the agent's receipts")
}

/// The URLs of a JSONL export of the first job, which must name each once.
///
/// # Panics
/// Where the export fails, or a URL is in it twice.
#[must_use]
pub fn exported_urls(coordinator: &Coordinator, job: &str, out: &Path) -> BTreeSet<String> {
    let folder = out.display().to_string();
    coordinator.does(&["export", job, "--format", "jsonl", "--out", &folder]).ok();
    let text = std::fs::read_to_string(out.join(format!("{job}.jsonl"))).expect("the export");
    let mut urls = BTreeSet::new();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a JSON line");
        let url = line["url"].as_str().expect("a url").to_owned();
        assert!(urls.insert(url.clone()), "{url} was exported twice");
    }
    urls
}
