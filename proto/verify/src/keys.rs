//! The keys a reader trusts: a text file with one C2SP verifier key a line.
//!
//! Decides that the first key is the coordinator's and the others are agents'. A file with the
//! coordinator alone speaks of every agent, since a peer id holds its key; a file that lists
//! agents speaks of those only.

use crate::note_file::Refusal;
use crate::report::{Finding, Outcome};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use sward_proto::ids::PeerId;
use sward_proto::note::{KeyError, SignedNote, VerifierKey};
use sward_proto::receipt::{VerifiedReceipt, agent_key, verify};

/// The longest keys file: about half a million agents.
const MAX_BYTES: u64 = 64 << 20;

/// Why a file is no list of keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The operating system refused, or it is no text.
    #[error("keys file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Too long.
    #[error("keys file is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Not even a coordinator.
    #[error("keys file is empty, its first line is the coordinator's verifier key")]
    Empty,
    /// A line that is no key.
    #[error("line {line} of the keys file: {reason}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: KeyError,
    },
    /// A key after the first whose name is no peer id, or that of another key.
    #[error("line {line} of the keys file: {name} is not the peer id of its key")]
    NotAnAgent {
        /// Counted from 1.
        line: usize,
        /// The key's name.
        name: String,
    },
}

impl KeysError {
    /// The same, as a line of the report.
    #[must_use]
    pub fn finding(&self, path: &Path) -> Finding {
        Finding::new(&path.display().to_string(), Outcome::Malformed, self.to_string())
    }
}

/// The keys of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    coordinator: VerifierKey,
    agents: BTreeSet<PeerId>,
}

impl Keys {
    /// Reads a keys file.
    ///
    /// # Errors
    /// [`KeysError`] with the line that is wrong.
    pub fn read(path: &Path) -> Result<Self, KeysError> {
        let mut text = String::new();
        if File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)? as u64 > MAX_BYTES {
            return Err(KeysError::TooLong);
        }
        Self::parse(&text)
    }

    /// Reads the text of a keys file.
    ///
    /// # Errors
    /// [`KeysError`] with the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let mut keys = (1..).zip(text.lines()).map(|(line, text)| match text.parse() {
            Ok(key) => Ok((line, key)),
            Err(reason) => Err(KeysError::Line { line, reason }),
        });
        let (_, coordinator) = keys.next().ok_or(KeysError::Empty)??;
        let agents = keys.map(|key| key.and_then(|(line, key)| agent(line, &key)));
        Ok(Self { coordinator, agents: agents.collect::<Result<_, _>>()? })
    }

    /// The key that every receipt must be signed with.
    #[must_use]
    pub const fn coordinator(&self) -> &VerifierKey {
        &self.coordinator
    }

    /// Checks both signatures of a receipt, and that its agent is meant.
    ///
    /// # Errors
    /// [`Refusal`] where a signature does not hold or the agent is not listed.
    pub fn verify(&self, note: &SignedNote) -> Result<VerifiedReceipt, Refusal> {
        let receipt = verify(note, &self.coordinator)?;
        let agent = receipt.body.agent;
        if self.agents.is_empty() || self.agents.contains(&agent) {
            Ok(receipt)
        } else {
            Err(Refusal::UnlistedAgent(agent.to_string()))
        }
    }
}

fn agent(line: usize, key: &VerifierKey) -> Result<PeerId, KeysError> {
    let not_an_agent = || KeysError::NotAnAgent { line, name: key.name().to_string() };
    let peer: PeerId = key.name().as_str().parse().map_err(|_| not_an_agent())?;
    match agent_key(&peer) {
        Ok(own) if own == *key => Ok(peer),
        Ok(_) | Err(_) => Err(not_an_agent()),
    }
}
