//! One program in its roles, found beside the tests: started, asked, killed by its own handle and no other way.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A process that was asked to end may take this long.
const END_TIME: Duration = Duration::from_secs(20);

/// What a command said when it had ended.
#[derive(Debug, Clone)]
pub struct Said {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Results.
    pub stdout: String,
    /// Messages.
    pub stderr: String,
}

/// A process in one of the roles of `sward-demo`; killed when it is dropped.
#[derive(Debug)]
pub struct Role {
    child: Child,
    lines: BufReader<ChildStdout>,
    log: PathBuf,
}

/// `sward-demo` in the target folder that this test was built into.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let program = profile.join("sward-demo");
    assert!(
        program.is_file(),
        "{} is not there: build it with `cargo build -p sward-demo`",
        program.display()
    );
    program
}

fn command<S: AsRef<OsStr>>(role: &str, arguments: &[S]) -> Command {
    let mut command = Command::new(program());
    command.args(["--as", role]).args(arguments).env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Runs a role to its end.
///
/// # Panics
/// Where it cannot be started.
pub fn run<S: AsRef<OsStr>>(role: &str, arguments: &[S]) -> Said {
    let output = command(role, arguments).output().expect("the program starts");
    Said {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Said {
    /// The results of a command that must have gone well.
    ///
    /// # Panics
    /// Where it did not.
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "failed: {}", self.stderr);
        self.stdout
    }
}

impl Role {
    /// Starts a role; its messages are added to the file `log`.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn start<S: AsRef<OsStr>>(role: &str, arguments: &[S], log: &Path) -> Self {
        let messages = OpenOptions::new().create(true).append(true).open(log).expect("a log");
        let mut child = command(role, arguments)
            .stdout(Stdio::piped())
            .stderr(messages)
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, lines, log: log.to_owned() }
    }

    /// The next line that it prints, or `None` where it has ended.
    ///
    /// # Panics
    /// Where the pipe breaks.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a pipe");
        Some(line).filter(|line| !line.is_empty())
    }

    /// The line that it prints once it is ready.
    ///
    /// # Panics
    /// Where it ends instead, with its messages.
    pub fn ready(&mut self) -> String {
        self.line().unwrap_or_else(|| panic!("ended before it was ready:\n{}", self.messages()))
    }

    /// Everything that it has said, and those before it with the same log.
    pub fn messages(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it has ended, and how.
    ///
    /// # Panics
    /// Where the system does not know it.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our child")
    }

    /// Ends it without warning, as SIGKILL does.
    ///
    /// # Panics
    /// Where the system does not know it.
    pub fn kill(mut self) {
        self.child.kill().expect("our child");
        self.child.wait().expect("our child");
    }

    /// Asks it to end, as SIGTERM does, and waits.
    ///
    /// # Panics
    /// Where it does not.
    pub fn end(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().expect("kill");
        super::wait_for("a process to end", END_TIME, || self.ended())
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
