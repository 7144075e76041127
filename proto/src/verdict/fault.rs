//! What is wrong with a published verdict, and where.

use crate::verdict::OpenedResult;

/// One thing in which a verdict is not what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Fault {
    /// The field, as a path from the bundle's top.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

/// All that was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, field: impl Into<String>, reason: impl ToString) {
        self.0.push(Fault { field: field.into(), reason: reason.to_string() });
    }

    /// Adds the fault of one result's field.
    pub(super) fn of_result(&mut self, index: usize, field: &str, reason: impl ToString) {
        self.add(format!("case.results[{index}].{field}"), reason);
    }

    /// Adds a fault where a value is not what it has to be.
    pub(super) fn unequal<T: PartialEq + std::fmt::Debug>(
        &mut self,
        field: &str,
        stated: &T,
        computed: &T,
    ) {
        if stated != computed {
            self.add(field, format!("{stated:?} is stated, {computed:?} follows"));
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_vec(self) -> Vec<Fault> {
        self.0
    }
}

/// Runs a check over every result, with its index.
pub(super) fn each(results: &[OpenedResult], mut check: impl FnMut(usize, &OpenedResult)) {
    results.iter().enumerate().for_each(|(index, result)| check(index, result));
}
