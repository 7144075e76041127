//! What is known of the pages of one template.
//!
//! Decides their class of volatility from counts of settled pages, which are halved now and then, so that a site that
//! changes its ways is learnt anew. Never counts what one group alone says.

use super::bands::Bands;
use super::lesson::{Lesson, Seen};
use super::unlike::Unlike;
use crate::trust::evidence::Volatility;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use sward_proto::ids::PeerId;
use sward_proto::timestamp::Timestamp;

/// Settled pages before a template counts as known. With fewer it is noisy, whatever they were.
const LEAST_PAGES: u32 = 20;
/// Settled pages before a template may be static, the class in which two differences convict. With none that differs the
/// true share of those that do is below 6 % (rule of three); that it is far lower is the assumption of
/// [`crate::trust::evidence::honest_rate`].
const LEAST_STATIC: u32 = 50;
/// With so many settled pages all counts are halved.
const MEMORY: u32 = 256;
/// Distinct agents, none of them caught since, whose differences keep a template from being static: a page that serves
/// several variants shows itself so, where one agent that differs shows nothing.
const DISSENTERS: usize = 3;
/// Dissenters that are remembered, the newest.
const REMEMBERED_DISSENTERS: usize = 8;
/// A template of which nothing was learnt for this long is unknown again.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(60 * 24);

/// What the settled pages of a template were like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Agreed on by equal bodies.
    identical: u16,
    /// By equal canonical digests.
    canonical: u16,
    /// In all stable blocks.
    stable: u16,
    /// Nearly.
    near: u16,
    /// Of the last two, those with less than half of their blocks attested.
    moving: u16,
    /// Nobody with anybody.
    apart: u16,
    /// Those that were agreed on by less than equal content.
    unlike: Unlike,
    bands: Bands,
    /// Who was contradicted since the counts were last halved.
    dissenters: Vec<PeerId>,
    /// When something was last learnt.
    at: Timestamp,
}

impl Profile {
    /// Of a template of which nothing is known.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            identical: 0,
            canonical: 0,
            stable: 0,
            near: 0,
            moving: 0,
            apart: 0,
            unlike: Unlike::default(),
            bands: Bands::default(),
            dissenters: Vec::new(),
            at: now,
        }
    }

    /// Takes in what one settlement teaches.
    pub fn learn(&mut self, lesson: &Lesson, now: Timestamp) {
        if self.is_forgotten(now) {
            *self = Self::new(now);
        }
        self.at = self.at.max(now);
        let count = match lesson.seen {
            Seen::Identical => &mut self.identical,
            Seen::Canonical => &mut self.canonical,
            Seen::Stable => &mut self.stable,
            Seen::Near => &mut self.near,
            Seen::Apart => &mut self.apart,
        };
        *count = count.saturating_add(1);
        self.moving = self.moving.saturating_add(u16::from(lesson.moving));
        if !matches!(lesson.seen, Seen::Identical | Seen::Canonical) {
            self.unlike.add(&lesson.suspects);
        }
        for (figure, groups) in &lesson.figures {
            self.bands.add(*figure, *groups);
        }
        self.dissenters.retain(|known| !lesson.dissenters.contains(known));
        self.dissenters.extend(&lesson.dissenters);
        let over = self.dissenters.len().saturating_sub(REMEMBERED_DISSENTERS);
        self.dissenters.drain(..over);
        if self.pages() >= MEMORY {
            self.halve();
        }
    }

    fn halve(&mut self) {
        for count in [
            &mut self.identical,
            &mut self.canonical,
            &mut self.stable,
            &mut self.near,
            &mut self.moving,
            &mut self.apart,
        ] {
            *count /= 2;
        }
        self.unlike.halve();
        self.dissenters.clear();
    }

    /// Settled pages that count.
    #[must_use]
    pub fn pages(&self) -> u32 {
        let all = [self.identical, self.canonical, self.stable, self.near, self.apart];
        all.into_iter().map(u32::from).sum()
    }

    /// Whether nothing was learnt for so long that it is unknown again.
    #[must_use]
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        now.since(self.at) > FORGOTTEN_AFTER
    }

    /// Whether too little is known for any class but the first guess.
    #[must_use]
    pub fn is_new(&self, now: Timestamp) -> bool {
        self.is_forgotten(now) || self.pages() < LEAST_PAGES
    }

    /// The class that follows: personalised where half of the pages were seen by nobody twice; rolling where a quarter
    /// has less than half of its blocks in common, or none; static where all but one in a hundred were equal, not counting
    /// what one group alone may have brought about, and few differed from what others agreed on; else noisy. `is_caught`
    /// says who was caught since it differed.
    #[must_use]
    pub fn volatility(&self, now: Timestamp, is_caught: impl Fn(&PeerId) -> bool) -> Volatility {
        let pages = self.pages();
        if self.is_new(now) {
            return Volatility::Noisy;
        }
        let (apart, moving) = (u32::from(self.apart), u32::from(self.moving));
        let unlike = self.unlike.unexplained();
        let honest = self.dissenters.iter().filter(|agent| !is_caught(agent)).count();
        match () {
            () if 2 * apart >= pages => Volatility::Personalised,
            () if 4 * (apart + moving) >= pages => Volatility::Rolling,
            () if pages >= LEAST_STATIC
                && unlike <= (pages / 100).max(1)
                && honest < DISSENTERS =>
            {
                Volatility::Static
            }
            () => Volatility::Noisy,
        }
    }

    /// The least Jaccard figure that is near enough, in thousandths; `None` while too few are known.
    #[must_use]
    pub fn jaccard(&self, now: Timestamp) -> Option<u16> {
        self.bands.threshold().filter(|_| !self.is_forgotten(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::ZERO;

    fn lesson(seen: Seen, moving: bool) -> Lesson {
        let suspects = Vec::new(); // as where three saw three versions
        Lesson { seen, moving, suspects, figures: Vec::new(), dissenters: Vec::new() }
    }

    fn peer(n: u8) -> PeerId {
        let key = ed25519_dalek::SigningKey::from_bytes(&[n; 32]).verifying_key();
        PeerId::from_public_key(key.to_bytes()).expect("a key")
    }

    fn after(lessons: impl IntoIterator<Item = (u32, Lesson)>) -> Profile {
        let mut profile = Profile::new(NOW);
        for (times, lesson) in lessons {
            (0..times).for_each(|_| profile.learn(&lesson, NOW));
        }
        profile
    }

    fn class(profile: &Profile) -> Volatility {
        profile.volatility(NOW, |_| false)
    }

    #[test]
    fn each_class_takes_its_least_count() {
        let equal = || lesson(Seen::Canonical, false);
        let (near, moving) = (lesson(Seen::Near, false), lesson(Seen::Near, true));
        let apart = lesson(Seen::Apart, false);
        for (pages, wanted) in [
            (vec![(LEAST_STATIC - 1, equal())], Volatility::Noisy),
            (vec![(LEAST_STATIC, equal())], Volatility::Static),
            (vec![(LEAST_STATIC, equal()), (1, near.clone())], Volatility::Static),
            (vec![(LEAST_STATIC, equal()), (2, near.clone())], Volatility::Noisy),
            (vec![(200, equal()), (2, near.clone())], Volatility::Static),
            (vec![(LEAST_PAGES - 1, apart.clone())], Volatility::Noisy),
            (vec![(LEAST_PAGES, apart.clone())], Volatility::Personalised),
            (vec![(15, equal()), (5, moving.clone())], Volatility::Rolling),
            (vec![(16, equal()), (4, moving)], Volatility::Noisy),
            (vec![(40, near)], Volatility::Noisy),
            (vec![(30, equal()), (10, apart)], Volatility::Rolling),
        ] {
            assert_eq!(class(&after(pages.clone())), wanted, "{pages:?}");
        }
    }

    #[test]
    fn a_template_that_some_see_otherwise_is_not_static_unless_they_lied() {
        let mut profile = after([(100, lesson(Seen::Identical, false))]);
        let differs =
            |n: &u8| Lesson { dissenters: vec![peer(*n)], ..lesson(Seen::Identical, false) };
        for n in [1, 1, 1, 2, 2, 1] {
            profile.learn(&differs(&n), NOW);
        }
        assert_eq!(class(&profile), Volatility::Static, "two agents, however often");
        profile.learn(&differs(&3), NOW);
        assert_eq!(class(&profile), Volatility::Noisy);
        assert_eq!(profile.volatility(NOW, |agent| *agent == peer(1)), Volatility::Static);
    }

    #[test]
    fn what_is_long_ago_is_unknown() {
        let profile = after([(100, lesson(Seen::Identical, false))]);
        let late = NOW + FORGOTTEN_AFTER + Duration::from_secs(1);
        assert!(profile.is_new(late) && !profile.is_new(NOW));
        assert_eq!(profile.volatility(late, |_| false), Volatility::Noisy);
        let mut again = profile;
        again.learn(&lesson(Seen::Near, false), late);
        assert_eq!(again.pages(), 1);
    }

    proptest! {
        /// Whatever a site was, a few hundred pages of another kind make it that.
        #[test]
        fn a_site_that_changes_its_ways_is_learnt_anew(
            before in proptest::collection::vec(0usize..4, 0..600),
            then in 0usize..4,
        ) {
            let kinds = [
                (lesson(Seen::Identical, false), Volatility::Static),
                (lesson(Seen::Near, false), Volatility::Noisy),
                (lesson(Seen::Near, true), Volatility::Rolling),
                (lesson(Seen::Apart, false), Volatility::Personalised),
            ];
            let mut profile = Profile::new(NOW);
            for kind in before {
                profile.learn(&kinds[kind].0, NOW);
            }
            for _ in 0..8 * MEMORY {
                profile.learn(&kinds[then].0, NOW);
            }
            prop_assert_eq!(class(&profile), kinds[then].1);
        }

        /// Against plain counts, before anything is forgotten.
        #[test]
        fn it_counts_as_a_plain_model_does(pages in proptest::collection::vec((0usize..5, any::<bool>()), 0..256)) {
            let kinds = [Seen::Identical, Seen::Canonical, Seen::Stable, Seen::Near, Seen::Apart];
            let (mut profile, mut counts, mut moved) = (Profile::new(NOW), [0f64; 5], 0f64);
            for (kind, moving) in &pages {
                let moving = *moving && matches!(kind, 2 | 3);
                profile.learn(&lesson(kinds[*kind], moving), NOW);
                counts[*kind] += 1.0;
                moved += f64::from(u8::from(moving));
            }
            let all: f64 = counts.iter().sum();
            prop_assume!(all < f64::from(MEMORY));
            let share = |part: f64| part / all.max(1.0);
            let wanted = match () {
                () if all < 20.0 => Volatility::Noisy,
                () if share(counts[4]) >= 0.5 => Volatility::Personalised,
                () if share(counts[4] + moved) >= 0.25 => Volatility::Rolling,
                () if all >= 50.0 && counts[2] + counts[3] + counts[4] <= (0.01 * all).floor().max(1.0) => {
                    Volatility::Static
                }
                () => Volatility::Noisy,
            };
            prop_assert_eq!(class(&profile), wanted);
        }
    }
}
