//! This program, running as another: started, asked, ended by its own handle and no other way.

use crate::role;
use anyhow::{Context as _, Result, bail};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A process may take this long to end by itself.
const END_TIME: Duration = Duration::from_secs(5);

/// A process that plays a role, ended when this is dropped.
pub(crate) struct Role {
    child: Child,
    lines: Option<BufReader<ChildStdout>>,
    name: String,
}

fn command<S: AsRef<OsStr>>(role: &str, arguments: &[S]) -> Result<Command> {
    let program = std::env::current_exe().context("own program")?;
    let mut command = Command::new(program);
    command.arg(role::FLAG).arg(role).args(arguments).stdin(Stdio::null());
    Ok(command)
}

impl Role {
    /// Starts a role; what it says of itself goes to a file.
    pub(crate) fn start<S: AsRef<OsStr>>(role: &str, arguments: &[S], log: &Path) -> Result<Self> {
        let messages =
            File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = command(role, arguments)?
            .stdout(Stdio::piped())
            .stderr(messages)
            .spawn()
            .with_context(|| format!("cannot start the {role}"))?;
        let lines = child.stdout.take().map(BufReader::new);
        Ok(Self { child, lines, name: format!("{role} (see {})", log.display()) })
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if let Some(lines) = &mut self.lines {
            lines.read_line(&mut line)?;
        }
        if line.is_empty() {
            bail!("the {} ended before it was ready", self.name);
        }
        Ok(line)
    }

    /// Fails where it has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("the {} ended: {status}", self.name),
            None => Ok(()),
        }
    }

    /// Asks it to end and waits.
    pub(crate) fn end(&mut self) -> Result<()> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().context("kill")?;
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > END_TIME {
                self.child.kill()?;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs a role to its end.
pub(crate) fn run<S: AsRef<OsStr>>(role: &str, arguments: &[S]) -> Result<Output> {
    let output = command(role, arguments)?.output().with_context(|| format!("the {role}"))?;
    Ok(output)
}

/// Runs a role to its end, which must be a success, and gives what it printed.
pub(crate) fn ask<S: AsRef<OsStr>>(role: &str, arguments: &[S]) -> Result<String> {
    let output = run(role, arguments)?;
    if !output.status.success() {
        bail!("the {role} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
