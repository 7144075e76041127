//! How long each kind of field may be, and the one error for all that is out of bounds.
//!
//! Decides limits only; a value within them may still be refused by what it means.

use crate::canonical_url::CanonicalUrl;
use crate::digest::Digest;
use crate::ids::LeaseToken;

/// Leases, reveals or answers in one message.
pub const MAX_BATCH: usize = 64;
/// Redirect hops: five, RFC 9309 section 2.3.1.2 for robots.txt, the same for pages.
pub const MAX_HOPS: usize = 5;
/// Header names in an attestation.
pub const MAX_HEADERS: usize = 128;
/// Links of one page.
pub const MAX_LINKS: usize = 4096;
/// All links of one page together, in bytes.
pub const MAX_LINKS_BYTES: usize = 512 << 10;
/// A request or response head, in bytes.
pub const MAX_HEAD_BYTES: usize = 64 << 10;
/// The body of a redirect hop that is kept, in bytes.
pub const MAX_HOP_BODY_BYTES: usize = 8 << 10;
/// One upload chunk, in bytes.
pub const MAX_CHUNK_BYTES: usize = 64 << 10;
/// A receipt note or a tariff, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 16 << 10;
/// A short text: a name, a code, a media type.
pub const MAX_TEXT_BYTES: usize = 256;
/// An encoded attestation, in bytes.
pub const MAX_ATTESTATION_BYTES: usize = 64 << 10;

/// A message that does not keep to the wire's form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not protobuf at all, or of another schema.
    #[error("not a {message}: {cause}")]
    Malformed {
        /// The message that was expected.
        message: &'static str,
        /// What the decoder said.
        cause: String,
    },
    /// Another protocol version.
    #[error("version {got} is not spoken here, only {}", super::WIRE_VERSION)]
    Version {
        /// The version of the frame.
        got: u32,
    },
    /// A request that this version does not know.
    #[error("no request that this version knows")]
    UnknownRequest,
    /// A field past its bound.
    #[error("field {field} has {got} bytes or items, at most {max} are taken")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Its length.
        got: usize,
        /// The bound.
        max: usize,
    },
    /// A field that does not parse.
    #[error("field {field}: {cause}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Why.
        cause: String,
    },
}

impl WireError {
    /// A field that does not parse, with the reason that its type gave.
    pub fn invalid(field: &'static str, cause: impl ToString) -> Self {
        Self::Invalid { field, cause: cause.to_string() }
    }
}

/// At most `max` items or bytes.
pub(crate) fn at_most(field: &'static str, got: usize, max: usize) -> Result<(), WireError> {
    if got > max { Err(WireError::TooLong { field, got, max }) } else { Ok(()) }
}

/// A text of at most `max` bytes without control characters (line feeds only where `max` says document).
pub(crate) fn text(field: &'static str, value: String, max: usize) -> Result<String, WireError> {
    at_most(field, value.len(), max)?;
    if max <= MAX_TEXT_BYTES && value.chars().any(char::is_control) {
        return Err(WireError::invalid(field, "control character"));
    }
    Ok(value)
}

pub(crate) fn url(field: &'static str, value: &str) -> Result<CanonicalUrl, WireError> {
    value.parse().map_err(|error| WireError::invalid(field, error))
}

pub(crate) fn digest(field: &'static str, value: &[u8]) -> Result<Digest, WireError> {
    Digest::from_slice(value).map_err(|error| WireError::invalid(field, error))
}

pub(crate) fn optional_digest(
    field: &'static str,
    value: &[u8],
) -> Result<Option<Digest>, WireError> {
    if value.is_empty() { Ok(None) } else { digest(field, value).map(Some) }
}

pub(crate) fn token(field: &'static str, value: &[u8]) -> Result<LeaseToken, WireError> {
    LeaseToken::from_slice(value).map_err(|error| WireError::invalid(field, error))
}

pub(crate) fn tokens(
    field: &'static str,
    values: &[Vec<u8>],
) -> Result<Vec<LeaseToken>, WireError> {
    at_most(field, values.len(), MAX_BATCH)?;
    values.iter().map(|value| token(field, value)).collect()
}

/// A number that fits in 16 bits.
pub(crate) fn small(field: &'static str, value: u32) -> Result<u16, WireError> {
    u16::try_from(value).map_err(|_| WireError::invalid(field, value))
}
