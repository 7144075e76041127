//! What a job asks for.
//!
//! Decides which specifications are sound and which URLs lie in scope. Never decides when a URL is fetched.

use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_proto::ids::JobName;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// URLs are leased.
    Running,
    /// Nothing is leased until it is resumed; what is in hand is finished.
    Paused,
    /// Given up by its owner; what was accepted stays.
    Cancelled,
    /// Every URL has an outcome, or a limit was reached.
    Done,
}

impl JobState {
    /// The word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
            Self::Done => "done",
        }
    }

    /// Whether nothing will change any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Done)
    }
}

/// A job as submitted: a TOML file or flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// Its name, unique in a coordinator.
    pub name: JobName,
    /// Where to begin.
    pub seeds: Vec<CanonicalUrl>,
    /// Why, shown to every owner whose agent takes part.
    pub purpose: String,
    /// The category that owners may veto.
    #[serde(default = "general")]
    pub category: String,
    /// Which links are followed.
    #[serde(default)]
    pub scope: Scope,
    /// When to stop.
    #[serde(default)]
    pub limits: Limits,
    /// Higher goes first on a host: 0 to 9.
    #[serde(default = "middle")]
    pub priority: u8,
    /// How often a page is fetched.
    #[serde(default)]
    pub replication: Replication,
    /// Drops known tracking parameters from every URL.
    #[serde(default)]
    pub strip_tracking: bool,
    /// Media types that are read; others end as `policy`.
    #[serde(default = "html")]
    pub media_types: Vec<String>,
}

fn general() -> String {
    "general".to_owned()
}

const fn middle() -> u8 {
    5
}

fn html() -> Vec<String> {
    ["text/html", "application/xhtml+xml"].map(str::to_owned).to_vec()
}

/// How often a job's pages are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replication {
    /// Each by independent agents: nothing rests on one agent's word.
    #[default]
    Full,
    /// Those of agents that have proved themselves once, and again where they are drawn for an audit afterwards. Costs
    /// about half of the fetches; a forgery may stand until its agent is caught, and is then taken back.
    Audited,
}

/// Which URLs belong to a job. A URL must pass every part that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// Hosts, each with all names under it. Where neither hosts nor prefixes are given: the seeds' own hosts.
    pub hosts: Vec<String>,
    /// Beginnings of URLs, of which one must match.
    pub prefixes: Vec<String>,
    /// Regular expressions, of which one must match.
    pub include: Vec<String>,
    /// Regular expressions, of which none may match.
    pub exclude: Vec<String>,
}

/// When a job stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Links between a seed and a page.
    pub depth: u16,
    /// Accepted pages.
    pub pages: u64,
    /// Decoded bytes of accepted pages.
    pub bytes: u64,
    /// Decoded bytes of one page. Two mebibytes, as large crawlers measure it to be enough.
    pub page_bytes: u64,
    /// Least gap between two fetches on one host, in milliseconds; a longer crawl-delay wins.
    pub delay_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 16, pages: 100_000, bytes: 100 << 30, page_bytes: 2 << 20, delay_ms: 1000 }
    }
}

impl Limits {
    /// Least gap between two fetches on one host.
    #[must_use]
    pub const fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }
}

/// Why a job is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Nowhere to begin.
    #[error("job {0} has no seed: give at least one url")]
    NoSeeds(JobName),
    /// More than fit into one message.
    #[error("job has {0} seeds, at most 100000 are taken: submit it in parts")]
    TooManySeeds(usize),
    /// A pattern that is no regular expression.
    #[error("pattern {pattern:?} is not a regular expression: {cause}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What the parser said.
        cause: String,
    },
    /// A host that is none.
    #[error("scope host {0:?} is not a host name")]
    Host(String),
    /// A prefix that no URL can begin with.
    #[error("scope prefix {0:?} is not the beginning of an http or https url")]
    Prefix(String),
    /// A seed outside the job's own scope.
    #[error("seed {0} lies outside the scope")]
    SeedOutOfScope(CanonicalUrl),
    /// A seed that may not be fetched.
    #[error("seed {url} cannot be fetched: {cause}")]
    SeedRefused {
        /// The seed.
        url: CanonicalUrl,
        /// Why.
        cause: String,
    },
    /// A number outside its range.
    #[error("{field} is {got}, allowed are {allowed}")]
    Range {
        /// The field.
        field: &'static str,
        /// Its value.
        got: u64,
        /// The range.
        allowed: &'static str,
    },
    /// A text that is missing, too long or has control characters.
    #[error("{0} must be 1 to 200 printable characters")]
    Text(&'static str),
}

/// A job's scope, ready to be asked.
#[derive(Debug, Clone)]
pub struct ScopeRules {
    hosts: Vec<HostName>,
    prefixes: Vec<String>,
    include: Vec<Regex>,
    exclude: Vec<Regex>,
    depth: u16,
    strip_tracking: bool,
}

impl JobSpec {
    /// Checks everything that can be checked before the first fetch.
    ///
    /// # Errors
    /// [`JobError`] naming the field and what to do.
    pub fn rules(&self) -> Result<ScopeRules, JobError> {
        if self.seeds.is_empty() {
            return Err(JobError::NoSeeds(self.name.clone()));
        }
        if self.seeds.len() > 100_000 {
            return Err(JobError::TooManySeeds(self.seeds.len()));
        }
        check_text("purpose", &self.purpose)?;
        check_text("category", &self.category)?;
        check_range("priority", self.priority.into(), 0..=9, "0 to 9")?;
        check_range("limits.pages", self.limits.pages, 1..=u64::MAX, "1 and more")?;
        check_range("limits.page_bytes", self.limits.page_bytes, 1..=8 << 20, "1 to 8388608")?;
        check_range("limits.delay_ms", self.limits.delay_ms, 0..=86_400_000, "0 to 86400000")?;
        check_range("media_types", self.media_types.len() as u64, 0..=16, "0 to 16 entries")?;
        let rules = self.scope_rules()?;
        for seed in &self.seeds {
            if !rules.admits(seed, 0) {
                return Err(JobError::SeedOutOfScope(seed.clone()));
            }
        }
        Ok(rules)
    }

    fn scope_rules(&self) -> Result<ScopeRules, JobError> {
        let parse_host = |text: &String| text.parse().map_err(|_| JobError::Host(text.clone()));
        let mut hosts: Vec<HostName> =
            self.scope.hosts.iter().map(parse_host).collect::<Result<_, _>>()?;
        if hosts.is_empty() && self.scope.prefixes.is_empty() {
            hosts = self.seeds.iter().map(CanonicalUrl::host).collect();
            hosts.sort();
            hosts.dedup();
        }
        for prefix in &self.scope.prefixes {
            if !prefix.starts_with("http://") && !prefix.starts_with("https://") {
                return Err(JobError::Prefix(prefix.clone()));
            }
        }
        Ok(ScopeRules {
            hosts,
            prefixes: self.scope.prefixes.clone(),
            include: compile(&self.scope.include)?,
            exclude: compile(&self.scope.exclude)?,
            depth: self.limits.depth,
            strip_tracking: self.strip_tracking,
        })
    }
}

fn compile(patterns: &[String]) -> Result<Vec<Regex>, JobError> {
    let one = |pattern: &String| {
        Regex::new(pattern).map_err(|error| JobError::Pattern {
            pattern: pattern.clone(),
            cause: error.to_string(),
        })
    };
    patterns.iter().map(one).collect()
}

fn check_text(field: &'static str, text: &str) -> Result<(), JobError> {
    let fine = (1..=200).contains(&text.len()) && !text.chars().any(char::is_control);
    if fine { Ok(()) } else { Err(JobError::Text(field)) }
}

fn check_range(
    field: &'static str,
    got: u64,
    range: std::ops::RangeInclusive<u64>,
    allowed: &'static str,
) -> Result<(), JobError> {
    if range.contains(&got) { Ok(()) } else { Err(JobError::Range { field, got, allowed }) }
}

impl ScopeRules {
    /// A URL as this job spells it.
    #[must_use]
    pub fn spell(&self, url: &CanonicalUrl) -> CanonicalUrl {
        if self.strip_tracking { url.without_tracking() } else { url.clone() }
    }

    /// Whether a URL at this depth belongs to the job.
    #[must_use]
    pub fn admits(&self, url: &CanonicalUrl, depth: u16) -> bool {
        let text = url.as_str();
        let host = url.host();
        depth <= self.depth
            && (self.hosts.is_empty() || self.hosts.iter().any(|h| host.is_within(h)))
            && (self.prefixes.is_empty() || self.prefixes.iter().any(|p| text.starts_with(p)))
            && (self.include.is_empty() || self.include.iter().any(|p| p.is_match(text)))
            && !self.exclude.iter().any(|p| p.is_match(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(seed: &str, scope: Scope) -> JobSpec {
        JobSpec {
            name: "docs".parse().expect("a name"),
            seeds: vec![seed.parse().expect("a url")],
            purpose: "test".into(),
            category: general(),
            scope,
            limits: Limits { depth: 2, ..Limits::default() },
            priority: 5,
            replication: Replication::Full,
            strip_tracking: false,
            media_types: html(),
        }
    }

    fn admits(rules: &ScopeRules, url: &str, depth: u16) -> bool {
        rules.admits(&url.parse().expect("a url"), depth)
    }

    #[test]
    fn the_seeds_hosts_are_the_scope_by_default() {
        let rules = spec("http://a.example/", Scope::default()).rules().expect("sound");
        assert!(admits(&rules, "https://a.example/x", 2));
        assert!(!admits(&rules, "https://a.example/x", 3));
        assert!(!admits(&rules, "https://b.example/x", 1));
    }

    #[test]
    fn every_given_part_must_pass() {
        let scope = Scope {
            hosts: vec!["example".into()],
            prefixes: vec!["https://a.example/docs/".into()],
            include: vec![r"\.html$".into()],
            exclude: vec!["draft".into()],
        };
        let rules = spec("https://a.example/docs/index.html", scope).rules().expect("sound");
        assert!(admits(&rules, "https://a.example/docs/b.html", 1));
        assert!(!admits(&rules, "https://a.example/docs/draft.html", 1));
        assert!(!admits(&rules, "https://a.example/docs/b.pdf", 1));
        assert!(!admits(&rules, "https://a.example/blog/b.html", 1));
    }

    #[test]
    fn unsound_jobs_say_what_is_wrong() {
        let scope = |exclude: &str| Scope { exclude: vec![exclude.into()], ..Scope::default() };
        let error = |spec: JobSpec| spec.rules().expect_err("unsound");
        assert!(matches!(error(spec("http://a.example/", scope("("))), JobError::Pattern { .. }));
        let outside = spec("http://a.example/", scope("example"));
        assert!(matches!(error(outside), JobError::SeedOutOfScope(_)));
        let mut none = spec("http://a.example/", Scope::default());
        none.seeds.clear();
        assert!(matches!(error(none), JobError::NoSeeds(_)));
        let mut loud = spec("http://a.example/", Scope::default());
        loud.purpose = "a\u{1b}[31m".into();
        assert_eq!(error(loud), JobError::Text("purpose"));
    }
}
