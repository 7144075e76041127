//! Files on a disk that hold one signed note each.
//!
//! Decides how much of a file is read, and which failures mean "malformed" and which "invalid".

use crate::report::{Finding, Outcome};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use sward_proto::note::{MAX_NOTE_BYTES, NoteError, SignedNote};
use sward_proto::receipt::{ReceiptBody, ReceiptError, VerifyError};

/// Why a file holds no receipt that counts.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is no receipt, or not one that binds.
    #[error(transparent)]
    Receipt(#[from] VerifyError),
    /// The keys file lists agents, and not this one.
    #[error("agent {0} is not in the keys file, add its verifier key if you trust it")]
    UnlistedAgent(String),
}

impl Refusal {
    /// Malformed where the bytes are no receipt, invalid where they are one that does not hold.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Unreadable(_) | Self::Receipt(VerifyError::Note(_) | VerifyError::Receipt(_)) => {
                Outcome::Malformed
            }
            Self::Receipt(
                VerifyError::Signature(_)
                | VerifyError::Key(_)
                | VerifyError::OtherLog { .. }
                | VerifyError::NotSigned(_)
                | VerifyError::OtherAgent { .. },
            )
            | Self::UnlistedAgent(_) => Outcome::Invalid,
        }
    }

    /// The same, as a line of the report.
    #[must_use]
    pub fn finding(&self, path: &Path) -> Finding {
        Finding::new(&path.display().to_string(), self.outcome(), self.to_string())
    }
}

impl From<NoteError> for Refusal {
    fn from(error: NoteError) -> Self {
        Self::Receipt(error.into())
    }
}

impl From<ReceiptError> for Refusal {
    fn from(error: ReceiptError) -> Self {
        Self::Receipt(error.into())
    }
}

/// Reads a note and the receipt in it. No signature is checked.
///
/// # Errors
/// [`Refusal`] where the file cannot be read or holds no receipt.
pub fn read(path: &Path) -> Result<(SignedNote, ReceiptBody), Refusal> {
    let mut bytes = Vec::new();
    // One byte more than a note may have is enough to refuse a file of any size.
    File::open(path)?.take(MAX_NOTE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let note = SignedNote::parse(&bytes)?;
    let body = ReceiptBody::parse(note.text())?;
    Ok((note, body))
}
