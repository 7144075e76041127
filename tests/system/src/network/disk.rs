//! A small disk of its own, for tests in which it fills up or cannot be written to.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a disk in memory gives out at a time.
const BLOCK: [u8; 4096] = [0; 4096];

/// A mounted disk in memory; unmounted when it is dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts `mebibytes` of disk at the folder `at`, or says why it cannot.
    ///
    /// # Errors
    /// What `mount` said; only root may.
    pub fn mount(at: &Path, mebibytes: u64) -> Result<Self, String> {
        std::fs::create_dir_all(at).map_err(|error| error.to_string())?;
        mount(&["-t", "tmpfs", "-o", &format!("size={mebibytes}m,mode=700"), "tmpfs"], at)?;
        Ok(Self(at.to_owned()))
    }

    /// Makes it read-only.
    ///
    /// # Panics
    /// Where it cannot be made so.
    pub fn protect(&self) {
        mount(&["-o", "remount,ro"], &self.0).expect("our own disk");
    }

    /// Fills it with a file until `left` bytes are free; returns the file.
    ///
    /// # Panics
    /// Where the file cannot be made.
    #[must_use]
    pub fn fill(&self, left: u64) -> PathBuf {
        let ballast = self.0.join("ballast");
        let free = Command::new("df").args(["--output=avail", "-B1"]).arg(&self.0).output();
        let free = String::from_utf8(free.expect("df").stdout).expect("a number");
        let free: u64 = free.lines().nth(1).expect("a number").trim().parse().expect("a number");
        let mut file = File::create(&ballast).expect("a file");
        for _ in 0..free.saturating_sub(left).div_ceil(BLOCK.len() as u64) {
            if file.write_all(&BLOCK).is_err() {
                break;
            }
        }
        ballast
    }
}

fn mount(options: &[&str], at: &Path) -> Result<(), String> {
    let done = Command::new("mount").args(options).arg(at).output();
    let done = done.map_err(|error| format!("mount: {error}"))?;
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    if done.status.success() { Ok(()) } else { Err(said) }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, as a process that a failed test leaves behind may still have a file open on it.
        drop(Command::new("umount").arg("-l").arg(&self.0).stderr(Stdio::null()).status());
    }
}
