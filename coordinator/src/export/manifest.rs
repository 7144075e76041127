//! What an export holds, so that anyone can check that nothing is missing or altered.

use super::{Parts, Plan};
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::path::Path;
use sward_proto::digest::Digest;
use sward_proto::ids::JobName;

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The form of this file.
    pub schema_version: u32,
    /// The job.
    pub job: JobName,
    /// In figures.
    #[serde(flatten)]
    pub plan: Plan,
    /// What is left out of pages of which only a part is attested.
    #[serde(flatten)]
    pub parts: Parts,
    /// The files, the manifest itself apart.
    pub files: Vec<FileEntry>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileEntry {
    /// Relative to the manifest.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 in hexadecimal digits.
    pub sha256: Digest,
    /// WARC records or lines.
    pub records: u64,
}

impl FileEntry {
    /// Describes a file that was written.
    ///
    /// # Errors
    /// Where it cannot be read back.
    pub fn of(dir: &Path, path: &str, records: u64) -> Result<Self> {
        use sha2::Digest as _;
        let mut file = std::fs::File::open(dir.join(path)).context("reading an export back")?;
        file.sync_all()?;
        let mut hasher = sha2::Sha256::new();
        let bytes = std::io::copy(&mut file, &mut HashWriter(&mut hasher))?;
        let sha256 = Digest(hasher.finalize().into());
        Ok(Self { path: path.to_owned(), bytes, sha256, records })
    }
}

struct HashWriter<'a>(&'a mut sha2::Sha256);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        sha2::Digest::update(self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Manifest {
    /// A manifest of these files.
    #[must_use]
    pub fn new(job: &JobName, plan: Plan, parts: Parts, files: Vec<FileEntry>) -> Self {
        Self { schema_version: 1, job: job.clone(), plan, parts, files }
    }

    pub(super) fn write(&self, dir: &Path) -> Result<()> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        std::fs::write(dir.join("manifest.json"), json).context("manifest.json")
    }
}
