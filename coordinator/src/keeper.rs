//! The append-only truth: verdicts and captures into WARC segments, all else into the journal.
//!
//! Decides which records a settlement becomes. Each settlement and journal line carries the number of the turn that wrote it,
//! so that a crash can be told from damage.

use crate::archive::{
    Archive, ArchiveError, Location, OwnedRecord, Position, Record, RecordId, Settings, Truncated,
    WriteError, Written, http_head,
};
use crate::config::{Config, Layout};
use crate::intake::Capture;
use crate::journal::{Journal, JournalError};
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use sward_coordinator_core::input::{Archived, ArchivedPage};
use sward_coordinator_core::journal::JournalEntry;
use sward_coordinator_core::record::payload::PayloadRecord;
use sward_coordinator_core::settlement::Settlement;
use sward_proto::timestamp::Timestamp;

/// A settlement as it lies in a metadata record.
#[derive(Debug, Serialize, Deserialize)]
pub struct StampedSettlement {
    /// The turn that wrote it.
    pub turn: u64,
    /// What was settled.
    pub settlement: Settlement,
}

/// A journal line.
#[derive(Debug, Serialize, Deserialize)]
pub struct StampedEntry {
    /// The turn that wrote it.
    pub turn: u64,
    /// What happened.
    pub entry: JournalEntry,
}

/// Why a settlement was not written.
#[derive(Debug)]
pub enum KeepError {
    /// The disk is full, or down to the reserve; nothing torn stays behind.
    Full,
    /// Anything else.
    Failed(ArchiveError),
}

/// Archive and journal, open for appending.
#[derive(Debug)]
pub struct Keeper {
    archive: Archive,
    journal: Journal<StampedEntry>,
    dirty: (bool, bool),
    folder: PathBuf,
    reserve_bytes: u64,
}

/// What opening them found.
#[derive(Debug)]
pub struct Found {
    /// The journal's entries.
    pub entries: Vec<StampedEntry>,
    /// Bytes of torn writes that were cut: archive, journal.
    pub truncated: (u64, u64),
}

impl Keeper {
    /// Opens both, cutting torn writes off their ends.
    ///
    /// # Errors
    /// Where one is damaged elsewhere, or another process writes to it.
    pub fn open(layout: &Layout, config: &Config) -> Result<(Self, Found)> {
        let settings = Settings {
            max_segment_bytes: config.limits.segment_bytes,
            is_part_of: config.log.clone(),
            operator: format!("{} ({})", config.operator, config.contact),
            robots: "obey (RFC 9309)".to_owned(),
        };
        let (archive, opened) = Archive::open(&layout.archive(), settings).context("archive")?;
        let (journal, replay) = Journal::open(&layout.journal()).context("journal")?;
        let truncated = (opened.truncated_bytes, replay.truncated_bytes);
        let found = Found { entries: replay.entries, truncated };
        let (folder, reserve_bytes) = (layout.archive(), config.limits.reserve_bytes);
        Ok((Self { archive, journal, dirty: (false, false), folder, reserve_bytes }, found))
    }

    /// Where the archive ends.
    #[must_use]
    pub fn archive_end(&self) -> Position {
        self.archive.position()
    }

    /// Where the journal ends, in bytes.
    #[must_use]
    pub fn journal_end(&self) -> u64 {
        self.journal.position()
    }

    /// Appends a line to the journal.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn note(&mut self, turn: u64, entry: JournalEntry) -> Result<(), JournalError> {
        self.dirty.1 = true;
        self.journal.append(&StampedEntry { turn, entry })
    }

    /// Makes everything that was appended durable.
    ///
    /// # Errors
    /// [`WriteError`] of the disk.
    pub fn sync(&mut self) -> Result<(), WriteError> {
        if std::mem::take(&mut self.dirty.0) {
            self.archive.sync()?;
        }
        if std::mem::take(&mut self.dirty.1) {
            self.journal.sync()?;
        }
        Ok(())
    }

    /// Appends a settlement, with the capture that it accepts.
    ///
    /// # Errors
    /// [`KeepError`]; then nothing of it is in the archive.
    pub fn keep(
        &mut self,
        turn: u64,
        settlement: &Settlement,
        capture: Option<&Capture>,
        known: Option<&PayloadRecord>,
    ) -> Result<Archived, KeepError> {
        if self.is_short_of_space() {
            return Err(KeepError::Full);
        }
        self.dirty.0 = true;
        let stamped = StampedSettlement { turn, settlement: settlement.clone() };
        let json = serde_json::to_vec(&stamped)
            .map_err(|error| KeepError::Failed(ArchiveError::Compress(error.into())))?;
        let metadata = Record::Metadata {
            target: Some(&settlement.url),
            date: settlement.settled_at,
            content_type: "application/json",
            body: &json,
            concurrent_to: None,
        };
        let written = match (capture, &settlement.page) {
            (Some(capture), Some(page)) => {
                return self.keep_page(&metadata, capture, page.fetched_at, settlement, known);
            }
            _ => self.archive.append(&metadata),
        };
        let written = written.map_err(keep_error)?;
        Ok(Archived { settlement: written.location, page: None })
    }

    /// Index and journal grow a little with every turn, and neither can be put off: the archive leaves them the reserve.
    fn is_short_of_space(&self) -> bool {
        rustix::fs::statvfs(&self.folder)
            .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < self.reserve_bytes)
    }

    fn keep_page(
        &mut self,
        metadata: &Record<'_>,
        capture: &Capture,
        date: Timestamp,
        settlement: &Settlement,
        known: Option<&PayloadRecord>,
    ) -> Result<Archived, KeepError> {
        let bytes = settlement.page.as_ref().map_or(0, |page| page.bytes);
        let last = capture.start.exchanges.len().saturating_sub(1);
        let heads = capture.start.exchanges.iter().enumerate().filter_map(|(n, exchange)| {
            let size = if n == last { bytes } else { exchange.body.len() as u64 };
            let request = http_head::of_request(&exchange.request_head).ok()?;
            let response = http_head::for_storage(&exchange.response_head, size).ok()?;
            Some((exchange, request, response))
        });
        let heads: Vec<_> = heads.collect();
        let Some(((last, request, response), hops)) = heads.split_last() else {
            let written = self.archive.append(metadata).map_err(keep_error)?;
            return Ok(Archived { settlement: written.location, page: None });
        };
        let protocols = [last.protocol.clone()];
        let revisit =
            known.and_then(|known| Some((known.record_id.parse::<RecordId>().ok()?, known)));
        let page = match (&revisit, &settlement.page) {
            (Some((id, known)), Some(page)) if capture.body.is_empty() && page.bytes > 0 => {
                Record::Revisit {
                    target: &last.url,
                    date,
                    head: response,
                    payload_digest: page.payload,
                    refers_to: *id,
                    refers_to_target: &known.url,
                    refers_to_date: known.date,
                }
            }
            _ => Record::Response {
                target: &last.url,
                date,
                ip: Some(last.peer_ip),
                protocols: &protocols,
                head: response,
                body: &capture.body,
                truncated: None,
                payload_type: None,
            },
        };
        let is_revisit = matches!(page, Record::Revisit { .. });
        let mut rest = vec![Record::Request { target: &last.url, date, head: request }];
        for (exchange, request, response) in hops {
            rest.push(Record::Response {
                target: &exchange.url,
                date,
                ip: Some(exchange.peer_ip),
                protocols: &[],
                head: response,
                body: &exchange.body,
                truncated: exchange.body_truncated.then_some(Truncated::Length),
                payload_type: None,
            });
            rest.push(Record::Request { target: &exchange.url, date, head: request });
        }
        rest.push(*metadata);
        let (first, others) = self.archive.append_group(&page, &rest).map_err(keep_error)?;
        Ok(archived(first, others.last().copied(), is_revisit))
    }
}

fn archived(first: Written, last: Option<Written>, revisit: bool) -> Archived {
    let Written { location, id } = first;
    let page = ArchivedPage { group: location, page: location, record_id: id.to_string(), revisit };
    Archived { settlement: last.map_or(location, |last| last.location), page: Some(page) }
}

fn keep_error(error: ArchiveError) -> KeepError {
    if matches!(error, ArchiveError::Write(WriteError::Full { .. })) {
        KeepError::Full
    } else {
        KeepError::Failed(error)
    }
}

/// Puts settlements back together while an archive is read from some place on.
#[derive(Debug, Default)]
pub struct Reader {
    page: Option<ArchivedPage>,
}

impl Reader {
    /// Takes the next record; gives a settlement once its group is complete.
    ///
    /// # Errors
    /// Where a metadata record is none of ours.
    pub fn take(
        &mut self,
        at: Location,
        record: &OwnedRecord,
    ) -> Result<Option<(StampedSettlement, Archived)>> {
        match record.kind() {
            // The page is the first of its group; the responses after it are redirect hops.
            "response" | "revisit" if self.page.is_none() => {
                let id = record.id().map(|id| id.to_string()).unwrap_or_default();
                let revisit = record.kind() == "revisit";
                self.page = Some(ArchivedPage { group: at, page: at, record_id: id, revisit });
            }
            "metadata" => {
                let stamped: StampedSettlement = serde_json::from_slice(&record.block)
                    .with_context(|| {
                        format!("segment {} byte {}: not a settlement", at.segment, at.offset)
                    })?;
                let archived = Archived { settlement: at, page: self.page.take() };
                return Ok(Some((stamped, archived)));
            }
            _ => {}
        }
        Ok(None)
    }
}
