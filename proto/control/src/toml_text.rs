//! Files that a person wrote: what is wrong with them, in one line.

use anyhow::{Result, anyhow};
use serde::de::DeserializeOwned;

/// Reads a TOML text. Its parser's own message draws the place over several lines; a log wants one.
///
/// # Errors
/// The line, counted from 1, and what is wrong there.
pub fn read_toml<T: DeserializeOwned>(text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let message = error.message().trim().replace('\n', "; ");
        anyhow!("line {line}: {message}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_one_line_with_its_place() {
        let error = read_toml::<std::collections::BTreeMap<String, u8>>("a = 1\nb = \"x\"\n");
        let error = error.expect_err("no number").to_string();
        assert!(error.starts_with("line 2: ") && !error.contains('\n'), "{error}");
    }
}
