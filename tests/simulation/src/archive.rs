//! Archive and journal in memory: what a crash of the coordinator leaves.

use std::collections::BTreeMap;
use sward_coordinator_core::input::{Archived, ArchivedPage};
use sward_coordinator_core::journal::JournalEntry;
use sward_coordinator_core::record::capture::Location;
use sward_coordinator_core::record::payload::PayloadRecord;
use sward_coordinator_core::settlement::Settlement;
use sward_proto::digest::Digest;

/// A settlement as it was appended.
#[derive(Debug, Clone)]
pub struct Kept {
    /// In which turn.
    pub turn: u64,
    /// The verdict.
    pub settlement: Settlement,
    /// Where it lies.
    pub archived: Archived,
}

/// All that is truth.
#[derive(Debug, Default)]
pub struct Archive {
    /// Settlements, in order.
    pub settlements: Vec<Kept>,
    /// Journal lines with their turns, in order.
    pub journal: Vec<(u64, JournalEntry)>,
    /// The body under each record.
    bodies: BTreeMap<String, Digest>,
}

impl Archive {
    /// Appends a settlement with the capture that was received for it.
    ///
    /// # Errors
    /// Where the record would stand without its body.
    pub fn keep(
        &mut self,
        turn: u64,
        settlement: &Settlement,
        capture: Option<Option<&[u8]>>,
        known: Option<&PayloadRecord>,
    ) -> Result<Archived, String> {
        let number = self.settlements.len() as u64;
        let at = Location { segment: 0, offset: number, length: 1 };
        let page = match (&settlement.page, capture) {
            (Some(page), Some(body)) => {
                let record_id = format!("<urn:record:{number}>");
                self.check_body(settlement, page.payload, body, known)?;
                if known.is_none() {
                    self.bodies.insert(record_id.clone(), page.payload);
                }
                Some(ArchivedPage { group: at, page: at, record_id, revisit: known.is_some() })
            }
            (Some(_) | None, None) | (None, Some(_)) => None,
        };
        let archived = Archived { settlement: at, page };
        let settlement = settlement.clone();
        self.settlements.push(Kept { turn, settlement, archived: archived.clone() });
        Ok(archived)
    }

    fn check_body(
        &self,
        settlement: &Settlement,
        payload: Digest,
        body: Option<&[u8]>,
        known: Option<&PayloadRecord>,
    ) -> Result<(), String> {
        let url = &settlement.url;
        match (known, body) {
            (Some(known), _) if self.bodies.get(&known.record_id) == Some(&payload) => Ok(()),
            (Some(known), _) => {
                Err(format!("{url} revisits {}, which holds no such body", known.record_id))
            }
            (None, Some(body)) if Digest::of(body) == payload => Ok(()),
            (None, Some(_)) => Err(format!("{url} is archived with another body than was agreed")),
            (None, None) => Err(format!("{url} is archived without its body")),
        }
    }
}
