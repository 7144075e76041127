//! The one writer of the archive.
//!
//! Decides when a segment is full and what each begins with. A record is durable after [`Archive::sync`] and not
//! before; a failed append changes nothing. Never reads a record back.

use super::append_file::{AppendFile, WriteError, lock, sync_parent};
use super::encode::{Place, encode};
use super::error::ArchiveError;
use super::record::Record;
use super::record_id::RecordId;
use super::segment::{self, Location, Position};
use super::torn_tail;
use std::fs::File;
use std::path::{Path, PathBuf};
use sward_proto::timestamp::Timestamp;

/// After how many bytes a segment is full unless the configuration says otherwise: one GiB, as crawlers' files are.
pub const DEFAULT_SEGMENT_BYTES: u64 = 1 << 30;

/// What the archive's writer is told once.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A segment of this many bytes or more takes no further group; it may be longer by the last one.
    pub max_segment_bytes: u64,
    /// The `isPartOf` line of each warcinfo: what this archive is called.
    pub is_part_of: String,
    /// The `operator` line of each warcinfo: who answers for the crawl, with a contact.
    pub operator: String,
    /// The `robots` line of each warcinfo: the policy that was followed, for instance `obey (RFC 9309)`.
    pub robots: String,
}

/// What was found on opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The segment that will be written to.
    pub segment: u32,
    /// Bytes of a torn write that were cut from its end, not zero after a crash. They were never synced, or the
    /// disk has lost the newest record since: an index that points beyond [`Archive::position`] tells the two apart.
    pub truncated_bytes: u64,
}

/// Where a record went and what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Where it is, once synced.
    pub location: Location,
    /// Its `WARC-Record-ID`.
    pub id: RecordId,
}

/// The open archive.
#[derive(Debug)]
pub struct Archive {
    dir: PathBuf,
    /// Holds the writer's lock.
    _lock: File,
    settings: Settings,
    segment: u32,
    file: AppendFile,
    /// Of this segment, once it has one: an empty segment's first group brings it.
    warcinfo: Option<RecordId>,
}

impl Archive {
    /// Opens the archive in `dir`, or begins one. Reads the newest segment through, and cuts a torn write from its
    /// end.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] where whole records follow a damaged one in the newest segment,
    /// [`WriteError::InUse`] where another process writes here.
    pub fn open(dir: &Path, settings: Settings) -> Result<(Self, Opened), ArchiveError> {
        std::fs::create_dir_all(dir).map_err(|source| WriteError::of("create", dir, source))?;
        sync_parent(dir)?;
        let handle = File::open(dir)
            .map_err(|source| ArchiveError::Read { path: dir.to_owned(), source })?;
        lock(&handle, dir)?;
        let segment = segment::list(dir)?.last().copied().unwrap_or(Position::START.segment);
        let name = segment::file_name(segment);
        let path = dir.join(&name);
        let mut file = AppendFile::open(&path)?;
        let whole = torn_tail::whole_part(&path, &name)?;
        let truncated_bytes = file.cut(whole.end)?;
        let archive = Self {
            dir: dir.to_owned(),
            _lock: handle,
            settings,
            segment,
            file,
            warcinfo: whole.warcinfo,
        };
        Ok((archive, Opened { segment, truncated_bytes }))
    }

    /// Appends one record.
    ///
    /// # Errors
    /// Those of [`Self::append_group`].
    pub fn append(&mut self, record: &Record<'_>) -> Result<Written, ArchiveError> {
        self.append_group(record, &[]).map(|(written, _)| written)
    }

    /// Appends the records of one capture to one segment; each of `rest` names `first` in `WARC-Concurrent-To`.
    /// After a crash before the next sync the first records of a group may be there without its last, so the last
    /// should be the one that makes the group count.
    ///
    /// # Errors
    /// [`ArchiveError::Write`], [`ArchiveError::TooLarge`] or [`ArchiveError::Date`]; then none of the group was
    /// appended. A full disk is among them: it is known here, not first at the sync.
    pub fn append_group(
        &mut self,
        first: &Record<'_>,
        rest: &[Record<'_>],
    ) -> Result<(Written, Vec<Written>), ArchiveError> {
        if self.file.end() >= self.settings.max_segment_bytes.max(1) {
            self.rotate()?;
        }
        let segment = self.segment;
        let name = segment::file_name(segment);
        let start = self.file.end();
        let mut bytes = Vec::new();
        let mut warcinfo = self.warcinfo;
        if start == 0 {
            warcinfo = Some(self.encode_warcinfo(&name, first.date(), &mut bytes)?);
        }
        let mut write = |record: &Record<'_>, concurrent_to: Option<RecordId>| {
            let offset = start + bytes.len() as u64;
            let place = Place { segment: &name, offset, warcinfo, concurrent_to };
            let id = encode(record, place, &mut bytes)?;
            let length = start + bytes.len() as u64 - offset;
            Ok::<_, ArchiveError>(Written { location: Location { segment, offset, length }, id })
        };
        let first = write(first, None)?;
        let rest =
            rest.iter().map(|record| write(record, Some(first.id))).collect::<Result<_, _>>()?;
        self.file.write(&bytes)?;
        self.warcinfo = warcinfo;
        Ok((first, rest))
    }

    /// Waits until everything that was appended is on the disk.
    ///
    /// # Errors
    /// [`WriteError::Full`] leaves nothing torn and forgets nothing: call it again once there is room. After any
    /// other error the archive must be opened again.
    pub fn sync(&mut self) -> Result<(), WriteError> {
        self.file.sync()
    }

    /// Where the next record will begin; everything before it is durable after a sync.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { segment: self.segment, offset: self.file.end() }
    }

    /// Syncs this segment and begins the next.
    fn rotate(&mut self) -> Result<(), WriteError> {
        self.file.sync()?;
        let next = self.segment.saturating_add(1);
        self.file = AppendFile::open(&self.dir.join(segment::file_name(next)))?;
        self.segment = next;
        Ok(())
    }

    fn encode_warcinfo(
        &self,
        filename: &str,
        date: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<RecordId, ArchiveError> {
        let fields = [
            ("software", concat!("sward-coordinator/", env!("CARGO_PKG_VERSION"))),
            ("format", "WARC File Format 1.1"),
            (
                "conformsTo",
                "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            ),
            ("isPartOf", &self.settings.is_part_of),
            ("operator", &self.settings.operator),
            ("robots", &self.settings.robots),
        ];
        let record = Record::Warcinfo { date, filename, fields: &fields };
        let place = Place { segment: filename, offset: 0, warcinfo: None, concurrent_to: None };
        encode(&record, place, out)
    }
}
