//! Secrets on disk: 32 random bytes, mode 0600, in a folder of mode 0700; refused when looser.

use anyhow::{Context as _, Result, ensure};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Draws a secret and writes it, with its folder where there is none.
///
/// # Errors
/// Where it exists, or cannot be written.
pub fn create_secret(path: &Path) -> Result<()> {
    let folder = path.parent().context("a secret needs a folder")?;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).context("the system gives no random numbers")?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(&secret).and_then(|()| file.sync_all())?;
    Ok(())
}

/// Reads a secret.
///
/// # Errors
/// Where it is missing, of another length, or readable by others.
pub fn read_secret(path: &Path) -> Result<[u8; 32]> {
    check_private(path.parent().unwrap_or(Path::new(".")))?;
    check_private(path)?;
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let length = bytes.len();
    bytes.try_into().ok().with_context(|| {
        format!("{} has {length} bytes instead of 32: restore it from a backup", path.display())
    })
}

/// Refuses what others can read.
///
/// # Errors
/// Where it is missing or too loose.
pub fn check_private(path: &Path) -> Result<()> {
    let found = std::fs::metadata(path)
        .with_context(|| format!("cannot read {}: was it set up", path.display()))?
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
    fn a_secret_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("keys").join("identity");
        create_secret(&path).expect("fresh");
        let secret = read_secret(&path).expect("private");
        assert_ne!(secret, [0; 32]);
        assert!(create_secret(&path).is_err(), "an existing secret is never replaced");
        for loose in [0o644, 0o640] {
            let mode = std::fs::Permissions::from_mode(loose);
            std::fs::set_permissions(&path, mode).expect("ours");
            let error = read_secret(&path).expect_err("refused").to_string();
            assert!(error.contains("chmod"), "{error}");
        }
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, private).expect("ours");
        std::fs::write(&path, b"short").expect("ours");
        assert!(read_secret(&path).expect_err("refused").to_string().contains("5 bytes"));
    }
}
