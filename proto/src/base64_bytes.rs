//! Serde for byte strings: standard base64 where people read it, bytes where machines do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

/// For `#[serde(with = "sward_proto::base64_bytes")]`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(
    bytes: &impl AsRef<[u8]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&STANDARD.encode(bytes))
    } else {
        bytes.as_ref().serialize(serializer)
    }
}

/// For `#[serde(with = "sward_proto::base64_bytes")]`.
///
/// # Errors
/// A text that is not base64, or the wrong number of bytes.
pub fn deserialize<'de, T: TryFrom<Vec<u8>>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let bytes = if deserializer.is_human_readable() {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)?
    } else {
        Vec::deserialize(deserializer)?
    };
    T::try_from(bytes).map_err(|_| D::Error::custom("wrong number of bytes"))
}
