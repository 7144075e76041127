//! Identifiers, each a type of its own, made by parsing and valid ever after.
//!
//! Decides what a well-formed identifier is. Never decides whether the thing it names exists.

use crate::digest::Digest;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not the text form of an Ed25519 libp2p peer id.
    #[error("not an ed25519 peer id: {0}")]
    PeerId(String),
    /// A key that would verify forged signatures (small order), or no point at all.
    #[error("weak or invalid ed25519 key: {0}")]
    WeakKey(String),
    /// Not a decimal number without leading zeros.
    #[error("not a decimal number: {0}")]
    Number(String),
    /// Not a job name.
    #[error("not a job name: {0} (1 to 64 of a-z 0-9 - _, starting with a letter)")]
    JobName(String),
    /// Not a payee.
    #[error("not a payee: {0} (1 to 64 visible ascii characters)")]
    Payee(String),
    /// Not an invite code.
    #[error("not an invite code: it has 26 characters of 0-9 a-z without i, l, o, u")]
    InviteCode,
    /// A token of the wrong length.
    #[error("not a lease token: {0} bytes instead of 16")]
    LeaseToken(usize),
}

/// The bytes before an Ed25519 public key in a libp2p peer id: an identity multihash of a protobuf key
/// ([libp2p peer ids](https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md)).
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// A libp2p peer id of an Ed25519 key. The key is inside, so signatures verify without a look-up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId([u8; 32]);

impl PeerId {
    /// The peer id of a public key.
    ///
    /// # Errors
    /// [`IdError::WeakKey`] where the bytes are no curve point or one of small order.
    pub fn from_public_key(key: [u8; 32]) -> Result<Self, IdError> {
        match VerifyingKey::from_bytes(&key) {
            Ok(point) if !point.is_weak() => Ok(Self(key)),
            Ok(_) | Err(_) => Err(IdError::WeakKey(Digest(key).to_string())),
        }
    }

    /// The Ed25519 public key.
    #[must_use]
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.0
    }

    /// The binary form: a multihash, 38 bytes.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        [PEER_ID_PREFIX.as_slice(), &self.0].concat()
    }

    /// From the binary form.
    ///
    /// # Errors
    /// [`IdError`] for every other key type, length or a weak key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdError> {
        let bad = || IdError::PeerId(format!("{} bytes", bytes.len()));
        let key = bytes.strip_prefix(&PEER_ID_PREFIX).ok_or_else(bad)?;
        Self::from_public_key(key.try_into().map_err(|_| bad())?)
    }
}

impl FromStr for PeerId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bad = || IdError::PeerId(text.chars().take(64).collect());
        if text.len() > 64 {
            return Err(bad());
        }
        Self::from_bytes(&bs58::decode(text).into_vec().map_err(|_| bad())?).map_err(|error| {
            match error {
                weak @ IdError::WeakKey(_) => weak,
                IdError::PeerId(_)
                | IdError::Number(_)
                | IdError::JobName(_)
                | IdError::Payee(_)
                | IdError::InviteCode
                | IdError::LeaseToken(_) => bad(),
            }
        })
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bs58::encode(self.to_bytes()).into_string())
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Serde for a newtype over bytes: text where people read it, bytes where machines do.
macro_rules! readable_bytes {
    ($name:ident, $len:literal, $parse:expr) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                    $parse(&text).map_err(serde::de::Error::custom)
                } else {
                    <[u8; $len] as serde::Deserialize>::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}
pub(crate) use readable_bytes;

readable_bytes!(PeerId, 32, str::parse::<PeerId>);
readable_bytes!(LeaseToken, 16, LeaseToken::from_hex);

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident, $repr:ty) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        pub struct $name(pub $repr);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                match text.parse::<$repr>() {
                    Ok(number) if number.to_string() == text => Ok(Self(number)),
                    Ok(_) | Err(_) => Err(IdError::Number(text.chars().take(32).collect())),
                }
            }
        }
    };
}

number_id!(
    /// One installation under an agent's key, so that restored clones do not collide.
    Lane, u32
);
number_id!(
    /// The position of a receipt in its agent's chain; the first is 1.
    Seq, u64
);
number_id!(
    /// A span of receipt time; the first is 0.
    Epoch, u64
);
number_id!(
    /// A job's number in its coordinator, in order of submission.
    JobId, u32
);
number_id!(
    /// A task's number in its coordinator, in order of creation.
    TaskId, u64
);

/// What its submitter calls a job: 1 to 64 of `a-z 0-9 - _`, starting with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobName(String);

impl FromStr for JobName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(plain)
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::JobName(text.chars().take(64).collect()))
        }
    }
}

/// Who is paid for an agent's work; opaque to Sward. Agents with one payee count as one group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Payee(String);

impl FromStr for Payee {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::Payee(text.chars().take(64).collect()))
        }
    }
}

macro_rules! text_id {
    ($name:ident) => {
        impl $name {
            /// The text that was parsed.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

text_id!(JobName);
text_id!(Payee);

/// The secret that lets one agent enrol once: 26 characters of Crockford's base 32, 130 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteCode(String);

impl InviteCode {
    /// The code of 17 random bytes (their first 130 bits).
    #[must_use]
    pub fn from_random(bytes: [u8; 17]) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let bit = |index: usize| (bytes[index / 8] >> (7 - index % 8)) & 1;
        let digit = |n: usize| (0..5).fold(0, |value, i| value << 1 | usize::from(bit(n * 5 + i)));
        Self((0..26).map(|n| char::from(ALPHABET[digit(n)])).collect())
    }

    /// What is kept of a code at rest.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of_parts(&[b"sward/invite/v1\n", self.0.as_bytes()])
    }

    /// The code itself, to be shown to its owner once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for InviteCode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let plain = |c: char| {
            c.is_ascii_digit() || c.is_ascii_lowercase() && !matches!(c, 'i' | 'l' | 'o' | 'u')
        };
        if text.len() == 26 && text.chars().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::InviteCode)
        }
    }
}

impl fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteCode(..)")
    }
}

/// The random token of one lease; whoever answers the lease must present it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseToken(pub [u8; 16]);

impl LeaseToken {
    /// From exactly 16 bytes.
    ///
    /// # Errors
    /// [`IdError::LeaseToken`] for any other length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
        bytes.try_into().map(Self).map_err(|_| IdError::LeaseToken(bytes.len()))
    }
}

impl LeaseToken {
    /// From 32 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`IdError::LeaseToken`].
    pub fn from_hex(text: &str) -> Result<Self, IdError> {
        let mut token = [0; 16];
        let bad = || IdError::LeaseToken(text.len());
        if text.len() != 32 {
            return Err(bad());
        }
        for (byte, pair) in token.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        Ok(Self(token))
    }
}

impl fmt::Display for LeaseToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LeaseToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    #[test]
    fn a_peer_id_is_written_as_libp2p_writes_it() {
        // Vector of research section A: the agent of the 32-byte seed 0x0a repeated.
        let key = SigningKey::from_bytes(&[0x0c; 32]).verifying_key().to_bytes();
        let peer = PeerId::from_public_key(key).expect("a good key");
        assert!(peer.to_string().starts_with("12D3KooW"));
        assert_eq!(peer.to_string().parse(), Ok(peer));
    }

    #[test]
    fn small_order_keys_and_other_texts_are_refused() {
        assert!(matches!(PeerId::from_public_key([0; 32]), Err(IdError::WeakKey(_))));
        for text in ["", "12D3KooW", "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", "0OIl"] {
            assert!(text.parse::<PeerId>().is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_have_one_spelling() {
        assert_eq!("7".parse(), Ok(Seq(7)));
        for text in ["07", "+7", "", "-1", "18446744073709551616"] {
            assert!(text.parse::<Seq>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_and_codes() {
        assert!("docs-2".parse::<JobName>().is_ok());
        assert!("../etc".parse::<JobName>().is_err());
        assert!("a b".parse::<Payee>().is_err());
        let code = InviteCode::from_random([0xa5; 17]);
        assert_eq!(code.reveal().parse(), Ok(code.clone()));
        assert!("short".parse::<InviteCode>().is_err());
        assert_eq!(format!("{code:?}"), "InviteCode(..)");
    }
}
