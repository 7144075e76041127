//! The programs that are measured, built from this source tree in the same target folder.

use crate::process::ask;
use anyhow::{Context as _, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the programs lie.
pub(crate) struct Programs {
    /// `sward-agent`.
    pub(crate) agent: PathBuf,
    /// `sward-coordinator`.
    pub(crate) coordinator: PathBuf,
}

impl Programs {
    /// Builds both, where they are not up to date.
    pub(crate) fn build(profile: &str) -> Result<Self> {
        let mut command = cargo();
        command.args(["build", "--quiet", "--profile", profile]);
        ask(with(command, &["--package", "sward-agent", "--package", "sward-coordinator"]))?;
        let folder = target()?.join(profile);
        Ok(Self {
            agent: folder.join("sward-agent"),
            coordinator: folder.join("sward-coordinator"),
        })
    }
}

/// The cargo that runs this program, in this source tree.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// The command with further arguments.
pub(crate) fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}

/// This program lies in `target/PROFILE`.
fn target() -> Result<PathBuf> {
    let program = std::env::current_exe().context("own program")?;
    let folder = program.parent().and_then(Path::parent);
    folder.map(Path::to_owned).context("own program is in no target folder")
}
