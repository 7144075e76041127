//! What an agent keeps: its account, sealed results, bodies that may be asked for, receipts, the owner's log.
//!
//! Decides what is durable when. Bodies are files in a spool; the rest is in sled; receipts are files of their own besides, so
//! that they outlive a damaged index. A damaged index is moved aside and begun anew.

use crate::config::Layout;
use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use sward_agent_core::log::LogEntry;
use sward_agent_core::output::{Account, Change};
use sward_agent_core::sealed::{Capture, Sealed};
use sward_agent_core::session::Memory;
use sward_agent_core::tidings::Tidings;
use sward_proto::ids::LeaseToken;
use sward_proto::note::SignedNote;
use sward_proto::receipt::ReceiptBody;

/// The index's cache: an agent's working set is small.
const CACHE_BYTES: u64 = 4 << 20;
/// Lines of the owner's log that are kept.
const LOG_LINES: u64 = 100_000;

/// The first byte of each key. Never renumber.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Kind {
    Account = b'A',
    Usage = b'U',
    Sealed = b'S',
    Log = b'L',
    Objection = b'O',
    Tidings = b'T',
}

/// The store.
#[derive(Debug)]
pub struct AgentStore {
    tree: sled::Db,
    /// sled's own file once more: its flush does not sync it (research on dependencies, section 3).
    file: File,
    spool: PathBuf,
    receipts: PathBuf,
    next_line: u64,
    /// Something was applied that must be on the disk before anything more is sent.
    unsynced: bool,
}

impl AgentStore {
    /// Opens the store.
    ///
    /// # Errors
    /// Where another process has it, or the disk fails.
    pub fn open(layout: &Layout) -> Result<Self> {
        for folder in [layout.spool(), layout.receipts()] {
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let index = layout.index();
        let tree = match open_tree(&index) {
            Ok(tree) => tree,
            Err(error) if is_in_use(&error) => {
                anyhow::bail!(
                    "{} is in use by another sward-agent: stop that one first",
                    index.display()
                );
            }
            Err(error) if !is_damage(&error) => return Err(error),
            Err(error) => {
                let aside = free_name_beside(&index);
                std::fs::rename(&index, &aside).context("moving a damaged index aside")?;
                tracing::warn!(%error, aside = %aside.display(), "index damaged: begun anew");
                open_tree(&index)?
            }
        };
        let file = File::options().read(true).write(true).open(index.join("db"))?;
        let last = tree.scan_prefix([Kind::Log as u8]).next_back().transpose()?;
        let last = last.and_then(|(key, _)| key.last_chunk::<8>().copied());
        let next_line = last.map_or(0, |bytes| u64::from_be_bytes(bytes) + 1);
        let (spool, receipts) = (layout.spool(), layout.receipts());
        Ok(Self { tree, file, spool, receipts, next_line, unsynced: false })
    }

    /// What the agent remembers.
    ///
    /// # Errors
    /// Where the index cannot be read.
    pub fn memory(&self) -> Result<Memory> {
        let mut memory = Memory::default();
        if let Some(account) = self.get(&[Kind::Account as u8])? {
            memory.account = account;
        }
        if let Some(tidings) = self.get(&[Kind::Tidings as u8])? {
            memory.tidings = tidings;
        }
        if let Some(usage) = self.get(&[Kind::Usage as u8])? {
            memory.usage = usage;
        }
        for entry in self.tree.scan_prefix([Kind::Sealed as u8]) {
            let (key, value) = entry?;
            let token = LeaseToken::from_slice(key.get(1..).unwrap_or_default());
            if let (Ok(token), Ok(sealed)) = (token, postcard::from_bytes::<Sealed>(&value)) {
                memory.sealed.insert(token, sealed);
            }
        }
        if memory.account.receipt.is_empty() {
            memory.account.receipt = self.newest_receipt().unwrap_or_default();
        }
        self.clean_spool(&memory);
        Ok(memory)
    }

    /// The newest receipt among the files, where the index has lost it.
    fn newest_receipt(&self) -> Option<String> {
        let notes = std::fs::read_dir(&self.receipts).ok()?;
        let notes = notes.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok());
        let numbered = notes.filter_map(|note| {
            let signed = SignedNote::parse(note.as_bytes()).ok()?;
            Some((ReceiptBody::parse(signed.text()).ok()?.seq, note))
        });
        numbered.max_by_key(|(seq, _)| *seq).map(|(_, note)| note)
    }

    /// A body whose seal is gone was left by a crash.
    fn clean_spool(&self, memory: &Memory) {
        let Ok(files) = std::fs::read_dir(&self.spool) else { return };
        for file in files.flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            let known = LeaseToken::from_hex(&name).is_ok_and(|t| memory.sealed.contains_key(&t));
            if !known {
                drop(std::fs::remove_file(file.path()));
            }
        }
    }

    fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>> {
        let value = self.tree.get(key)?;
        value.map(|value| postcard::from_bytes(&value).context("index")).transpose()
    }

    /// Takes changes in; [`Self::sync`] makes them durable. Bodies and receipts come before the index that names them.
    ///
    /// # Errors
    /// Where the disk fails or is full.
    pub fn apply(&mut self, changes: Vec<Change>) -> Result<()> {
        let mut batch = sled::Batch::default();
        let mut forgotten = Vec::new();
        for change in changes {
            self.unsynced |= matters(&change);
            match change {
                Change::Seal { token, sealed, capture } => {
                    if let Some(capture) = capture {
                        write_file(&self.spool.join(token.to_string()), &capture)?;
                    }
                    batch.insert(key(Kind::Sealed, &token.0), encode(&sealed)?);
                }
                Change::Forget(token) => {
                    batch.remove(key(Kind::Sealed, &token.0));
                    forgotten.push(token);
                }
                Change::Account(account) => {
                    batch.insert(vec![Kind::Account as u8], encode::<Account>(&account)?);
                }
                Change::Tidings(tidings) => {
                    batch.insert(vec![Kind::Tidings as u8], encode::<Tidings>(&tidings)?);
                }
                Change::Usage(usage) => batch.insert(vec![Kind::Usage as u8], encode(&usage)?),
                Change::Receipt { note, objection } if objection.is_empty() => {
                    self.keep_receipt(&note)?;
                }
                Change::Receipt { note, objection } => {
                    tracing::warn!(
                        objection,
                        "a receipt does not hold: not signed, kept as evidence"
                    );
                    let id = sward_proto::digest::Digest::of(note.as_bytes());
                    let evidence = (note, objection);
                    batch.insert(key(Kind::Objection, &id.0), encode(&evidence)?);
                }
                Change::Log(entry) => {
                    let line = self.next_line;
                    self.next_line += 1;
                    batch.insert(key(Kind::Log, &line.to_be_bytes()), encode::<LogEntry>(&entry)?);
                    if let Some(old) = line.checked_sub(LOG_LINES) {
                        batch.remove(key(Kind::Log, &old.to_be_bytes()));
                    }
                }
            }
        }
        self.tree.apply_batch(batch)?;
        for token in forgotten {
            // It may not have been spooled.
            drop(std::fs::remove_file(self.spool.join(token.to_string())));
        }
        Ok(())
    }

    /// Makes durable what was applied. Due before each message: a result whose leaf was never sent may be lost and fetched
    /// again, so that the results of a run share one sync.
    ///
    /// # Errors
    /// Where the disk fails or is full.
    pub fn sync(&mut self) -> Result<()> {
        if std::mem::take(&mut self.unsynced) {
            self.tree.flush()?;
            self.file.sync_data()?;
        }
        Ok(())
    }

    fn keep_receipt(&self, note: &str) -> Result<()> {
        let signed = SignedNote::parse(note.as_bytes())?;
        let body = ReceiptBody::parse(signed.text())?;
        let name = format!("lane-{}-{:08}.note", body.lane, body.seq.0);
        let path = self.receipts.join(name);
        let aside = path.with_extension("new");
        let mut file = File::create(&aside)?;
        file.write_all(note.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&aside, &path).context("receipt")
    }

    /// Reads a spooled capture.
    #[must_use]
    pub fn capture(&self, token: LeaseToken) -> Option<Capture> {
        let bytes = std::fs::read(self.spool.join(token.to_string())).ok()?;
        postcard::from_bytes(&bytes).ok()
    }

    /// The last lines of the owner's log, oldest first.
    ///
    /// # Errors
    /// Where the index cannot be read.
    pub fn log(&self, count: usize) -> Result<Vec<LogEntry>> {
        let lines = self.tree.scan_prefix([Kind::Log as u8]).rev().take(count);
        let mut entries = Vec::new();
        for line in lines {
            entries.push(postcard::from_bytes(&line?.1)?);
        }
        entries.reverse();
        Ok(entries)
    }
}

/// The receipts in a data folder, in order.
///
/// # Errors
/// Where the folder cannot be read.
pub fn receipts(layout: &Layout) -> Result<Vec<String>> {
    let mut paths: Vec<PathBuf> = match std::fs::read_dir(layout.receipts()) {
        Ok(files) => files.flatten().map(|file| file.path()).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "note"));
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).context("receipt")).collect()
}

/// Whether anything that is said later relies on this change. That a leaf was taken, or a result is settled, the coordinator
/// says again.
const fn matters(change: &Change) -> bool {
    match change {
        Change::Seal { sealed, .. } => !sealed.committed,
        Change::Account(_) | Change::Receipt { .. } => true,
        Change::Tidings(tidings) => tidings.appeal.is_some(),
        Change::Forget(_) | Change::Log(_) | Change::Usage(_) => false,
    }
}

fn key(kind: Kind, rest: &[u8]) -> Vec<u8> {
    [&[kind as u8], rest].concat()
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    postcard::to_allocvec(value).context("index")
}

fn write_file(path: &Path, capture: &Capture) -> Result<()> {
    let mut file = File::create(path).with_context(|| format!("{}", path.display()))?;
    file.write_all(&encode(capture)?)?;
    file.sync_data()?;
    Ok(())
}

fn open_tree(index: &Path) -> Result<sled::Db> {
    let open = || {
        sled::Config::new()
            .path(index)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None)
            .mode(sled::Mode::LowSpace)
            .open()
    };
    // sled panics on some damage.
    let opened = std::panic::catch_unwind(open);
    opened.map_err(|_| anyhow::anyhow!("damaged"))?.context("index")
}

/// A disk that refuses is no damage: what is in the index is whole, and must not be begun anew.
fn is_damage(error: &anyhow::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, NotFound, UnexpectedEof};
    let cause = error.chain().find_map(|cause| cause.downcast_ref::<sled::Error>());
    !matches!(cause, Some(sled::Error::Io(io))
        if ![InvalidData, NotFound, UnexpectedEof].contains(&io.kind()))
}

/// The first of `index.damaged-1`, `index.damaged-2` and so on that is free.
fn free_name_beside(index: &Path) -> PathBuf {
    let mut number = 1_u64;
    loop {
        let name = index.with_extension(format!("damaged-{number}"));
        if !name.exists() {
            return name;
        }
        number += 1;
    }
}

fn is_in_use(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<sled::Error>());
    matches!(io, Some(sled::Error::Io(io)) if io.kind() == std::io::ErrorKind::WouldBlock
        || io.to_string().contains("lock"))
}
