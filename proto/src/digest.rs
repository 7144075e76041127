//! SHA-256 digests and how they are written.
//!
//! Decides the one hash function of Sward (FIPS 180-4) and its text forms: lower-case hexadecimal for people and WARC
//! headers, padded standard base64 in notes. Never decides what is hashed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 32]);

/// A text or byte string that is not a SHA-256 digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a sha-256 digest: {0}")]
pub struct NotADigest(pub String);

impl Digest {
    /// All zeros: stands for "no predecessor" in a receipt chain.
    pub const ZERO: Self = Self([0; 32]);

    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of the concatenation of `parts`.
    #[must_use]
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// From exactly 32 bytes.
    ///
    /// # Errors
    /// [`NotADigest`] for any other length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, NotADigest> {
        bytes.try_into().map(Self).map_err(|_| NotADigest(format!("{} bytes", bytes.len())))
    }

    /// Padded standard base64, as notes write it.
    #[must_use]
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// The inverse of [`Self::to_base64`]; refuses every other spelling of the same bytes.
    ///
    /// # Errors
    /// [`NotADigest`] with the offending text.
    pub fn from_base64(text: &str) -> Result<Self, NotADigest> {
        let bytes = STANDARD.decode(text).map_err(|_| NotADigest(text.to_owned()))?;
        let digest = Self::from_slice(&bytes)?;
        if digest.to_base64() == text { Ok(digest) } else { Err(NotADigest(text.to_owned())) }
    }

    /// From 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`NotADigest`] with the offending text.
    pub fn from_hex(text: &str) -> Result<Self, NotADigest> {
        let bad = || NotADigest(text.to_owned());
        let digits = text.as_bytes();
        if digits.len() != 64 || digits.iter().any(u8::is_ascii_uppercase) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

crate::ids::readable_bytes!(Digest, 32, Digest::from_hex);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_text_forms_come_back() {
        let digest = Digest::of(b"sward");
        assert_eq!(Digest::from_hex(&digest.to_string()), Ok(digest));
        assert_eq!(Digest::from_base64(&digest.to_base64()), Ok(digest));
    }

    #[test]
    fn other_spellings_are_refused() {
        let digest = Digest::of(b"sward");
        assert!(Digest::from_hex(&digest.to_string().to_uppercase()).is_err());
        assert!(Digest::from_hex("+1").is_err());
        assert!(Digest::from_base64(digest.to_base64().trim_end_matches('=')).is_err());
    }
}
