//! What a page is worth: the published price list that turns counts into credit.
//!
//! Decides how a tariff is written, its bounds and its hash, and multiplies. Never decides which
//! class a page belongs to: that is the verdict's business.

use crate::digest::Digest;
use serde::{Deserialize, Serialize};

/// The only form of tariff so far.
const SCHEMA: u32 = 1;
/// A price list is read by people; more than this is none.
const MAX_TEXT_BYTES: usize = crate::wire::bounds::MAX_DOCUMENT_BYTES;
/// The dearest page: a million units. Keeps any credible count of pages far from overflow.
const MAX_PRICE: u64 = 1_000_000_000_000;
/// Credit is final a year after it was earned at the latest.
const MAX_HOLD_SECONDS: u64 = 366 * 86_400;
/// An epoch lasts from a second, for demonstrations, up to 31 days.
const EPOCH_SECONDS: std::ops::RangeInclusive<u64> = 1..=31 * 86_400;

/// Why a text is no tariff, or a tariff gives no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TariffError {
    /// Too long to be read by anybody.
    #[error("tariff of {0} bytes is longer than {MAX_TEXT_BYTES}, shorten it")]
    TooLong(usize),
    /// Not TOML, or not the keys that a tariff has.
    #[error("not a tariff: line {line}: {reason}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// What the TOML parser says.
        reason: String,
    },
    /// Written for other software.
    #[error("tariff schema {0} is unknown, this software reads schema {SCHEMA}")]
    Schema(u32),
    /// A value that is out of its bounds.
    #[error("tariff {key} is {found}, set it to {allowed}")]
    OutOfBounds {
        /// The key as the document writes it.
        key: &'static str,
        /// The value found.
        found: String,
        /// What would be right.
        allowed: String,
    },
    /// The product does not fit into 64 bits.
    #[error("{count} pages at {price} micro-units overflow, credit them in smaller batches")]
    Overflow {
        /// Micro-units a page.
        price: u64,
        /// How many pages.
        count: u64,
    },
}

/// What kind of work a page was, for credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditClass {
    /// A page that agreed with what independent agents saw.
    Accepted,
    /// Agreed to be absent: 404, 410 and their like.
    ConfirmedAbsent,
    /// Not fetched, since robots.txt forbids it; agreed.
    Robots,
    /// Leads to another host; agreed.
    Redirect,
}

/// A price list, identified by the hash of its exact text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tariff {
    document: Document,
    hash: Digest,
}

impl Tariff {
    /// Reads a TOML document; the sample in `deploy/tariff.toml` shows every key.
    ///
    /// # Errors
    /// [`TariffError`] for unknown or missing keys and values out of bounds.
    pub fn parse(text: &str) -> Result<Self, TariffError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(TariffError::TooLong(text.len()));
        }
        let document: Document = toml::from_str(text).map_err(|error| TariffError::Syntax {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            reason: error.message().to_owned(),
        })?;
        document.check()?;
        Ok(Self { document, hash: Digest::of(text.as_bytes()) })
    }

    /// SHA-256 of the exact bytes of the document, as receipts carry it.
    #[must_use]
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    /// What people call this price list.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.document.name
    }

    /// What one million micro-units are called.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.document.currency
    }

    /// Seconds for which credit is pending before it is final.
    #[must_use]
    pub const fn hold_seconds(&self) -> u64 {
        self.document.hold_seconds
    }

    /// Seconds of one epoch, at whose end receipts are logged.
    #[must_use]
    pub const fn epoch_seconds(&self) -> u64 {
        self.document.epoch_seconds
    }

    /// Micro-units for `count` pages of a class.
    ///
    /// # Errors
    /// [`TariffError::Overflow`] where the product does not fit into 64 bits.
    pub fn credit(&self, class: CreditClass, count: u64) -> Result<u64, TariffError> {
        let page = &self.document.page;
        let price = match class {
            CreditClass::Accepted => page.accepted,
            CreditClass::ConfirmedAbsent => page.confirmed_absent,
            CreditClass::Robots => page.robots,
            CreditClass::Redirect => page.redirect,
        };
        price.checked_mul(count).ok_or(TariffError::Overflow { price, count })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: u32,
    name: String,
    currency: String,
    hold_seconds: u64,
    epoch_seconds: u64,
    page: Prices,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prices {
    accepted: u64,
    confirmed_absent: u64,
    robots: u64,
    redirect: u64,
}

impl Document {
    fn check(&self) -> Result<(), TariffError> {
        if self.schema != SCHEMA {
            return Err(TariffError::Schema(self.schema));
        }
        words("name", &self.name)?;
        words("currency", &self.currency)?;
        within("hold_seconds", self.hold_seconds, 0..=MAX_HOLD_SECONDS)?;
        within("epoch_seconds", self.epoch_seconds, EPOCH_SECONDS)?;
        within("page.accepted", self.page.accepted, 0..=MAX_PRICE)?;
        within("page.confirmed_absent", self.page.confirmed_absent, 0..=MAX_PRICE)?;
        within("page.robots", self.page.robots, 0..=MAX_PRICE)?;
        within("page.redirect", self.page.redirect, 0..=MAX_PRICE)
    }
}

fn within(
    key: &'static str,
    value: u64,
    bounds: std::ops::RangeInclusive<u64>,
) -> Result<(), TariffError> {
    if bounds.contains(&value) {
        return Ok(());
    }
    let allowed = format!("{} to {}", bounds.start(), bounds.end());
    Err(TariffError::OutOfBounds { key, found: value.to_string(), allowed })
}

fn words(key: &'static str, text: &str) -> Result<(), TariffError> {
    let plain = |c: char| c.is_ascii_graphic() || c == ' ';
    if (1..=64).contains(&text.len()) && text.chars().all(plain) {
        return Ok(());
    }
    let found = format!("{:?}", text.chars().take(64).collect::<String>());
    Err(TariffError::OutOfBounds {
        key,
        found,
        allowed: "1 to 64 printable ascii characters".into(),
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../deploy/tariff.toml");

    #[test]
    fn the_sample_is_a_tariff() {
        let tariff = Tariff::parse(SAMPLE).expect("deploy/tariff.toml");
        assert_eq!(tariff.hash(), Digest::of(SAMPLE.as_bytes()));
        assert_eq!((tariff.hold_seconds(), tariff.epoch_seconds()), (604_800, 86_400));
        assert_eq!((tariff.name(), tariff.currency()), ("sward sample tariff", "credit"));
        let of_ten = [
            CreditClass::Accepted,
            CreditClass::ConfirmedAbsent,
            CreditClass::Robots,
            CreditClass::Redirect,
        ]
        .map(|class| tariff.credit(class, 10));
        assert_eq!(of_ten, [Ok(10_000), Ok(3_000), Ok(1_000), Ok(2_000)]);
    }

    #[test]
    fn a_comment_changes_the_hash_and_nothing_else() {
        let noted = Tariff::parse(&format!("{SAMPLE}# noted\n")).expect("still a tariff");
        let plain = Tariff::parse(SAMPLE).expect("deploy/tariff.toml");
        assert_ne!(noted.hash(), plain.hash());
        assert_eq!(noted.document, plain.document);
    }

    #[test]
    fn credit_that_overflows_is_refused() {
        let tariff = Tariff::parse(SAMPLE).expect("deploy/tariff.toml");
        let refused = tariff.credit(CreditClass::Accepted, u64::MAX);
        assert_eq!(refused, Err(TariffError::Overflow { price: 1_000, count: u64::MAX }));
    }

    #[test]
    fn unknown_and_missing_keys_and_values_out_of_bounds_are_refused() {
        let with = |from: &str, to: &str| {
            assert!(SAMPLE.contains(from), "the sample has {from}");
            Tariff::parse(&SAMPLE.replacen(from, to, 1)).expect_err(to)
        };
        let syntax = |error| matches!(error, TariffError::Syntax { .. });
        assert!(syntax(with("robots = ", "robot = ")));
        assert!(syntax(with("redirect = 200\n", "")));
        assert!(syntax(with("redirect = 200\n", "redirect = 200\nbonus = 1\n")));
        assert!(syntax(with("redirect = 200", "redirect = -200")));
        assert!(syntax(with("redirect = 200", "redirect = 0.2")));
        assert_eq!(with("schema = 1", "schema = 2"), TariffError::Schema(2));
        let key = |error: TariffError| {
            let TariffError::OutOfBounds { key, .. } = error else { panic!("{error}") };
            key
        };
        assert_eq!(key(with("epoch_seconds = 86400", "epoch_seconds = 0")), "epoch_seconds");
        assert_eq!(key(with("hold_seconds = 604800", "hold_seconds = 31622401")), "hold_seconds");
        assert_eq!(key(with("redirect = 200", "redirect = 1000000000001")), "page.redirect");
        assert_eq!(key(with("sward sample tariff", "")), "name");
        assert_eq!(key(with("\"credit\"", "\"\\u001b[31m\"")), "currency");
        let long = format!("{SAMPLE}#{}", "x".repeat(MAX_TEXT_BYTES));
        assert_eq!(Tariff::parse(&long), Err(TariffError::TooLong(long.len())));
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let refused = Tariff::parse("schema = 1\nname = \n").expect_err("no value");
        assert!(matches!(refused, TariffError::Syntax { line: 2, .. }), "{refused}");
    }
}
