//! Out of the way with a damaged index.
//!
//! Decides the name it gets. Never deletes anything: what is in it may still tell what happened.

use super::durable;
use std::io;
use std::path::{Path, PathBuf};
use sward_coordinator_core::store::StoreError;

/// Renames the folder `dir` to `dir.damaged-N` beside it, `N` being the first number from 1 that is free, and returns
/// the new path. No store may be open on it.
///
/// # Errors
/// [`StoreError::Io`] where it cannot be renamed.
pub fn move_aside(dir: &Path) -> Result<PathBuf, StoreError> {
    let failed = |error: io::Error| {
        StoreError::Io(format!("could not move {} aside: {error}", dir.display()))
    };
    let name = dir.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    let mut number = 1_u64;
    let aside = loop {
        let mut numbered = name.to_owned();
        numbered.push(format!(".damaged-{number}"));
        let candidate = dir.with_file_name(numbered);
        // Asked first, as a rename would replace an empty folder. A dangling link counts as taken.
        if candidate.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        {
            break candidate;
        }
        number += 1;
    };
    std::fs::rename(dir, &aside).map_err(failed)?;
    durable::sync_parent(&aside).map_err(failed)?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_free_number_is_taken() {
        let parent = tempfile::tempdir().expect("a folder");
        let dir = parent.path().join("index");
        for number in 1..=3 {
            std::fs::create_dir(&dir).expect("the index");
            std::fs::write(dir.join("db"), [number]).expect("its file");
            let aside = move_aside(&dir).expect("moved");
            assert_eq!(aside, parent.path().join(format!("index.damaged-{number}")));
            assert_eq!(std::fs::read(aside.join("db")).expect("kept"), [number]);
            assert!(!dir.exists());
        }
        assert!(matches!(move_aside(&dir), Err(StoreError::Io(_))));
    }
}
