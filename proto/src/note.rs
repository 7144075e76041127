//! Signed notes: a text and the Ed25519 signatures over it
//! ([C2SP signed-note v1.0.0](https://c2sp.org/signed-note), signature type 0x01).
//!
//! Decides the one spelling of a note, of a verifier key and of a signature line, and whether a
//! key signed a text. Never decides whose key is to be trusted, nor what the text means.

use crate::digest::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use std::fmt;
use std::str::FromStr;

/// The most signatures that are read: as many as C2SP signed-note obliges every verifier to accept.
pub const MAX_SIGNATURES: usize = 16;
/// The longest note: a log entry of C2SP tlog-tiles gives its length in 16 bits.
pub const MAX_NOTE_BYTES: usize = 65_535;

/// The signature type byte of plain Ed25519 (C2SP signed-note, "signature types").
const ED25519: u8 = 0x01;
/// What every signature line starts with: an em dash and a space.
const LINE_START: &str = "\u{2014} ";

/// Why bytes are no note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than [`MAX_NOTE_BYTES`].
    #[error("note of {0} bytes is longer than {MAX_NOTE_BYTES}")]
    TooLong(usize),
    /// Not UTF-8.
    #[error("note is not utf-8 after byte {0}")]
    NotUtf8(usize),
    /// A control character other than the line feed.
    #[error(
        "control character {character:?} in line {line} of the note, only line feeds may stand"
    )]
    Control {
        /// Counted from 1.
        line: usize,
        /// The character.
        character: char,
    },
    /// A text whose last line is not ended.
    #[error("text does not end in a line feed, append one before signing")]
    Unfinished,
    /// No text that ends in a line feed, a blank line, and signature lines.
    #[error("no blank line between text and signatures, is the note cut short?")]
    NoSignatures,
    /// A line after the text that is no signature.
    #[error("signature line {0} is not `\u{2014} name base64`")]
    SignatureLine(usize),
    /// More than [`MAX_SIGNATURES`].
    #[error("more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// Two lines of one key, of which verifiers would check only one.
    #[error("two signatures of key {0}, keep one")]
    SignedTwice(KeyName),
    /// Reads as a note but is not written as one.
    #[error("note is not in its one spelling, fetch the original bytes")]
    OtherSpelling,
}

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, or with a space, a plus sign or a control character.
    #[error("not a key name: {0:?} (1 to 255 bytes without spaces, `+` or control characters)")]
    Name(String),
    /// Not `name+id+key`.
    #[error("not a verifier key: {0:?} (name, 8 hexadecimal digits and base64, joined by `+`)")]
    VerifierKey(String),
    /// Another signature algorithm.
    #[error("key {name} is of signature type {found:#04x}, only 0x01 (ed25519) is verified")]
    Algorithm {
        /// The key's name.
        name: KeyName,
        /// Its type byte.
        found: u8,
    },
    /// The id is not the hash of name and key.
    #[error("key {name} has id {found} where its bytes give {computed}, was it edited?")]
    Id {
        /// The key's name.
        name: KeyName,
        /// The id in the text.
        found: KeyId,
        /// The id that name and bytes give.
        computed: KeyId,
    },
    /// No curve point, or one of small order, for which signatures can be forged.
    #[error("key {0} is weak or no ed25519 key")]
    Weak(KeyName),
}

/// Why a signature that should hold does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The name is that of a known key, the id is not.
    #[error("signature of {name} has key id {found} instead of {expected}")]
    WrongKeyId {
        /// The known key's name.
        name: KeyName,
        /// The id on the signature line.
        found: KeyId,
        /// The known key's id.
        expected: KeyId,
    },
    /// The line is the known key's, the signature does not verify.
    #[error("signature of {0} does not verify: text or signature was changed")]
    Forged(KeyName),
}

/// What a key is called: a schema-less URL for a log, the peer id for an agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// The text that was parsed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let refused = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if (1..=255).contains(&text.len()) && !text.contains(refused) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyError::Name(text.chars().take(64).collect()))
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first four bytes of SHA-256(name, line feed, type byte, public key); a hint, not a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

impl KeyId {
    fn of(name: &KeyName, public_key: &[u8; 32]) -> Self {
        let parts: [&[u8]; 4] = [name.as_str().as_bytes(), b"\n", &[ED25519], public_key];
        let [a, b, c, d, ..] = Digest::of_parts(&parts).0;
        Self([a, b, c, d])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A named Ed25519 key that verifies; its text form is the C2SP `vkey`, `name+id+base64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    key: VerifyingKey,
}

impl VerifierKey {
    /// Names a public key.
    ///
    /// # Errors
    /// [`KeyError::Weak`] where the bytes are no curve point or one of small order.
    pub fn new(name: KeyName, public_key: &[u8; 32]) -> Result<Self, KeyError> {
        match VerifyingKey::from_bytes(public_key) {
            Ok(key) if !key.is_weak() => Ok(Self { id: KeyId::of(&name, public_key), name, key }),
            Ok(_) | Err(_) => Err(KeyError::Weak(name)),
        }
    }

    /// What the key is called.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The short id that stands on its signature lines.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The Ed25519 public key.
    #[must_use]
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Strict verification: S below the group order, no point of small order (RFC 8032 section
    /// 5.1.7 and ["Taming the many EdDSAs"](https://eprint.iacr.org/2020/1244)).
    fn holds(&self, text: &str, signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bad = || KeyError::VerifierKey(text.chars().take(128).collect());
        // Base64 may hold a plus sign, a name may not: only the first two divide.
        let mut parts = text.splitn(3, '+');
        let mut part = || parts.next().ok_or_else(bad);
        let (name, id, encoded) = (part()?.parse::<KeyName>()?, part()?, part()?);
        let found = u32::from_str_radix(id, 16).map_err(|_| bad())?;
        let bytes = STANDARD.decode(encoded).map_err(|_| bad())?;
        let (kind, public_key) = bytes.split_first().ok_or_else(bad)?;
        if *kind != ED25519 {
            return Err(KeyError::Algorithm { name, found: *kind });
        }
        let key = Self::new(name, public_key.try_into().map_err(|_| bad())?)?;
        let found = KeyId(found.to_be_bytes());
        if key.id != found {
            return Err(KeyError::Id { name: key.name, found, computed: key.id });
        }
        if key.to_string() == text { Ok(key) } else { Err(bad()) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode([&[ED25519], self.public_key().as_slice()].concat());
        write!(f, "{}+{}+{encoded}", self.name, self.id)
    }
}

/// A named Ed25519 key that signs. It cannot be printed.
#[derive(Clone)]
pub struct NoteSigner {
    name: KeyName,
    key: SigningKey,
}

impl NoteSigner {
    /// The key of a 32-byte secret (the "private key" of RFC 8032 section 5.1.5).
    #[must_use]
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Self {
        Self { name, key: SigningKey::from_bytes(seed) }
    }

    /// What the key is called.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The half that may be published.
    #[must_use]
    pub fn verifier_key(&self) -> VerifierKey {
        let key = self.key.verifying_key();
        VerifierKey { id: KeyId::of(&self.name, key.as_bytes()), name: self.name.clone(), key }
    }

    /// The bare Ed25519 signature of a statement that is no note, such as a batch's.
    #[must_use]
    pub fn sign_bytes(&self, statement: &[u8]) -> [u8; 64] {
        self.key.sign(statement).to_bytes()
    }

    /// Signs a text. The same key and text always give the same signature.
    #[must_use]
    pub fn sign(&self, text: &str) -> NoteSignature {
        let verifier = self.verifier_key();
        let signature = self.key.sign(text.as_bytes()).to_vec();
        NoteSignature { name: verifier.name, id: verifier.id, signature }
    }
}

/// One signature line. Its signature may be of a type that Sward does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Who is said to have signed.
    pub name: KeyName,
    /// With which key.
    pub id: KeyId,
    /// The signature itself: 64 bytes where it is Ed25519.
    pub signature: Vec<u8>,
}

impl NoteSignature {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(LINE_START)?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, signature) = bytes.split_first_chunk()?;
        let filled = !signature.is_empty();
        let name = name.parse().ok()?;
        filled.then(|| Self { name, id: KeyId(*id), signature: signature.to_vec() })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode([self.id.0.as_slice(), &self.signature].concat());
        write!(f, "{LINE_START}{} {encoded}", self.name)
    }
}

/// A text with at least one signature line, verified or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// A text with its first signature.
    ///
    /// # Errors
    /// [`NoteError`] where the text does not end in a line feed, holds another control character,
    /// or is too long.
    pub fn new(text: String, first: NoteSignature) -> Result<Self, NoteError> {
        if !text.ends_with('\n') {
            // Its end could otherwise be read back as signature lines.
            return Err(NoteError::Unfinished);
        }
        let note = Self { text, signatures: vec![first] };
        Self::parse(note.encode().as_bytes())
    }

    /// The same note with one more signature line at its end.
    ///
    /// # Errors
    /// [`NoteError`] where that is one line too many, or the second of one key.
    pub fn with_signature(mut self, signature: NoteSignature) -> Result<Self, NoteError> {
        self.signatures.push(signature);
        Self::parse(self.encode().as_bytes())
    }

    /// Reads a note. No signature is verified: ask [`Self::is_signed_by`].
    ///
    /// # Errors
    /// [`NoteError`] for anything but the one spelling of a note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong(bytes.len()));
        }
        let whole = str::from_utf8(bytes).map_err(|e| NoteError::NotUtf8(e.valid_up_to()))?;
        for (line, text) in (1..).zip(whole.split('\n')) {
            if let Some(character) = text.chars().find(|c| c.is_control()) {
                return Err(NoteError::Control { line, character });
            }
        }
        // The text may hold blank lines; the last one in the note divides.
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::NoSignatures)?;
        let mut signatures: Vec<NoteSignature> = Vec::new();
        for (number, line) in (1..).zip(lines.split_terminator('\n')) {
            if number > MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            let new = NoteSignature::parse(line).ok_or(NoteError::SignatureLine(number))?;
            if signatures.iter().any(|old| old.name == new.name && old.id == new.id) {
                return Err(NoteError::SignedTwice(new.name));
            }
            signatures.push(new);
        }
        if signatures.is_empty() {
            return Err(NoteError::NoSignatures);
        }
        let note = Self { text: format!("{text}\n"), signatures };
        if note.encode() == whole { Ok(note) } else { Err(NoteError::OtherSpelling) }
    }

    /// The note as it is stored and sent.
    #[must_use]
    pub fn encode(&self) -> String {
        let lines = self.signatures.iter().map(|signature| format!("{signature}\n"));
        format!("{}\n{}", self.text, lines.collect::<String>())
    }

    /// What is signed, with its final line feed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines in their order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Whether `key` signed the text; false where no line bears its name. Lines of other names are
    /// ignored, and so are other ids of this name once the key's own line verifies.
    ///
    /// # Errors
    /// [`SignatureError`] where a line claims to be this key's and is not.
    pub fn is_signed_by(&self, key: &VerifierKey) -> Result<bool, SignatureError> {
        let named = || self.signatures.iter().filter(|line| line.name == key.name);
        match named().find(|line| line.id == key.id) {
            Some(line) if key.holds(&self.text, &line.signature) => Ok(true),
            Some(_) => Err(SignatureError::Forged(key.name.clone())),
            None => named().next().map_or(Ok(false), |line| {
                let (name, expected) = (key.name.clone(), key.id);
                Err(SignatureError::WrongKeyId { name, found: line.id, expected })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(name: &str, seed: u8) -> NoteSigner {
        NoteSigner::from_seed(name.parse().expect("a key name"), &[seed; 32])
    }

    #[test]
    fn the_example_of_the_specification_is_read_and_written_alike() {
        // C2SP signed-note, "Format": its text has an empty line of its own.
        let example = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n\
            ed è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/\
            5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
        let note = SignedNote::parse(example.as_bytes()).expect("the example");
        assert!(note.text().ends_with("\n\ned è subito sera.\n"));
        assert_eq!(note.signatures()[0].id.to_string(), "367ba04b");
        assert_eq!(note.encode(), example);
    }

    #[test]
    fn the_coordinator_of_the_vectors_is_written_as_published() {
        let key = signer("receipts.tern.example/main", 1).verifier_key();
        let text = "receipts.tern.example/main+04507f7b+\
            AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
        assert_eq!(key.to_string(), text);
        assert_eq!(text.parse(), Ok(key));
    }

    #[test]
    fn unknown_keys_are_ignored_and_a_known_name_with_another_id_is_not() {
        let (known, other) = (signer("a.example", 1), signer("b.example", 2));
        let impostor = signer("a.example", 3);
        let note = |signer: &NoteSigner| {
            SignedNote::new("text\n".into(), signer.sign("text\n")).expect("a note")
        };
        let known_key = known.verifier_key();
        assert_eq!(note(&other).is_signed_by(&known_key), Ok(false));
        let refused = note(&impostor).is_signed_by(&known_key);
        assert!(matches!(refused, Err(SignatureError::WrongKeyId { .. })), "{refused:?}");
        let both = note(&impostor).with_signature(known.sign("text\n")).expect("another key id");
        assert_eq!(both.is_signed_by(&known_key), Ok(true));
        let elsewhere = SignedNote::new("text\n".into(), known.sign("other\n")).expect("a note");
        let refused = elsewhere.is_signed_by(&known_key);
        assert_eq!(refused, Err(SignatureError::Forged(known_key.name().clone())));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_refused_or_come_back(
            text in "(\\PC|\n){0,40}", tail in "(— [ab] [A-Za-z0-9+/]{8}\n?){0,3}",
        ) {
            let bytes = format!("{text}\n\n{tail}");
            if let Ok(note) = SignedNote::parse(bytes.as_bytes()) {
                proptest::prop_assert_eq!(note.encode(), bytes);
            }
        }

        #[test]
        fn every_text_that_was_signed_verifies(
            text in "\\PC{0,60}(\n\\PC{0,20}){0,4}\n", seed: u8,
        ) {
            let signer = signer("a.example", seed);
            let note = SignedNote::new(text.clone(), signer.sign(&text)).expect("a note");
            proptest::prop_assert_eq!(note.text(), text);
            proptest::prop_assert_eq!(note.is_signed_by(&signer.verifier_key()), Ok(true));
        }
    }
}
