//! Pages whose copies were not equal, and whether one group may be behind them all.
//!
//! Decides how many of them show that a page varies. A liar can make any page that it has a part in look so, by a copy that
//! is all but equal; but then it is in all of them, and whoever leaves it out finds equal copies.

use serde::{Deserialize, Serialize};

/// Groups that are counted.
const MOST: usize = 16;

/// Pages that were not equal to all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Unlike {
    /// Those that no one group explains.
    shown: u16,
    /// The others.
    doubtful: u16,
    /// How many of these each group explains.
    groups: Vec<(u32, u16)>,
}

impl Unlike {
    /// Adds a page; each of `suspects` explains it.
    pub(super) fn add(&mut self, suspects: &[u32]) {
        let known = self.groups.iter().any(|(group, _)| suspects.contains(group));
        if suspects.is_empty() || (!known && self.groups.len() >= MOST) {
            self.shown = self.shown.saturating_add(1);
            return;
        }
        self.doubtful = self.doubtful.saturating_add(1);
        for suspect in suspects {
            let room = self.groups.len() < MOST;
            match self.groups.iter_mut().find(|(group, _)| group == suspect) {
                Some((_, count)) => *count = count.saturating_add(1),
                None if room => self.groups.push((*suspect, 1)),
                None => {}
            }
        }
    }

    /// Pages that remain when all of the one group are left out that explains most.
    pub(super) fn unexplained(&self) -> u32 {
        let most = self.groups.iter().map(|(_, count)| *count).max().unwrap_or_default();
        u32::from(self.shown) + u32::from(self.doubtful.saturating_sub(most))
    }

    /// Half of it.
    pub(super) fn halve(&mut self) {
        self.shown /= 2;
        self.doubtful /= 2;
        self.groups.iter_mut().for_each(|(_, count)| *count /= 2);
        self.groups.retain(|(_, count)| *count > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_group_with_ever_other_partners_explains_all_of_its_pages() {
        let mut unlike = Unlike::default();
        (0..200).for_each(|n| unlike.add(&[7, 100 + n % 40]));
        assert_eq!(unlike.unexplained(), 0);
        unlike.halve();
        assert_eq!(unlike.unexplained(), 0);
        unlike.add(&[]);
        assert_eq!(unlike.unexplained(), 1);
    }

    #[test]
    fn a_few_honest_groups_in_turn_do_not_explain_a_page_that_varies() {
        let mut unlike = Unlike::default();
        (0..90).for_each(|n: u32| unlike.add(&[n % 3, (n + 1) % 3]));
        assert_eq!(unlike.unexplained(), 30);
    }
}
