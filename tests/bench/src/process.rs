//! A program that runs beside this one, ended by its own handle when it is dropped.

use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A program at work.
pub(crate) struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts it; what it says goes to a file.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self> {
        let name = format!("{} (see {})", command.get_program().display(), log.display());
        let file = || File::create(log).with_context(|| log.display().to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file()?);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, name })
    }

    /// Starts it and waits for the first line that it prints.
    pub(crate) fn start_and_listen(mut command: Command, log: &Path) -> Result<(Self, String)> {
        let name = format!("{} (see {})", command.get_program().display(), log.display());
        let file = File::create(log).with_context(|| log.display().to_string())?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let mut process = Self { child, name };
        let mut line = String::new();
        if let Some(out) = process.child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        process.check()?;
        Ok((process, line))
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails where it has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("{} ended: {status}", self.name),
            None => Ok(()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs a program to its end, which must be a success, and gives what it printed.
pub(crate) fn ask(mut command: Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
