//! The `chain` command: whether the receipts of one agent and lane follow each other.
//!
//! Decides the order by `seq`, whatever the order of the files. A chain may begin after its first
//! receipt, since totals are cumulative; it may not have a gap.

use crate::keys::Keys;
use crate::note_file::{self, Refusal};
use crate::report::{Finding, Outcome};
use std::path::{Path, PathBuf};
use sward_proto::ids::Seq;
use sward_proto::note::SignedNote;
use sward_proto::receipt::{Equivocation, ReceiptBody, VerifiedReceipt, follows};

/// Checks the files as one chain. Without a keys file no signature is checked, and the findings
/// say so.
#[must_use]
pub fn check(files: &[PathBuf], keys: Option<&Path>) -> Vec<Finding> {
    let keys = match keys.map(|path| (path, Keys::read(path))) {
        None => None,
        Some((_, Ok(keys))) => Some(keys),
        Some((path, Err(error))) => return vec![error.finding(path)],
    };
    let mut findings = Vec::new();
    let mut links = Vec::new();
    for path in files {
        match Link::read(path, keys.as_ref()) {
            Ok(link) => links.push(link),
            Err(refusal) => findings.push(refusal.finding(path)),
        }
    }
    links.sort_by_key(|link| link.body.seq);
    findings.extend(links.first().map(Link::start));
    let pairs = links.iter().zip(links.iter().skip(1));
    findings.extend(pairs.map(|(previous, next)| next.after(previous, keys.as_ref())));
    findings
}

struct Link {
    path: String,
    note: SignedNote,
    body: ReceiptBody,
    verified: Option<VerifiedReceipt>,
}

impl Link {
    fn read(path: &Path, keys: Option<&Keys>) -> Result<Self, Refusal> {
        let (note, body) = note_file::read(path)?;
        let verified = keys.map(|keys| keys.verify(&note)).transpose()?;
        Ok(Self { path: path.display().to_string(), note, body, verified })
    }

    fn start(&self) -> Finding {
        let seq = self.body.seq;
        let place = if seq == Seq(1) { "first of its chain" } else { "where these files begin" };
        self.valid(place)
    }

    fn after(&self, previous: &Self, keys: Option<&Keys>) -> Finding {
        if self.body == previous.body {
            return self.valid(&format!("the same receipt as {}", previous.path));
        }
        let proof =
            keys.map(|keys| Equivocation::between(&previous.note, &self.note, keys.coordinator()));
        if let Some(Ok(Some(proof))) = proof {
            let detail = format!("contradicts {}: two receipts {}", previous.path, proof.seq);
            return Finding::new(&self.path, Outcome::Equivocation, detail);
        }
        match follows(&previous.body, &self.body) {
            Ok(()) => self.valid(&format!("follows {}", previous.path)),
            Err(error) => {
                let detail = format!("does not follow {}: {error}", previous.path);
                Finding::new(&self.path, Outcome::Invalid, detail)
            }
        }
    }

    fn valid(&self, place: &str) -> Finding {
        match &self.verified {
            Some(receipt) => {
                let finding = Finding::of_receipt(&self.path, receipt);
                Finding { detail: format!("{place}, {}", finding.detail), ..finding }
            }
            None => {
                let seq = self.body.seq;
                let detail = format!("{place}, seq {seq}, signatures not checked: give --keys");
                Finding::new(&self.path, Outcome::Valid, detail)
            }
        }
    }
}
