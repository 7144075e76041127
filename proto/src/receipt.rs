//! Receipts: what a coordinator owes an agent, so that a stranger can check it offline.
//!
//! Decides the one spelling of a receipt, whose signatures it needs, when one receipt continues
//! another, and when two of them convict the coordinator. Never decides how much a page is worth,
//! nor whether the pages behind a receipt came from the sites.
//!
//! A receipt is a signed note ([`crate::note`]) whose text has thirteen lines in a fixed order. Its
//! totals are cumulative and each receipt names the hash of the one before, so the newest alone
//! settles what is owed. The coordinator signs first, under the log's name; the agent then signs
//! the same text under its peer id.

use crate::digest::Digest;
use crate::ids::{Epoch, Lane, PeerId, Seq};
use crate::note::{
    KeyError, KeyName, NoteError, NoteSigner, SignatureError, SignedNote, VerifierKey,
};
use std::fmt;
use std::str::FromStr;

/// What the first line ends in, after the domain.
const SCHEMA_PATH: &str = "/receipt/v1";

/// Why a text is no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Anything but printable ASCII and line feeds, for instance a carriage return.
    #[error("byte {byte:#04x} in line {line} of the receipt, only printable ascii may stand")]
    Byte {
        /// Counted from 1.
        line: usize,
        /// The byte.
        byte: u8,
    },
    /// The first line is no schema.
    #[error("not a receipt schema: {0:?}, expected `domain/receipt/v1`")]
    Schema(String),
    /// A line that is missing, repeated or out of order.
    #[error("found {found:?} where the line `{expected}` should be")]
    Field {
        /// The field that belongs there.
        expected: &'static str,
        /// The line found, cut short; empty where the text has ended.
        found: String,
    },
    /// A value in another spelling than its only one.
    #[error("{field} is {found:?}, not {expected}")]
    Value {
        /// The field.
        field: &'static str,
        /// The value found, cut short.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A number that does not fit.
    #[error("{field} is {found}, which overflows")]
    Overflow {
        /// The field.
        field: &'static str,
        /// The digits found, cut short.
        found: String,
    },
    /// Only the first receipt of a chain has no predecessor.
    #[error("receipt {seq} follows {prev}: receipt 1, and no other, must follow zeros")]
    FirstLink {
        /// The receipt's position.
        seq: Seq,
        /// The predecessor it names.
        prev: Digest,
    },
    /// Text after the last line, or a last line that is not ended.
    #[error("receipt does not end with the line feed after `tariff`")]
    End,
    /// Reads as a receipt but is not written as one.
    #[error("receipt is not in its one spelling, fetch the original bytes")]
    OtherSpelling,
}

/// Why a note is no receipt that binds, or may not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The note itself is malformed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Its text is no receipt.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// A signature does not verify.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The agent's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The coordinator's key has another name than the log.
    #[error("receipt of log {log}, but the key is that of {key}")]
    OtherLog {
        /// The log the receipt names.
        log: KeyName,
        /// The name of the key given.
        key: KeyName,
    },
    /// Without the coordinator a receipt is only a claim.
    #[error("receipt is not signed by its coordinator {0}: a claim, never payable")]
    NotSigned(KeyName),
    /// Only the agent a receipt names can countersign it.
    #[error("receipt of agent {agent} cannot be countersigned by {key}")]
    OtherAgent {
        /// The agent the receipt names.
        agent: PeerId,
        /// The name of the key given.
        key: KeyName,
    },
}

/// Why a receipt does not continue another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// They belong to different chains.
    #[error("receipts of different chains: {field} {previous} and {next}")]
    OtherChain {
        /// `log`, `agent` or `lane`.
        field: &'static str,
        /// In the earlier receipt.
        previous: String,
        /// In the later one.
        next: String,
    },
    /// Not the position after.
    #[error("receipt {next} after {previous}, a receipt is missing or repeated")]
    SeqGap {
        /// Of the earlier receipt.
        previous: Seq,
        /// Of the later one.
        next: Seq,
    },
    /// The hash of another text.
    #[error("receipt {seq} names predecessor {found}, but receipt before it hashes to {expected}")]
    WrongPrev {
        /// Of the later receipt.
        seq: Seq,
        /// The hash of the earlier text.
        expected: Digest,
        /// The hash the later receipt names.
        found: Digest,
    },
    /// A total that never decreases did.
    #[error("receipt {seq} lowers {field} from {previous} to {next}")]
    Decreased {
        /// Of the later receipt.
        seq: Seq,
        /// `tasks`, `bytes` or `credit`.
        field: &'static str,
        /// In the earlier receipt.
        previous: u64,
        /// In the later one.
        next: u64,
    },
}

/// The form of a receipt and whose it is: `domain/receipt/v1`.
///
/// libp2p signs handshakes with the same agent key; no handshake starts with such a line, so
/// neither signature can be passed off as the other. A verifier learns the coordinator from the
/// log's key, never from this line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptSchema(String);

impl ReceiptSchema {
    /// The schema of a domain in lower case, for instance `sward.example`.
    ///
    /// # Errors
    /// [`ReceiptError::Schema`] where it is no host name (RFC 1123 section 2.1) in lower case.
    pub fn of_domain(domain: &str) -> Result<Self, ReceiptError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let label = |label: &str| {
            let edge = label.starts_with('-') || label.ends_with('-');
            (1..=63).contains(&label.len()) && label.bytes().all(plain) && !edge
        };
        if domain.len() <= 253 && domain.split('.').all(label) {
            Ok(Self(domain.to_owned()))
        } else {
            Err(ReceiptError::Schema(shorten(domain)))
        }
    }
}

impl FromStr for ReceiptSchema {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        let bad = || ReceiptError::Schema(shorten(text));
        Self::of_domain(text.strip_suffix(SCHEMA_PATH).ok_or_else(bad)?)
    }
}

impl fmt::Display for ReceiptSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SCHEMA_PATH}", self.0)
    }
}

/// The task results that one receipt adds to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptBatch {
    /// How many.
    pub count: u64,
    /// The Merkle root over their salted leaves ([`crate::merkle::salted_leaf`]).
    pub root: Digest,
}

/// What a receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptBody {
    /// The form, which also separates receipts from all else that is signed.
    pub schema: ReceiptSchema,
    /// The log that the receipt goes into, which is also the name of the coordinator's key.
    pub log: KeyName,
    /// Whose work it was.
    pub agent: PeerId,
    /// Which of the agent's installations.
    pub lane: Lane,
    /// The position in the chain of this log, agent and lane, from 1.
    pub seq: Seq,
    /// [`ReceiptBody::hash`] of the receipt before; zeros in the first.
    pub prev: Digest,
    /// The span of receipt time it belongs to.
    pub epoch: Epoch,
    /// When, by the coordinator's clock: whole seconds since the Unix epoch.
    pub issued: u64,
    /// Tasks credited since the chain began.
    pub tasks: u64,
    /// Bytes of body credited since the chain began.
    pub bytes: u64,
    /// Micro-units earned since the chain began.
    pub credit: u64,
    /// What this receipt adds.
    pub batch: ReceiptBatch,
    /// [`crate::tariff::Tariff::hash`] of the prices.
    pub tariff: Digest,
}

impl ReceiptBody {
    /// The text that is signed.
    #[must_use]
    pub fn encode(&self) -> String {
        let Self { schema, log, agent, lane, seq, epoch, issued, tasks, bytes, credit, .. } = self;
        let (count, root) = (self.batch.count, self.batch.root.to_base64());
        let (prev, tariff) = (self.prev.to_base64(), self.tariff.to_base64());
        format!(
            "{schema}\nlog {log}\nagent {agent}\nlane {lane}\nseq {seq}\nprev {prev}\n\
             epoch {epoch}\nissued {issued}\ntasks {tasks}\nbytes {bytes}\ncredit {credit}\n\
             batch {count} {root}\ntariff {tariff}\n"
        )
    }

    /// The inverse of [`Self::encode`]; refuses every other spelling.
    ///
    /// # Errors
    /// [`ReceiptError`] with the line, field or byte that is wrong.
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        for (line, content) in (1..).zip(text.split('\n')) {
            if let Some(byte) = content.bytes().find(|byte| !(b' '..=b'~').contains(byte)) {
                return Err(ReceiptError::Byte { line, byte });
            }
        }
        let mut lines = Lines(text.split('\n'));
        let body = Self {
            schema: lines.0.next().unwrap_or_default().parse()?,
            log: lines.parsed("log", "a key name")?,
            agent: lines.parsed("agent", "an ed25519 peer id")?,
            lane: Lane(lines.number("lane")?),
            seq: Seq(lines.number("seq")?),
            prev: lines.digest("prev")?,
            epoch: Epoch(lines.number("epoch")?),
            issued: lines.number("issued")?,
            tasks: lines.number("tasks")?,
            bytes: lines.number("bytes")?,
            credit: lines.number("credit")?,
            batch: lines.batch("batch")?,
            tariff: lines.digest("tariff")?,
        };
        if lines.0.next() != Some("") || lines.0.next().is_some() {
            return Err(ReceiptError::End);
        }
        body.check_seq()?;
        if body.encode() == text { Ok(body) } else { Err(ReceiptError::OtherSpelling) }
    }

    /// SHA-256 of the text: what the next receipt names as `prev`.
    #[must_use]
    pub fn hash(&self) -> Digest {
        Digest::of(self.encode().as_bytes())
    }

    fn check_seq(&self) -> Result<(), ReceiptError> {
        let Self { seq, prev, .. } = *self;
        if seq == Seq(0) {
            let found = seq.to_string();
            return Err(ReceiptError::Value { field: "seq", found, expected: "1 or more" });
        }
        if (seq == Seq(1)) == (prev == Digest::ZERO) {
            Ok(())
        } else {
            Err(ReceiptError::FirstLink { seq, prev })
        }
    }
}

/// A receipt that its coordinator signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReceipt {
    /// What it says.
    pub body: ReceiptBody,
    /// Whether the agent signed too. Without, the receipt is unilateral: payable, since it admits
    /// the debt, but the agent has not agreed to the sum.
    pub countersigned: bool,
}

/// The key that an agent countersigns with; it is inside the peer id.
///
/// # Errors
/// Never for a [`PeerId`], which holds no weak key.
pub fn agent_key(agent: &PeerId) -> Result<VerifierKey, KeyError> {
    VerifierKey::new(agent.to_string().parse()?, agent.public_key())
}

/// Signs a receipt as its coordinator. Persist the text before: nothing may be signed twice over.
///
/// # Errors
/// [`VerifyError`] where the key is not the log's, or the body cannot be read back.
pub fn sign(body: &ReceiptBody, coordinator: &NoteSigner) -> Result<SignedNote, VerifyError> {
    names_log(body, coordinator.name())?;
    let text = body.encode();
    ReceiptBody::parse(&text)?;
    let signature = coordinator.sign(&text);
    Ok(SignedNote::new(text, signature)?)
}

/// Adds the agent's signature. Verify the receipt and compare it with the agent's own tally first.
///
/// # Errors
/// [`VerifyError`] where the note is no receipt of this agent or already bears its signature.
pub fn countersign(note: SignedNote, agent: &NoteSigner) -> Result<SignedNote, VerifyError> {
    let body = ReceiptBody::parse(note.text())?;
    if agent.verifier_key() != agent_key(&body.agent)? {
        return Err(VerifyError::OtherAgent { agent: body.agent, key: agent.name().clone() });
    }
    let signature = agent.sign(note.text());
    Ok(note.with_signature(signature)?)
}

/// Checks both signatures of a receipt.
///
/// # Errors
/// [`VerifyError`] where the text is no receipt of the key's log, the coordinator's signature is
/// missing, or either signature does not verify. A missing agent's signature is no error.
pub fn verify(
    note: &SignedNote,
    coordinator: &VerifierKey,
) -> Result<VerifiedReceipt, VerifyError> {
    let body = admitted(note, coordinator)?;
    let countersigned = note.is_signed_by(&agent_key(&body.agent)?)?;
    Ok(VerifiedReceipt { body, countersigned })
}

/// Checks the coordinator's signature alone: what it admitted, whatever the agent says.
///
/// # Errors
/// [`VerifyError`] where the text is no receipt of the key's log or the signature does not hold.
pub fn admitted(note: &SignedNote, coordinator: &VerifierKey) -> Result<ReceiptBody, VerifyError> {
    let body = ReceiptBody::parse(note.text())?;
    names_log(&body, coordinator.name())?;
    if note.is_signed_by(coordinator)? { Ok(body) } else { Err(VerifyError::NotSigned(body.log)) }
}

/// Checks that `next` is the receipt right after `previous`. Clocks are not compared: the order
/// of receipts is that of `seq`.
///
/// # Errors
/// [`ChainError`] for another log, agent or lane, a gap, a wrong hash or a total that decreased.
pub fn follows(previous: &ReceiptBody, next: &ReceiptBody) -> Result<(), ChainError> {
    same("log", &previous.log, &next.log)?;
    same("agent", &previous.agent, &next.agent)?;
    same("lane", &previous.lane, &next.lane)?;
    let seq = next.seq;
    if previous.seq.0.checked_add(1) != Some(seq.0) {
        return Err(ChainError::SeqGap { previous: previous.seq, next: seq });
    }
    let expected = previous.hash();
    if next.prev != expected {
        return Err(ChainError::WrongPrev { seq, expected, found: next.prev });
    }
    for (field, previous, next) in [
        ("tasks", previous.tasks, next.tasks),
        ("bytes", previous.bytes, next.bytes),
        ("credit", previous.credit, next.credit),
    ] {
        if next < previous {
            return Err(ChainError::Decreased { seq, field, previous, next });
        }
    }
    Ok(())
}

/// Two different receipts for one place in one chain, both signed by the coordinator: proof that
/// it keeps two books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equivocation {
    /// The log whose coordinator is convicted.
    pub log: KeyName,
    /// Whose chain.
    pub agent: PeerId,
    /// Which of the agent's installations.
    pub lane: Lane,
    /// The place that has two receipts.
    pub seq: Seq,
}

impl Equivocation {
    /// What two notes prove against a coordinator; `None` where they are the same receipt or two
    /// that may stand beside each other. The agent's signatures do not matter.
    ///
    /// # Errors
    /// [`VerifyError`] where either note is no receipt that this coordinator signed.
    pub fn between(
        first: &SignedNote,
        second: &SignedNote,
        coordinator: &VerifierKey,
    ) -> Result<Option<Self>, VerifyError> {
        let (a, b) = (admitted(first, coordinator)?, admitted(second, coordinator)?);
        let one_place = a.log == b.log && a.agent == b.agent && a.lane == b.lane && a.seq == b.seq;
        let convicts = one_place && a != b;
        let ReceiptBody { log, agent, lane, seq, .. } = a;
        Ok(convicts.then_some(Self { log, agent, lane, seq }))
    }
}

fn names_log(body: &ReceiptBody, key: &KeyName) -> Result<(), VerifyError> {
    if body.log == *key {
        return Ok(());
    }
    Err(VerifyError::OtherLog { log: body.log.clone(), key: key.clone() })
}

fn same<T: PartialEq + fmt::Display>(
    field: &'static str,
    previous: &T,
    next: &T,
) -> Result<(), ChainError> {
    if previous == next {
        return Ok(());
    }
    let (previous, next) = (previous.to_string(), next.to_string());
    Err(ChainError::OtherChain { field, previous, next })
}

/// The lines of a receipt, read once from the top.
struct Lines<'a>(std::str::Split<'a, char>);

impl<'a> Lines<'a> {
    fn value(&mut self, expected: &'static str) -> Result<&'a str, ReceiptError> {
        let line = self.0.next().unwrap_or_default();
        match line.split_once(' ') {
            Some((name, value)) if name == expected => Ok(value),
            Some(_) | None => Err(ReceiptError::Field { expected, found: shorten(line) }),
        }
    }

    fn parsed<T: FromStr>(
        &mut self,
        field: &'static str,
        expected: &'static str,
    ) -> Result<T, ReceiptError> {
        let value = self.value(field)?;
        value.parse().map_err(|_| other_value(field, value, expected))
    }

    fn number<T: FromStr>(&mut self, field: &'static str) -> Result<T, ReceiptError> {
        decimal(field, self.value(field)?)
    }

    fn digest(&mut self, field: &'static str) -> Result<Digest, ReceiptError> {
        digest(field, self.value(field)?)
    }

    fn batch(&mut self, field: &'static str) -> Result<ReceiptBatch, ReceiptError> {
        let value = self.value(field)?;
        let (count, root) = value
            .split_once(' ')
            .ok_or_else(|| other_value(field, value, "a count, a space and a root"))?;
        Ok(ReceiptBatch { count: decimal(field, count)?, root: digest(field, root)? })
    }
}

fn decimal<T: FromStr>(field: &'static str, text: &str) -> Result<T, ReceiptError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || text.len() > 1 && text.starts_with('0') {
        return Err(other_value(field, text, "a decimal number without leading zeros"));
    }
    text.parse().map_err(|_| ReceiptError::Overflow { field, found: shorten(text) })
}

fn digest(field: &'static str, text: &str) -> Result<Digest, ReceiptError> {
    Digest::from_base64(text)
        .map_err(|_| other_value(field, text, "32 bytes in padded standard base64"))
}

fn other_value(field: &'static str, found: &str, expected: &'static str) -> ReceiptError {
    ReceiptError::Value { field, found: shorten(found), expected }
}

fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_a_host_name_in_lower_case() {
        for domain in
            ["sward.example", "tern.example", "localhost", "xn--bcher-kva.example", "4.example"]
        {
            let schema = ReceiptSchema::of_domain(domain).expect(domain);
            assert_eq!(schema.to_string(), format!("{domain}/receipt/v1"));
            assert_eq!(schema.to_string().parse(), Ok(schema));
        }
        for text in [
            "/receipt/v1",
            "Sward.example/receipt/v1",
            "sward..example/receipt/v1",
            "-a.example/receipt/v1",
            "sward.example./receipt/v1",
            "sward.example:80/receipt/v1",
            "sward.example/receipt/v2",
            "sward.example/receipt/v1 ",
            "sward.example",
        ] {
            let refused = text.parse::<ReceiptSchema>();
            assert!(matches!(refused, Err(ReceiptError::Schema(_))), "{text}");
        }
    }
}
