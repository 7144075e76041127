//! The `retraction` command: whether a coordinator has taken pages back.
//!
//! Decides how files of statements are read, a line each. What a statement is, `sward_proto::retraction` decides.

use crate::keys::Keys;
use crate::report::{Finding, Outcome};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use sward_proto::note::VerifierKey;
use sward_proto::retraction::{MAX_LINE_BYTES, PublishedRetraction, RetractionError};

/// Checks each file; statements must be signed by the first of `keys`, where these are given.
#[must_use]
pub fn check(files: &[PathBuf], keys: Option<&Path>) -> Vec<Finding> {
    let keys = match keys.map(|path| (path, Keys::read(path))) {
        Some((path, Err(error))) => return vec![error.finding(path)],
        Some((_, Ok(keys))) => Some(keys),
        None => None,
    };
    let one = |path: &PathBuf| check_file(path, &path.display().to_string(), keys.as_ref());
    files.iter().flat_map(one).collect()
}

/// Checks one file: a finding for each line that does not hold, then one for the file where all that can be read do.
#[must_use]
pub fn check_file(path: &Path, name: &str, keys: Option<&Keys>) -> Vec<Finding> {
    let mut file = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) => {
            let why = format!("cannot be read: {error}");
            return vec![Finding::new(name, Outcome::Malformed, why)];
        }
    };
    let (mut findings, mut count) = (Vec::new(), 0_u64);
    for number in 1.. {
        let mut line = Vec::new();
        let most = MAX_LINE_BYTES as u64 + 1;
        match file.by_ref().take(most).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => count += 1,
            Err(error) => {
                let why = format!("cannot be read: {error}");
                findings.push(Finding::new(name, Outcome::Malformed, why));
                break;
            }
        }
        if line.len() > MAX_LINE_BYTES {
            let why = format!("line {number} is longer than {MAX_LINE_BYTES} bytes");
            findings.push(Finding::new(name, Outcome::Malformed, why));
            break;
        }
        if let Err(error) = check_line(&line, keys.map(Keys::coordinator)) {
            let outcome = outcome(&error);
            findings.push(Finding::new(name, outcome, format!("line {number}: {error}")));
        }
    }
    if findings.is_empty() {
        let detail = format!("{count} pages taken back");
        let finding = Finding::new(name, Outcome::Valid, detail);
        findings.push(Finding { records: Some(count), ..finding });
    }
    findings
}

fn check_line(line: &[u8], key: Option<&VerifierKey>) -> Result<(), RetractionError> {
    let line: PublishedRetraction = serde_json::from_slice(line)?;
    line.check(key).map(drop)
}

const fn outcome(error: &RetractionError) -> Outcome {
    match error {
        RetractionError::Note(_) | RetractionError::Text | RetractionError::Json(_) => {
            Outcome::Malformed
        }
        RetractionError::Signature(_)
        | RetractionError::NotSigned(_)
        | RetractionError::Signer { .. } => Outcome::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sward_proto::ids::TaskId;
    use sward_proto::note::NoteSigner;
    use sward_proto::retraction::{Retraction, RetractionReason};
    use sward_proto::timestamp::Timestamp;

    fn line() -> String {
        let name = "receipts.example.org/main".parse().expect("a name");
        let signer = NoteSigner::from_seed(name, &[1; 32]);
        let retraction = Retraction {
            job: "docs".parse().expect("a name"),
            task: TaskId(17),
            url: "https://a.example/x".parse().expect("a url"),
            payload: None,
            at: Timestamp::ZERO,
            reason: RetractionReason::AgentsBarred,
        };
        let note = retraction.sign(&signer).expect("a note").encode();
        let signer = signer.verifier_key().to_string();
        serde_json::to_string(&PublishedRetraction { signer, note }).expect("json")
    }

    #[test]
    fn each_line_must_hold() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("docs.retractions.jsonl");
        let outcomes = |text: String| {
            std::fs::write(&path, text).expect("a file");
            let findings = check_file(&path, "x", None);
            findings.into_iter().map(|finding| finding.outcome).collect::<Vec<_>>()
        };
        assert_eq!(outcomes(format!("{0}\n{0}\n", line())), [Outcome::Valid]);
        assert_eq!(outcomes(format!("{}\n{{}}\n", line())), [Outcome::Malformed]);
        let altered = line().replace("\\\"task\\\":17", "\\\"task\\\":18");
        assert_ne!(altered, line());
        assert_eq!(outcomes(altered), [Outcome::Invalid]);
        assert_eq!(outcomes("x".repeat(MAX_LINE_BYTES + 1)), [Outcome::Malformed]);
    }
}
