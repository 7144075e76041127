//! What was found, for people and for scripts.
//!
//! Decides the outcomes, their exit codes and both printed forms. Never decides what is valid.

use serde::Serialize;
use sward_proto::receipt::VerifiedReceipt;

/// The version of the JSON form; it changes when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// How a check ended, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything holds.
    Valid,
    /// It can be read, and something in it is not true.
    Invalid,
    /// It cannot be read as what it should be.
    Malformed,
    /// The coordinator signed two receipts for one place.
    Equivocation,
}

impl Outcome {
    /// 0 valid, 1 invalid, 2 malformed, 3 equivocation proven.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Malformed => 2,
            Self::Equivocation => 3,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Malformed => "malformed",
            Self::Equivocation => "equivocation",
        }
    }
}

/// Which command the report answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Signatures of receipts.
    Receipt,
    /// Receipts that follow each other.
    Chain,
    /// Two receipts that convict a coordinator.
    Evidence,
    /// Verdicts with what they rest on.
    Verdict,
    /// Statements of pages that were taken back.
    Retraction,
    /// A folder of exported files.
    Export,
}

/// What was found in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, as it was named.
    pub path: String,
    /// How its check ended.
    pub outcome: Outcome,
    /// What is the matter, or what was checked.
    pub detail: String,
    /// The receipt, where one was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptFacts>,
    /// Records of an exported file, where they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
}

impl Finding {
    /// A finding about a file that holds no verified receipt and no counted records.
    #[must_use]
    pub fn new(path: &str, outcome: Outcome, detail: impl Into<String>) -> Self {
        let (path, detail) = (path.to_owned(), detail.into());
        Self { path, outcome, detail, receipt: None, records: None }
    }

    /// A finding about a receipt whose signatures hold.
    #[must_use]
    pub fn of_receipt(path: &str, receipt: &VerifiedReceipt) -> Self {
        let body = &receipt.body;
        let consent = if receipt.countersigned { "countersigned" } else { "unilateral" };
        let detail = format!(
            "{consent}, agent {} lane {} seq {} credit {}",
            body.agent, body.lane, body.seq, body.credit
        );
        let facts = ReceiptFacts {
            log: body.log.to_string(),
            agent: body.agent.to_string(),
            lane: body.lane.0,
            seq: body.seq.0,
            tasks: body.tasks,
            bytes: body.bytes,
            credit: body.credit,
            hash: body.hash().to_string(),
            unilateral: !receipt.countersigned,
        };
        Self { receipt: Some(facts), ..Self::new(path, Outcome::Valid, detail) }
    }
}

/// What a verified receipt says, for scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceiptFacts {
    /// The log and the name of its coordinator's key.
    pub log: String,
    /// The agent's peer id.
    pub agent: String,
    /// The agent's installation.
    pub lane: u32,
    /// The position in the chain.
    pub seq: u64,
    /// Tasks credited in all.
    pub tasks: u64,
    /// Bytes credited in all.
    pub bytes: u64,
    /// Micro-units earned in all.
    pub credit: u64,
    /// SHA-256 of the receipt's text, hexadecimal.
    pub hash: String,
    /// Whether only the coordinator signed.
    pub unilateral: bool,
}

/// The answer of one command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    schema_version: u32,
    command: Subject,
    /// The worst outcome of all files.
    pub outcome: Outcome,
    exit_code: u8,
    /// One for each file, in the order of their checks.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Sums findings up.
    #[must_use]
    pub fn new(command: Subject, findings: Vec<Finding>) -> Self {
        let worst = findings.iter().map(|finding| finding.outcome).max();
        // Nothing was checked, so nothing can be called valid.
        let outcome = worst.unwrap_or(Outcome::Malformed);
        let exit_code = outcome.exit_code();
        Self { schema_version: SCHEMA_VERSION, command, outcome, exit_code, findings }
    }

    /// One line for each file. Control characters are escaped: paths and texts may come from
    /// anybody, and a terminal obeys them.
    #[must_use]
    pub fn to_text(&self) -> String {
        let line = |finding: &Finding| {
            let word = finding.outcome.word();
            format!("{word}: {}: {}\n", printable(&finding.path), printable(&finding.detail))
        };
        self.findings.iter().map(line).collect()
    }

    /// One JSON document, with `schema_version`.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A report holds texts and numbers only, which always have a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // Besides control characters, those that turn the direction of the text around them.
        let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns || matches!(c, '\u{2028}'..='\u{202e}') {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_decides_and_none_is_not_valid() {
        let finding = |outcome| Finding::new("a", outcome, "b");
        let outcome = |findings| Report::new(Subject::Chain, findings).outcome;
        assert_eq!(outcome(vec![finding(Outcome::Valid)]), Outcome::Valid);
        let mixed = vec![finding(Outcome::Malformed), finding(Outcome::Valid)];
        assert_eq!(outcome(mixed), Outcome::Malformed);
        assert_eq!(outcome(vec![]), Outcome::Malformed);
    }

    #[test]
    fn a_terminal_is_not_obeyed() {
        let hostile = Finding::new("\u{1b}[2Ja", Outcome::Invalid, "x\ny\u{202e}");
        let text = Report::new(Subject::Export, vec![hostile]).to_text();
        assert_eq!(text, "invalid: \\u{1b}[2Ja: x\\u{a}y\\u{202e}\n");
    }

    #[test]
    fn the_json_form_states_its_version() {
        let report = Report::new(Subject::Export, vec![Finding::new("a", Outcome::Invalid, "b")]);
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).expect("json");
        assert_eq!(json["schema_version"], 1);
        assert_eq!((&json["outcome"], &json["exit_code"]), (&"invalid".into(), &1.into()));
        assert_eq!(json["findings"][0]["path"], "a");
    }
}
