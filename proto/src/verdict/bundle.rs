//! A published verdict: the case, and the coordinator's signature for it.
//!
//! Decides the document's form, its bound, its one way to be read, and what its signature covers.

use super::{Case, Checked, Fault, KnownSeeds};
use crate::digest::Digest;
use crate::note::{NoteError, NoteSigner, SignedNote, VerifierKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The only form of bundle so far.
pub const SCHEMA_VERSION: u32 = 1;

/// The longest bundle: seven results, and as many trusted fetches as a dispute may take, with attestations and draws of
/// the longest kind fill two thirds of it.
pub const MAX_BUNDLE_BYTES: usize = 6 << 20;

/// The first line of what the coordinator signs.
const DOMAIN: &str = "sward/verdict/v1";

/// A case with the coordinator's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The form of this document.
    pub schema_version: u32,
    /// The verdict and what it rests on.
    pub case: Case,
    /// The coordinator's verifier key (C2SP `vkey`).
    pub signer: String,
    /// A signed note over the line `sward/verdict/v1` and a line with the base64 of the SHA-256 of `case`, as compact JSON
    /// with its fields in the order in which they are published.
    pub note: String,
}

/// Why a text is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Too long.
    #[error("{0} bytes, at most {MAX_BUNDLE_BYTES} are read")]
    TooLong(usize),
    /// Not JSON, or not of the form of a bundle.
    #[error("not a verdict bundle: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by other software.
    #[error("schema_version {0} is unknown, this software reads {SCHEMA_VERSION}")]
    Schema(Value),
    /// A field that is not known, or a value in another spelling than the one that is signed.
    #[error("{0}: not a field of a bundle, or not in the one spelling of its value")]
    Spelling(String),
    /// The note was refused.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl Bundle {
    /// Signs a case.
    ///
    /// # Errors
    /// [`BundleError`] where it has no JSON form.
    pub fn sign(case: Case, signer: &NoteSigner) -> Result<Self, BundleError> {
        let text = statement(&case)?;
        let signature = signer.sign(&text);
        let note = SignedNote::new(text, signature)?.encode();
        let signer = signer.verifier_key().to_string();
        Ok(Self { schema_version: SCHEMA_VERSION, case, signer, note })
    }

    /// The document, in one line without its end.
    ///
    /// # Errors
    /// [`BundleError::Json`] where it has no JSON form.
    pub fn encode(&self) -> Result<Vec<u8>, BundleError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Reads a bundle. Nothing of it is verified: ask [`Self::check`].
    ///
    /// # Errors
    /// [`BundleError`] for everything but a bundle of this version in which each value has its one spelling.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(BundleError::TooLong(bytes.len()));
        }
        let whole: Value = serde_json::from_slice(bytes)?;
        match whole.get("schema_version") {
            Some(version) if *version != SCHEMA_VERSION => {
                return Err(BundleError::Schema(version.clone()));
            }
            Some(_) | None => {}
        }
        // From the bytes once more: a field that stands twice is refused only here.
        let bundle: Self = serde_json::from_slice(bytes)?;
        match first_difference(&whole, &serde_json::to_value(&bundle)?, "") {
            Some(field) => Err(BundleError::Spelling(field)),
            None => Ok(bundle),
        }
    }

    /// Checks the coordinator's signature, by `trusted` or else by the key that the bundle names, and recomputes the case.
    ///
    /// # Errors
    /// Everything that does not hold, at least one.
    pub fn check(
        &self,
        trusted: Option<&VerifierKey>,
        known: &mut KnownSeeds,
    ) -> Result<Checked, Vec<Fault>> {
        let signed = self.check_note(trusted);
        match (signed, self.case.check(known)) {
            (None, checked) => checked,
            (Some(fault), Ok(_)) => Err(vec![fault]),
            (Some(fault), Err(mut others)) => {
                others.insert(0, fault);
                Err(others)
            }
        }
    }

    fn check_note(&self, trusted: Option<&VerifierKey>) -> Option<Fault> {
        let fault = |field: &str, reason: String| Fault { field: field.to_owned(), reason };
        let signer: VerifierKey = match self.signer.parse() {
            Ok(key) => key,
            Err(error) => return Some(fault("signer", format!("{error}"))),
        };
        if let Some(trusted) = trusted.filter(|trusted| **trusted != signer) {
            return Some(fault("signer", format!("{signer} is not the trusted {trusted}")));
        }
        let note = match SignedNote::parse(self.note.as_bytes()) {
            Ok(note) => note,
            Err(error) => return Some(fault("note", error.to_string())),
        };
        match statement(&self.case) {
            Ok(text) if note.text() == text => {}
            Ok(text) => {
                let why = format!("signed for another case: its text should be {text:?}");
                return Some(fault("note", why));
            }
            Err(error) => return Some(fault("case", error.to_string())),
        }
        match note.is_signed_by(&signer) {
            Ok(true) if note.signatures().len() == 1 => None,
            Ok(true) => Some(fault("note", "more than one signature".to_owned())),
            Ok(false) => Some(fault("note", format!("not signed by {}", signer.name()))),
            Err(error) => Some(fault("note", error.to_string())),
        }
    }
}

fn statement(case: &Case) -> Result<String, BundleError> {
    let digest = Digest::of(&serde_json::to_vec(case)?);
    Ok(format!("{DOMAIN}\ncase {}\n", digest.to_base64()))
}

/// The path of the first value that is in one document and not, or otherwise, in the other.
fn first_difference(found: &Value, read: &Value, path: &str) -> Option<String> {
    match (found, read) {
        (Value::Object(found), Value::Object(read)) => {
            let extra = found.keys().find(|key| !read.contains_key(*key));
            if let Some(key) = extra {
                return Some(format!("{path}.{key}"));
            }
            read.iter().find_map(|(key, value)| match found.get(key) {
                Some(other) => first_difference(other, value, &format!("{path}.{key}")),
                None => Some(format!("{path}.{key}")),
            })
        }
        (Value::Array(found), Value::Array(read)) if found.len() == read.len() => {
            let mut pairs = found.iter().zip(read).enumerate();
            pairs.find_map(|(n, (a, b))| first_difference(a, b, &format!("{path}[{n}]")))
        }
        (found, read) => (found != read).then(|| path.to_owned()),
    }
}
