//! Who this agent is: an Ed25519 key made on this device, readable by its owner alone.

use crate::config::Layout;
use anyhow::{Context as _, Result, ensure};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use sward_proto::ids::PeerId;
use sward_proto::note::NoteSigner;

/// The key, as transport and receipts use it.
#[derive(Clone)]
pub struct Identity {
    /// The Ed25519 seed.
    pub seed: [u8; 32],
    /// The peer id of its public key.
    pub peer: PeerId,
    /// Signs batches and receipts.
    pub signer: NoteSigner,
}

impl Identity {
    /// Draws a new key and writes it: mode 0600 in a folder of mode 0700.
    ///
    /// # Errors
    /// Where one exists, or it cannot be written.
    pub fn create(layout: &Layout) -> Result<Self> {
        let path = layout.key();
        let folder = path.parent().context("key folder")?;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).context("the system gives no random numbers")?;
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        file.write_all(&seed).and_then(|()| file.sync_all())?;
        Self::load(layout)
    }

    /// Reads the key.
    ///
    /// # Errors
    /// Where it is missing, malformed, or readable by others.
    pub fn load(layout: &Layout) -> Result<Self> {
        let path = layout.key();
        check_mode(path.parent().unwrap_or(Path::new(".")))?;
        check_mode(&path)?;
        let bytes = std::fs::read(&path)?;
        let seed: [u8; 32] = bytes.try_into().ok().with_context(|| {
            format!("{} is not 32 bytes: restore it from a backup", path.display())
        })?;
        Self::from_seed(seed)
    }

    fn from_seed(seed: [u8; 32]) -> Result<Self> {
        let anonymous = NoteSigner::from_seed("agent".parse()?, &seed);
        let peer = PeerId::from_public_key(*anonymous.verifier_key().public_key())?;
        let signer = NoteSigner::from_seed(peer.to_string().parse()?, &seed);
        Ok(Self { seed, peer, signer })
    }
}

fn check_mode(path: &Path) -> Result<()> {
    let found = std::fs::metadata(path)
        .with_context(|| format!("cannot read {}: run sward-agent setup first", path.display()))?
        .mode();
    ensure!(
        found & 0o077 == 0,
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
        let dir = std::env::temp_dir().join(format!("sward-identity-{}", std::process::id()));
        let layout = Layout::new(dir.clone());
        let made = Identity::create(&layout).expect("fresh");
        assert_eq!(Identity::load(&layout).expect("sound").peer, made.peer);
        let loose = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(layout.key(), loose).expect("ours");
        let error = Identity::load(&layout).err().expect("refused").to_string();
        assert!(error.contains("chmod"), "{error}");
        std::fs::remove_dir_all(dir).expect("ours");
    }
}
