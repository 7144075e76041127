//! The `evidence` command: whether two receipts convict their coordinator.

use crate::keys::Keys;
use crate::note_file::{self, Refusal};
use crate::report::{Finding, Outcome};
use std::path::Path;
use sward_proto::note::SignedNote;
use sward_proto::receipt::{Equivocation, admitted};

/// Checks two files against the keys file. The agent's signatures do not matter: the coordinator's
/// alone convict it.
#[must_use]
pub fn check(first: &Path, second: &Path, keys: &Path) -> Vec<Finding> {
    let keys = match Keys::read(keys) {
        Ok(trusted) => trusted,
        Err(error) => return vec![error.finding(keys)],
    };
    let notes = (read(first, &keys), read(second, &keys));
    let (a, b) = match notes {
        (Ok(a), Ok(b)) => (a, b),
        (a, b) => return vec![admission(first, &a), admission(second, &b)],
    };
    match Equivocation::between(&a, &b, keys.coordinator()) {
        Ok(Some(Equivocation { log, agent, lane, seq })) => {
            let place = format!("log {log} agent {agent} lane {lane} seq {seq}");
            let convicts = |path: &Path, other: &Path| {
                let detail = format!("two receipts of {place}: the other is {}", other.display());
                Finding::new(&path.display().to_string(), Outcome::Equivocation, detail)
            };
            vec![convicts(first, second), convicts(second, first)]
        }
        Ok(None) => vec![admission(first, &Ok(a)), admission(second, &Ok(b))],
        Err(error) => vec![Refusal::from(error).finding(first)],
    }
}

fn read(path: &Path, keys: &Keys) -> Result<SignedNote, Refusal> {
    let (note, _) = note_file::read(path)?;
    admitted(&note, keys.coordinator())?;
    Ok(note)
}

fn admission(path: &Path, note: &Result<SignedNote, Refusal>) -> Finding {
    match note {
        Ok(_) => {
            let detail = "signed by the coordinator, no contradiction proven";
            Finding::new(&path.display().to_string(), Outcome::Valid, detail)
        }
        Err(refusal) => refusal.finding(path),
    }
}
