//! Real processes on loopback: a site, a coordinator and agents, each of which can be killed at any moment.
//!
//! Decides nothing that a test asserts: it starts, asks, stops, and panics with what it saw where a process does not do what
//! every test relies on.

mod agent;
mod books;
mod chance;
mod coordinator;
mod disk;
pub mod mmdb;
mod process;
mod site;

pub use agent::{Agent, Part};
pub use books::{Books, check_receipts, exported_urls};
pub use chance::Chance;
pub use coordinator::{Coordinator, free_port};
pub use disk::SmallDisk;
pub use process::{Role, Said, run};
pub use site::{SITE_HOST, Site, write_pages};

use std::io::Write as _;
use std::time::{Duration, Instant};

/// Asks `look` until it has an answer; panics after `patience` with what was waited for.
///
/// # Panics
/// Where the answer does not come.
pub fn wait_for<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < patience, "waited {patience:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Says something to whoever reads the test's output.
pub fn say(text: &str) {
    // Nothing depends on it.
    drop(writeln!(std::io::stdout(), "{text}"));
}
