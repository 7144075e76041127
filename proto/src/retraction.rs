//! A page that was taken back after it was released: a statement that its coordinator signs.
//!
//! Decides the statement's form and its one way to be read. What was exported before cannot be called back; whoever holds it
//! learns from the statement which page not to rely on any more. Research on validation, section B9.
//!
//! A statement is a C2SP signed note: the line `sward/retraction/v1`, then a line of compact JSON.

use crate::canonical_url::CanonicalUrl;
use crate::digest::Digest;
use crate::ids::{JobName, TaskId};
use crate::note::{NoteError, NoteSigner, SignatureError, SignedNote, VerifierKey};
use crate::timestamp::Timestamp;
use crate::vocabulary::vocabulary;
use serde::{Deserialize, Serialize};

/// The first line of what is signed.
const DOMAIN: &str = "sward/retraction/v1";
/// The longest line of a file of statements: a URL, a note's other parts, and JSON's escapes of both.
pub const MAX_LINE_BYTES: usize = 64 << 10;

vocabulary! {
    /// Why a page was taken back.
    RetractionReason {
        /// Everybody whose word it rested on was barred before it was final.
        AgentsBarred => "agents_barred",
    }
}

/// What a coordinator says of a page that it takes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retraction {
    /// The job.
    pub job: JobName,
    /// The task under which the page was accepted.
    pub task: TaskId,
    /// What was asked for.
    pub url: CanonicalUrl,
    /// SHA-256 of the decoded body that was released; `None` of pages that were accepted before it was kept for this.
    pub payload: Option<Digest>,
    /// When it was taken back.
    pub at: Timestamp,
    /// Why.
    pub reason: RetractionReason,
}

/// A statement as it stands in an export: one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedRetraction {
    /// The coordinator's verifier key (C2SP `vkey`).
    pub signer: String,
    /// The signed note.
    pub note: String,
}

/// Why something is no statement that counts.
#[derive(Debug, thiserror::Error)]
pub enum RetractionError {
    /// No note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Another text.
    #[error("not a retraction: its text must be {DOMAIN} and a line of json in its one spelling")]
    Text,
    /// Not the JSON of one.
    #[error("not a retraction: {0}")]
    Json(#[from] serde_json::Error),
    /// The signature cannot be checked.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The coordinator has not signed it.
    #[error("not signed by {0}")]
    NotSigned(String),
    /// A key that is none, or another than the reader trusts.
    #[error("signer {found:?} is not the key to check it by: {why}")]
    Signer {
        /// What it names.
        found: String,
        /// Why that will not do.
        why: String,
    },
}

impl Retraction {
    /// Signs the statement.
    ///
    /// # Errors
    /// [`RetractionError`] where it has no form as a note.
    pub fn sign(&self, signer: &NoteSigner) -> Result<SignedNote, RetractionError> {
        let text = self.text()?;
        let signature = signer.sign(&text);
        Ok(SignedNote::new(text, signature)?)
    }

    /// Reads a statement that `key` has signed.
    ///
    /// # Errors
    /// [`RetractionError`].
    pub fn verify(note: &SignedNote, key: &VerifierKey) -> Result<Self, RetractionError> {
        let json = note.text().strip_prefix(DOMAIN).and_then(|rest| rest.strip_prefix('\n'));
        let this: Self = serde_json::from_str(json.ok_or(RetractionError::Text)?)?;
        if this.text()? != note.text() {
            return Err(RetractionError::Text);
        }
        if !note.is_signed_by(key)? {
            return Err(RetractionError::NotSigned(key.name().to_string()));
        }
        Ok(this)
    }

    fn text(&self) -> Result<String, RetractionError> {
        Ok(format!("{DOMAIN}\n{}\n", serde_json::to_string(self)?))
    }
}

impl PublishedRetraction {
    /// Reads the statement, by `trusted` or else by the key that it names itself.
    ///
    /// # Errors
    /// [`RetractionError`].
    pub fn check(&self, trusted: Option<&VerifierKey>) -> Result<Retraction, RetractionError> {
        let unfit = |why: String| RetractionError::Signer { found: self.signer.clone(), why };
        let signer: VerifierKey = self.signer.parse().map_err(|error| unfit(format!("{error}")))?;
        if let Some(trusted) = trusted.filter(|trusted| **trusted != signer) {
            return Err(unfit(format!("{} is trusted", trusted.name())));
        }
        Retraction::verify(&SignedNote::parse(self.note.as_bytes())?, &signer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(seed: u8) -> NoteSigner {
        NoteSigner::from_seed("receipts.example.org/main".parse().expect("a name"), &[seed; 32])
    }

    fn retraction() -> Retraction {
        Retraction {
            job: "docs".parse().expect("a name"),
            task: TaskId(17),
            url: "https://a.example/x".parse().expect("a url"),
            payload: Some(Digest::of(b"forged")),
            at: Timestamp::from_millis(1_780_000_000_000),
            reason: RetractionReason::AgentsBarred,
        }
    }

    #[test]
    fn a_statement_is_read_back_by_its_coordinators_key_alone() {
        let note = retraction().sign(&signer(1)).expect("a note");
        assert!(note.text().starts_with("sward/retraction/v1\n{\"job\":\"docs\",\"task\":17,"));
        let own = signer(1).verifier_key();
        assert_eq!(Retraction::verify(&note, &own).expect("signed"), retraction());
        let other = signer(2).verifier_key();
        assert!(Retraction::verify(&note, &other).is_err());
        let line = PublishedRetraction { signer: own.to_string(), note: note.encode() };
        assert_eq!(line.check(None).expect("signed"), retraction());
        assert!(line.check(Some(&other)).is_err());
    }

    #[test]
    fn nothing_of_it_can_be_altered() {
        let note = retraction().sign(&signer(1)).expect("a note").encode();
        let signer = signer(1).verifier_key().to_string();
        for (from, to) in [("17", "18"), ("docs", "dogs"), ("agents", "ag\\u0065nts"), (",", ", ")]
        {
            assert!(note.contains(from));
            let note = note.replacen(from, to, 1);
            let line = PublishedRetraction { signer: signer.clone(), note };
            assert!(line.check(None).is_err(), "{from}");
        }
    }
}
