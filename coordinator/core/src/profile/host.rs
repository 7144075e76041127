//! The profiles of one host.
//!
//! Decides which template a URL counts under, with a bound on how many a host has. Held in memory with its host, and so
//! bounded as hosts are.

use super::known::Known;
use super::learnt::Profile;
use super::lesson::Lesson;
use super::remembered::Remembered;
use super::template::Template;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::ids::PeerId;
use sward_proto::timestamp::Timestamp;

/// Templates of one host, besides the one for all others.
pub const TEMPLATES: usize = 16;

/// What is known of a host's pages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HostProfile {
    templates: BTreeMap<Template, Profile>,
    /// URLs whose stable blocks are kept.
    pub remembered: Remembered,
}

impl HostProfile {
    /// A host of which nothing is known.
    pub const fn new() -> Self {
        Self { templates: BTreeMap::new(), remembered: Remembered::new() }
    }

    /// The templates, in order.
    pub fn templates(&self) -> impl Iterator<Item = (&Template, &Profile)> {
        self.templates.iter()
    }

    /// What is known of a page, but for its blocks. `is_caught` says which agents were.
    #[must_use]
    pub fn known(
        &self,
        url: &CanonicalUrl,
        now: Timestamp,
        is_caught: impl Fn(&PeerId) -> bool,
    ) -> Known {
        let template = Template::of(url);
        let profile = self.templates.get(&template);
        let profile = profile.or_else(|| self.templates.get(&Template::others()));
        profile.map_or(Known::NOTHING, |profile| Known {
            volatility: profile.volatility(now, is_caught),
            is_new: profile.is_new(now),
            jaccard: profile.jaccard(now),
            stable: Vec::new(),
        })
    }

    /// Takes in what a settlement teaches of a page. Where a host has too many templates, one that is forgotten gives way,
    /// and else the page counts under the one for all others.
    pub fn learn(&mut self, url: &CanonicalUrl, lesson: &Lesson, now: Timestamp) {
        let mut template = Template::of(url);
        if !self.templates.contains_key(&template) && self.templates.len() >= TEMPLATES {
            self.templates.retain(|_, profile| !profile.is_forgotten(now));
            if self.templates.len() >= TEMPLATES {
                template = Template::others();
            }
        }
        let profile = self.templates.entry(template).or_insert_with(|| Profile::new(now));
        profile.learn(lesson, now);
    }
}
