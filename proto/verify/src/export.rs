//! The `export` command: whether a folder holds what its manifest promises.
//!
//! Decides which files are read (those of the manifest, inside the folder) and what is checked of
//! each: length and SHA-256 of all, every record of `.warc.gz`, every verdict of
//! `.evidence.jsonl.gz`, every statement of `.retractions.jsonl`, every line of other `.jsonl`. Other formats are not looked into. Never decides whether the
//! manifest itself is genuine.

use crate::jsonl::{self, Records};
use crate::keys::Keys;
use crate::report::{Finding, Outcome};
use crate::retraction;
use crate::verdict::{self, Accepted};
use crate::warc::{self, Holds};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Component, Path};
use sward_proto::digest::Digest;

/// What the manifest is called.
const MANIFEST: &str = "manifest.json";
/// The only form of manifest so far.
const SCHEMA_VERSION: u32 = 1;
/// How the names of files end that hold the verdicts of captures.
const EVIDENCE: &str = ".evidence.jsonl.gz";
/// How the names of files end that hold what was taken back.
const RETRACTIONS: &str = ".retractions.jsonl";
/// The longest manifest: some hundred thousand files.
const MAX_MANIFEST_BYTES: u64 = 64 << 20;

/// Why a manifest is none.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Too long.
    #[error("longer than {MAX_MANIFEST_BYTES} bytes")]
    TooLong,
    /// Not the JSON that a manifest is.
    #[error("not a manifest: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by later software.
    #[error("schema_version {0} is unknown, this software reads {SCHEMA_VERSION}")]
    Schema(u32),
    /// A path that leads out of the folder, or has two spellings.
    #[error("path {0:?} is not a plain path inside the export")]
    Path(String),
    /// One file promised twice.
    #[error("path {0:?} stands twice")]
    Repeated(String),
}

/// Why a file is not what the manifest promises.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("{found} bytes instead of {expected}")]
    Length { expected: u64, found: u64 },
    #[error("sha256 is {found} instead of {expected}")]
    Digest { expected: String, found: Digest },
    #[error(transparent)]
    Warc(#[from] warc::WarcError),
    #[error(transparent)]
    Jsonl(#[from] jsonl::JsonlError),
    #[error("{found} records instead of {expected}")]
    Count { expected: u64, found: u64 },
}

impl FileError {
    const fn outcome(&self) -> Outcome {
        let readable = match self {
            Self::Warc(error) => error.fault.is_mismatch(),
            Self::Jsonl(error) => error.fault.is_mismatch(),
            Self::Unreadable(_) | Self::Length { .. } | Self::Digest { .. } => true,
            Self::Count { .. } => true,
        };
        if readable { Outcome::Invalid } else { Outcome::Malformed }
    }
}

/// Checks the export in `dir`: one finding for the manifest, then one for each of its files, and for each verdict that
/// does not hold. Verdicts must be signed by the first of `keys`, where these are given.
#[must_use]
pub fn check(dir: &Path, keys: Option<&Path>) -> Vec<Finding> {
    let trusted = match keys.map(|path| (path, Keys::read(path))) {
        Some((path, Err(error))) => return vec![error.finding(path)],
        Some((_, Ok(keys))) => Some(keys),
        None => None,
    };
    let path = dir.join(MANIFEST);
    let manifest = match Manifest::read(&path) {
        Ok(manifest) => manifest,
        Err(error) => {
            let path = path.display().to_string();
            return vec![Finding::new(&path, Outcome::Malformed, error.to_string())];
        }
    };
    let has_evidence = manifest.files.iter().any(|entry| entry.path.ends_with(EVIDENCE));
    let without = if has_evidence { "" } else { ", no evidence of verdicts among them" };
    let detail = format!("{} files{without}", manifest.files.len());
    let mut findings = vec![Finding::new(&path.display().to_string(), Outcome::Valid, detail)];
    // Lines point at records and verdicts, so all of these come before the first line.
    let mut files = manifest.files;
    files.sort_by_key(|entry| (entry.path.ends_with(".jsonl"), entry.path.ends_with(EVIDENCE)));
    let (mut records, mut accepted) = (Records::new(), None);
    for entry in &files {
        if entry.path.ends_with(EVIDENCE) {
            let accepted = accepted.get_or_insert_default();
            findings.extend(entry.check_evidence(dir, trusted.as_ref(), &records, accepted));
            continue;
        }
        if entry.path.ends_with(RETRACTIONS) {
            findings.extend(entry.check_retractions(dir, trusted.as_ref()));
            continue;
        }
        findings.push(match entry.check(dir, &mut records, accepted.as_ref()) {
            Ok(counted) => entry.finding(counted),
            Err(error) => Finding::new(&entry.path, error.outcome(), error.to_string()),
        });
    }
    findings
}

#[derive(Deserialize)]
struct Manifest {
    schema_version: u32,
    files: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    bytes: u64,
    sha256: String,
    records: Option<u64>,
}

impl Manifest {
    fn read(path: &Path) -> Result<Self, ManifestError> {
        let mut text = Vec::new();
        File::open(path)?.take(MAX_MANIFEST_BYTES + 1).read_to_end(&mut text)?;
        if text.len() as u64 > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLong);
        }
        let manifest: Self = serde_json::from_slice(&text)?;
        if manifest.schema_version != SCHEMA_VERSION {
            return Err(ManifestError::Schema(manifest.schema_version));
        }
        let mut seen = BTreeSet::new();
        for entry in &manifest.files {
            if !is_plain(&entry.path) {
                return Err(ManifestError::Path(entry.path.clone()));
            }
            if !seen.insert(&entry.path) {
                return Err(ManifestError::Repeated(entry.path.clone()));
            }
        }
        Ok(manifest)
    }
}

impl Entry {
    /// Every verdict holds, and the page that it accepts as a whole is in a WARC of this export, where there is one.
    fn check_evidence(
        &self,
        dir: &Path,
        keys: Option<&Keys>,
        records: &Records,
        accepted: &mut Accepted,
    ) -> Vec<Finding> {
        let path = dir.join(&self.path);
        let opened = File::open(&path).map_err(FileError::from);
        if let Err(error) = opened.and_then(|file| self.check_bytes(file)) {
            return vec![Finding::new(&self.path, error.outcome(), error.to_string())];
        }
        let mut findings = verdict::check_file(&path, &self.path, keys, accepted);
        if let Some(expected) = self.records
            && let Some(found) = findings.iter().find_map(|finding| finding.records)
            && found != expected
        {
            let error = FileError::Count { expected, found };
            findings.push(Finding::new(&self.path, error.outcome(), error.to_string()));
        }
        let payload = |holds: &Holds| match holds {
            Holds::Payload(digest) => Some(*digest),
            Holds::Conversion | Holds::Other => None,
        };
        let payloads: BTreeSet<Digest> = records.values().filter_map(payload).collect();
        let missing =
            accepted.pages().filter(|page| !page.in_part && !payloads.contains(&page.payload));
        findings.extend(missing.filter(|_| !records.is_empty()).map(|page| {
            let why = format!("no record has the payload that task {} accepts", page.task);
            Finding::new(&self.path, Outcome::Invalid, why)
        }));
        findings
    }

    /// Every statement is signed.
    fn check_retractions(&self, dir: &Path, keys: Option<&Keys>) -> Vec<Finding> {
        let path = dir.join(&self.path);
        let opened = File::open(&path).map_err(FileError::from);
        if let Err(error) = opened.and_then(|file| self.check_bytes(file)) {
            return vec![Finding::new(&self.path, error.outcome(), error.to_string())];
        }
        let mut findings = retraction::check_file(&path, &self.path, keys);
        let counted = findings.iter().find_map(|finding| finding.records).zip(self.records);
        if let Some((found, expected)) = counted.filter(|(found, expected)| found != expected) {
            let error = FileError::Count { expected, found };
            findings.push(Finding::new(&self.path, error.outcome(), error.to_string()));
        }
        findings
    }

    fn check(
        &self,
        dir: &Path,
        records: &mut Records,
        accepted: Option<&Accepted>,
    ) -> Result<Option<u64>, FileError> {
        let path = dir.join(&self.path);
        self.check_bytes(File::open(&path)?)?;
        let file = BufReader::new(File::open(&path)?);
        let found = if self.path.ends_with(".warc.gz") {
            let before = records.len();
            warc::walk(file, |record| {
                records.insert((self.path.clone(), record.offset), record.holds);
            })?;
            (records.len() - before) as u64
        } else if self.path.ends_with(".jsonl") {
            jsonl::check(file, records, accepted)?
        } else {
            return Ok(None);
        };
        match self.records {
            Some(expected) if expected != found => Err(FileError::Count { expected, found }),
            Some(_) | None => Ok(Some(found)),
        }
    }

    fn check_bytes(&self, file: File) -> Result<(), FileError> {
        let found = file.metadata()?.len();
        if found != self.bytes {
            return Err(FileError::Length { expected: self.bytes, found });
        }
        let mut hasher = Sha256::new();
        let mut file = BufReader::new(file);
        loop {
            let part = file.fill_buf()?;
            if part.is_empty() {
                break;
            }
            hasher.update(part);
            let length = part.len();
            file.consume(length);
        }
        let found = Digest(hasher.finalize().into());
        if found.to_string() == self.sha256 {
            return Ok(());
        }
        Err(FileError::Digest { expected: self.sha256.clone(), found })
    }

    fn finding(&self, counted: Option<u64>) -> Finding {
        let detail = match counted {
            Some(records) => format!("{} bytes, {records} records", self.bytes),
            None => format!("{} bytes, not looked into", self.bytes),
        };
        let finding = Finding::new(&self.path, Outcome::Valid, detail);
        Finding { records: counted, ..finding }
    }
}

/// Names joined by single slashes: no root, no `.` or `..`, nothing that two texts could share.
fn is_plain(path: &str) -> bool {
    let parts = Path::new(path).components();
    let named = parts.clone().all(|part| matches!(part, Component::Normal(_)));
    let length: usize = parts.map(|part| part.as_os_str().len() + 1).sum();
    named && !path.is_empty() && length == path.len() + 1
}
