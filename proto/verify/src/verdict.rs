//! The `verdict` command: whether verdicts follow from what their agents signed.
//!
//! Decides how files of bundles are read, and that those of one file are of one coordinator and one plan of draws, each task
//! once. What makes a verdict hold, `sward_proto::verdict` decides.

use crate::keys::Keys;
use crate::report::{Finding, Outcome};
use flate2::bufread::MultiGzDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use sward_proto::digest::Digest;
use sward_proto::draw::DrawPlan;
use sward_proto::ids::TaskId;
use sward_proto::note::VerifierKey;
use sward_proto::outcome::Outcome as Ending;
use sward_proto::verdict::{Bundle, Checked, KnownSeeds, MAX_BUNDLE_BYTES};

/// Bytes after which nothing is a bundle any more, its line's end included.
const MOST: u64 = MAX_BUNDLE_BYTES as u64 + 2;

/// A page that a verdict accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedPage {
    /// The task.
    pub task: u64,
    /// What was asked for.
    pub url: String,
    /// SHA-256 of the decoded body.
    pub payload: Digest,
    /// Only some of its blocks are attested, so that its body is in no export.
    pub in_part: bool,
}

/// The pages that verdicts accept which hold, by task.
#[derive(Debug, Default)]
pub struct Accepted(BTreeMap<u64, AcceptedPage>);

impl Accepted {
    /// The page that the verdict of a task accepts.
    #[must_use]
    pub fn page(&self, task: u64) -> Option<&AcceptedPage> {
        self.0.get(&task)
    }

    /// All of them.
    pub fn pages(&self) -> impl Iterator<Item = &AcceptedPage> {
        self.0.values()
    }
}

/// Checks each file; bundles must be signed by the first of `keys`, where these are given.
#[must_use]
pub fn check(files: &[PathBuf], keys: Option<&Path>) -> Vec<Finding> {
    let keys = match keys.map(|path| (path, Keys::read(path))) {
        Some((path, Err(error))) => return vec![error.finding(path)],
        Some((_, Ok(keys))) => Some(keys),
        None => None,
    };
    let one = |path: &PathBuf| {
        let name = path.display().to_string();
        check_file(path, &name, keys.as_ref(), &mut Accepted::default())
    };
    files.iter().flat_map(one).collect()
}

/// Checks one file and adds the pages that its verdicts accept: a finding for each thing that does not hold, or else one
/// for the file.
#[must_use]
pub fn check_file(
    path: &Path,
    name: &str,
    keys: Option<&Keys>,
    accepted: &mut Accepted,
) -> Vec<Finding> {
    let mut reading = Reading::new(name, keys.map(Keys::coordinator), accepted);
    let is_coded = name.ends_with(".gz");
    let read = File::open(path).and_then(|file| {
        let file = BufReader::new(file);
        if is_coded {
            reading.read(BufReader::new(MultiGzDecoder::new(file)))
        } else {
            reading.read(file)
        }
    });
    if let Err(error) = read {
        reading.find(name, Outcome::Malformed, format!("cannot be read: {error}"));
    }
    reading.conclude()
}

/// A file that is being read.
struct Reading<'a> {
    name: &'a str,
    trusted: Option<&'a VerifierKey>,
    accepted: &'a mut Accepted,
    seeds: KnownSeeds,
    /// Signer and plan of the first bundle.
    first: Option<(String, DrawPlan)>,
    tasks: BTreeSet<TaskId>,
    findings: Vec<Finding>,
    /// Bundles that were read, and those of them that hold.
    read: u64,
    held: u64,
    draws: usize,
    undrawn: usize,
}

impl<'a> Reading<'a> {
    fn new(name: &'a str, trusted: Option<&'a VerifierKey>, accepted: &'a mut Accepted) -> Self {
        Self {
            name,
            trusted,
            accepted,
            seeds: KnownSeeds::default(),
            first: None,
            tasks: BTreeSet::new(),
            findings: Vec::new(),
            read: 0,
            held: 0,
            draws: 0,
            undrawn: 0,
        }
    }

    fn find(&mut self, place: &str, outcome: Outcome, why: impl Into<String>) {
        self.findings.push(Finding::new(place, outcome, why));
    }

    fn read(&mut self, file: impl BufRead) -> io::Result<()> {
        if self.name.trim_end_matches(".gz").ends_with(".jsonl") {
            self.lines(file)
        } else {
            self.whole(file)
        }
    }

    fn whole(&mut self, file: impl BufRead) -> io::Result<()> {
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        let name = self.name;
        self.bundle(name, &bytes);
        Ok(())
    }

    fn lines(&mut self, mut file: impl BufRead) -> io::Result<()> {
        for number in 1_u64.. {
            let mut line = Vec::new();
            if file.by_ref().take(MOST).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            let place = format!("{}:{number}", self.name);
            let is_cut = line.len() as u64 == MOST;
            self.bundle(&place, &line);
            if is_cut {
                break; // nobody knows where the next one begins
            }
        }
        Ok(())
    }

    fn bundle(&mut self, place: &str, bytes: &[u8]) {
        self.read += 1;
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bundle = match Bundle::parse(bytes) {
            Ok(bundle) => bundle,
            Err(error) => return self.find(place, Outcome::Malformed, error.to_string()),
        };
        let about = format!("task {}, {}", bundle.case.task, bundle.case.url.as_str());
        let mut faults: Vec<String> = self.strangers(&bundle);
        match bundle.check(self.trusted, &mut self.seeds) {
            Ok(checked) if faults.is_empty() => self.holds(&bundle, checked),
            Ok(_) => {}
            Err(others) => faults.extend(others.iter().map(ToString::to_string)),
        }
        for fault in faults {
            self.find(place, Outcome::Invalid, format!("{about}: {fault}"));
        }
    }

    /// In what a bundle does not belong to those before it.
    fn strangers(&mut self, bundle: &Bundle) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.tasks.insert(bundle.case.task) {
            faults.push("case.task: stands twice in this file".to_owned());
        }
        let of_this = (bundle.signer.clone(), bundle.case.plan);
        let (signer, plan) = self.first.get_or_insert_with(|| of_this.clone());
        if *signer != of_this.0 {
            faults.push(format!("signer: is not {signer} as before in this file"));
        }
        if *plan != of_this.1 {
            faults.push("case.plan: is not the plan of draws that stands before it".to_owned());
        }
        faults
    }

    fn holds(&mut self, bundle: &Bundle, checked: Checked) {
        self.held += 1;
        self.draws += checked.draws;
        self.undrawn += checked.undrawn;
        let case = &bundle.case;
        if case.outcome == Ending::Ok
            && let Some(page) = &case.page
        {
            let (task, url) = (case.task.0, case.url.as_str().to_owned());
            let (payload, in_part) = (page.payload, case.published.is_some());
            self.accepted.0.insert(task, AcceptedPage { task, url, payload, in_part });
        }
    }

    fn conclude(mut self) -> Vec<Finding> {
        let (read, held) = (self.read, self.held);
        let signer = match (&self.first, self.trusted) {
            (Some(_), Some(trusted)) => format!("signed by {}", trusted.name()),
            (Some((signer, _)), None) => format!("signed by {signer}, which only it names"),
            (None, _) => String::new(),
        };
        let draws = match self.undrawn {
            0 => format!("{} draws follow from their seeds", self.draws),
            open => format!(
                "{} draws follow from their seeds, {open} are not checkable yet: their rounds were not over",
                self.draws
            ),
        };
        let (outcome, detail) = if read == 0 {
            (Outcome::Malformed, "there is no verdict in it".to_owned())
        } else if self.findings.is_empty() {
            (Outcome::Valid, format!("{held} verdicts recomputed, {draws}, {signer}"))
        } else {
            (Outcome::Invalid, format!("{held} of {read} verdicts hold"))
        };
        let summary = Finding::new(self.name, outcome, detail);
        self.findings.push(Finding { records: Some(read), ..summary });
        self.findings
    }
}
