//! The name of a record: a UUID that follows from where the record stands and what it holds.
//!
//! Decides how a record id is derived and written. Never draws a random number.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use sward_proto::digest::Digest;

/// A `WARC-Record-ID`: a version 8 UUID ([RFC 9562 section 5.8](https://www.rfc-editor.org/rfc/rfc9562#section-5.8)),
/// written `urn:uuid:...`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordId(u128);

/// A text that is not `urn:uuid:` and a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a record id: {0:?} (urn:uuid: and 36 characters)")]
pub struct NotARecordId(String);

impl RecordId {
    /// The id of the record whose header holds `fields` (all but the id itself, the block's digest among them) and
    /// whose gzip member begins at `offset` of the segment of that file name.
    pub(super) fn derive(segment: &str, offset: u64, fields: &str) -> Self {
        let place = format!("sward/warc-record/v1\n{segment}\n{offset}\n");
        let digest = Digest::of_parts(&[place.as_bytes(), fields.as_bytes()]);
        let bits = digest.0.iter().take(16).fold(0, |id, byte| id << 8 | u128::from(*byte));
        let version = bits & !(0xf << 76) | 8 << 76;
        Self(version & !(0b11 << 62) | 0b10 << 62)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |shift: u32| self.0 >> shift & 0xffff;
        write!(f, "urn:uuid:{:08x}-{:04x}-", self.0 >> 96, group(80))?;
        write!(f, "{:04x}-{:04x}-{:012x}", group(64), group(48), self.0 & 0xffff_ffff_ffff)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for RecordId {
    type Err = NotARecordId;

    fn from_str(text: &str) -> Result<Self, NotARecordId> {
        let digits = text.strip_prefix("urn:uuid:").unwrap_or_default().replace('-', "");
        match u128::from_str_radix(&digits, 16).map(Self) {
            Ok(id) if id.to_string().eq_ignore_ascii_case(text) => Ok(id),
            Ok(_) | Err(_) => Err(NotARecordId(text.chars().take(64).collect())),
        }
    }
}

impl TryFrom<String> for RecordId {
    type Error = NotARecordId;

    fn try_from(text: String) -> Result<Self, NotARecordId> {
        text.parse()
    }
}

impl From<RecordId> for String {
    fn from(id: RecordId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_variant_are_those_of_the_rfc_and_the_text_comes_back() {
        for offset in 0..64 {
            let id = RecordId::derive("sward-00000001.warc.gz", offset, "WARC-Type: request\r\n");
            let text = id.to_string();
            assert_eq!(text.as_bytes().get(23), Some(&b'8'), "{text}");
            assert!(matches!(text.as_bytes().get(28), Some(b'8' | b'9' | b'a' | b'b')), "{text}");
            assert_eq!(text.parse(), Ok(id));
        }
    }

    #[test]
    fn place_and_contents_tell_records_apart() {
        let id = RecordId::derive("a", 1, "x");
        for (segment, offset, fields) in [("b", 1, "x"), ("a", 2, "x"), ("a", 1, "y")] {
            assert_ne!(RecordId::derive(segment, offset, fields), id);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let dashes_off = "urn:uuid:4ddf708ca6f3-44b9-a607-2bd43c1d-948d";
        for text in ["", "urn:uuid:", "4ddf708c-a6f3-44b9-a607-2bd43c1d948d", dashes_off] {
            assert!(text.parse::<RecordId>().is_err(), "{text}");
        }
        assert!("urn:uuid:4DDF708C-a6f3-44b9-a607-2bd43c1d948d".parse::<RecordId>().is_ok());
    }
}
