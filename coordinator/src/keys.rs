//! The coordinator's secrets: who it is, what signs receipts, what keys the seen-set.
//!
//! Decides where they lie and who may read them: mode 0600 in a folder of mode 0700, refused when looser.

use crate::config::Layout;
use anyhow::{Context as _, Result, ensure};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The three secrets.
#[derive(Clone)]
pub struct Keys {
    /// Ed25519 seed of the transport identity, which agents pin.
    pub identity: [u8; 32],
    /// Ed25519 seed of the receipt key.
    pub receipts: [u8; 32],
    /// Keys the seen-set's fingerprints.
    pub seen: [u8; 32],
}

const NAMES: [&str; 3] = ["identity", "receipts", "seen"];

impl Keys {
    /// Draws new secrets and writes them.
    ///
    /// # Errors
    /// Where the folder exists, or cannot be written.
    pub fn create(layout: &Layout) -> Result<Self> {
        let folder = layout.keys();
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        for name in NAMES {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).context("the system gives no random numbers")?;
            write_secret(&folder.join(name), &secret)?;
        }
        Self::load(layout)
    }

    /// Reads the secrets.
    ///
    /// # Errors
    /// Where one is missing, malformed, or readable by others.
    pub fn load(layout: &Layout) -> Result<Self> {
        let folder = layout.keys();
        check_mode(&folder, 0o077)?;
        let [identity, receipts, seen] = NAMES.map(|name| read_secret(&folder.join(name)));
        Ok(Self { identity: identity?, receipts: receipts?, seen: seen? })
    }
}

fn write_secret(path: &Path, secret: &[u8; 32]) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(secret).and_then(|()| file.sync_all())?;
    Ok(())
}

fn read_secret(path: &Path) -> Result<[u8; 32]> {
    check_mode(path, 0o077)?;
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let length = bytes.len();
    bytes.try_into().ok().with_context(|| {
        format!("{} has {length} bytes instead of 32: restore it from a backup", path.display())
    })
}

fn check_mode(path: &Path, refused: u32) -> Result<()> {
    let found = std::fs::metadata(path)
        .with_context(|| {
            format!("cannot read {}: run sward-coordinator init first", path.display())
        })?
        .mode();
    ensure!(
        found & refused == 0,
        "{} can be read by others (mode {:o}): run chmod go= {}",
        path.display(),
        found & 0o777,
        path.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let layout = Layout::new(dir.path().to_owned());
        Keys::create(&layout).expect("fresh");
        let path = layout.keys().join("receipts");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("ours");
        let error = Keys::load(&layout).err().expect("refused").to_string();
        assert!(error.contains("chmod"), "{error}");
    }
}
