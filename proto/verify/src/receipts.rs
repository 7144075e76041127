//! The `receipt` command: whether each receipt bears its signatures.

use crate::keys::Keys;
use crate::note_file::{self, Refusal};
use crate::report::Finding;
use std::path::{Path, PathBuf};

/// Checks each file on its own against the keys file.
#[must_use]
pub fn check(files: &[PathBuf], keys: &Path) -> Vec<Finding> {
    let keys = match Keys::read(keys) {
        Ok(trusted) => trusted,
        Err(error) => return vec![error.finding(keys)],
    };
    files.iter().map(|path| one(path, &keys).unwrap_or_else(|why| why.finding(path))).collect()
}

fn one(path: &Path, keys: &Keys) -> Result<Finding, Refusal> {
    let (note, _) = note_file::read(path)?;
    Ok(Finding::of_receipt(&path.display().to_string(), &keys.verify(&note)?))
}
