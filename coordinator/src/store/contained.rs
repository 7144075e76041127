//! Calls into sled, with whatever goes wrong in them as a `StoreError`.
//!
//! Decides what a failure of sled means. sled 0.34 asserts where it could return an error, so panics are caught as
//! well: of 8,500 copies of an index that were cut, blanked or had bits flipped, a third made it panic on opening,
//! always in the calling thread, and none made it hang or abort. That needs a build with `panic = "unwind"`. The panic
//! hook is left alone, so that a log still shows where it was. A panic in one of sled's own threads could not be caught
//! here, and would leave a commit waiting.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use sward_coordinator_core::store::StoreError;

/// Runs `call`, which does what `doing` says.
///
/// # Errors
/// [`StoreError::Damaged`] for a panic and for what sled takes for corruption, else as [`from_io`].
pub(super) fn contained<T>(
    doing: &str,
    call: impl FnOnce() -> ::sled::Result<T>,
) -> Result<T, StoreError> {
    // Nothing that a panic left half done is used again: the owner fails for good, see `SledStore`.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(from_sled(doing, error)),
        Err(panic) => {
            Err(StoreError::Damaged(format!("{doing}: sled panicked: {}", said(&*panic))))
        }
    }
}

/// What a failure of the disk means for an index.
pub(super) fn from_io(doing: &str, error: &io::Error) -> StoreError {
    let kind = error.kind();
    let what = format!("{doing}: {error}");
    if [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded].contains(&kind) {
        StoreError::Full(what)
    } else if [io::ErrorKind::UnexpectedEof, io::ErrorKind::InvalidData, io::ErrorKind::NotFound]
        .contains(&kind)
    {
        StoreError::Damaged(what) // a file of the index is shorter than it was, or gone
    } else {
        StoreError::Io(what)
    }
}

fn from_sled(doing: &str, error: ::sled::Error) -> StoreError {
    match error {
        ::sled::Error::Io(error) => from_io(doing, &error),
        // An unsupported setting is one that this code never wrote, so the file it was read from is not ours any more.
        ::sled::Error::Corruption { .. }
        | ::sled::Error::CollectionNotFound(_)
        | ::sled::Error::Unsupported(_)
        | ::sled::Error::ReportableBug(_) => StoreError::Damaged(format!("{doing}: {error}")),
    }
}

/// The message of a panic, where it is a string.
fn said(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&'static str>().copied();
    literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_meaning() {
        let of = |kind: io::ErrorKind| {
            contained::<()>("reading", || Err(::sled::Error::Io(kind.into()))).expect_err("failed")
        };
        assert!(matches!(of(io::ErrorKind::StorageFull), StoreError::Full(_)));
        assert!(matches!(of(io::ErrorKind::QuotaExceeded), StoreError::Full(_)));
        assert!(matches!(of(io::ErrorKind::UnexpectedEof), StoreError::Damaged(_)));
        assert!(matches!(of(io::ErrorKind::PermissionDenied), StoreError::Io(_)));
        let damaged =
            contained::<()>("reading", || Err(::sled::Error::Corruption { at: None, bt: () }));
        assert!(matches!(damaged, Err(StoreError::Damaged(_))));
    }

    #[test]
    fn a_panic_is_damage_with_its_message() {
        let panicked = contained::<()>("reading", || std::panic::panic_any(String::from("torn")));
        let damage = StoreError::Damaged("reading: sled panicked: torn".to_owned());
        assert_eq!(panicked, Err(damage));
    }
}
