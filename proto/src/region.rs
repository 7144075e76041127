//! From which part of the world a page was seen.
//!
//! Decides the form of a region's label: the ISO 3166-1 code of a country, two capital letters. A country and not a
//! continent: prices, laws and notices follow borders, so that agents of one continent need not see one page. Never decides
//! where an address is; the operator's file does.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region([u8; 2]);

/// Why a text is no region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no country: give its ISO 3166-1 code, two capital letters")]
pub struct RegionError(String);

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, RegionError> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self([*a, *b])),
            _ => Err(RegionError(text.chars().take(16).collect())),
        }
    }
}

impl TryFrom<String> for Region {
    type Error = RegionError;

    fn try_from(text: String) -> Result<Self, RegionError> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.to_string()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([a, b]) = *self;
        write!(f, "{}{}", char::from(a), char::from(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_capital_letters_and_nothing_else() {
        let region: Region = "DE".parse().expect("a region");
        assert_eq!(region.to_string(), "DE");
        assert_eq!(serde_json::to_string(&region).expect("json"), "\"DE\"");
        for bad in ["", "D", "de", "DEU", "D1", "Ä", "\u{1F1E9}"] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
            assert!(serde_json::from_value::<Region>(bad.into()).is_err(), "{bad}");
        }
    }
}
