//! What an operator configures: one TOML file in the data folder.
//!
//! Decides what a sound configuration is, all of it before anything listens. Unknown keys are refused.

mod hold;

pub use hold::Hold;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use libp2p::Multiaddr;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use sward_coordinator_core::beacon::Beacon;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::draw::{DrawPlan, SeedChain};
use sward_proto::note::KeyName;
use sward_proto::quorum::Rules;
use sward_proto::tariff::Tariff;
use sward_proto::timestamp::Timestamp;

/// The configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who runs the coordinator; shown to every owner.
    pub operator: String,
    /// A page about the crawl, with a way to reach the operator; it is in the User-Agent.
    pub contact: String,
    /// The name of the receipt log and of the key that signs receipts, for instance `receipts.example.org/main`.
    pub log: String,
    /// Where agents dial, as a multiaddress of TCP.
    #[serde(default = "default_listen")]
    pub listen: Multiaddr,
    /// Where `/livez`, `/readyz` and `/metrics` are; loopback only.
    #[serde(default = "default_health")]
    pub health: SocketAddr,
    /// For tests and demonstrations: takes developer-mode agents, and jobs that name loopback.
    #[serde(default)]
    pub developer: bool,
    /// When the draws of leases began.
    pub draws: Draws,
    /// How many must agree.
    #[serde(default)]
    pub quorum: Quorum,
    /// Pages of the coordinator's own that show who copies; none where this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beacon: Option<BeaconSite>,
    /// Where addresses are, by files of others.
    #[serde(default, skip_serializing_if = "NetworkPart::is_empty")]
    pub network: NetworkPart,
    /// How long credit waits, and for what.
    #[serde(default)]
    pub hold: Hold,
    /// Sizes.
    #[serde(default)]
    pub limits: Limits,
}

/// Files in MaxMind's DB format, such as GeoLite2 and DB-IP have; one may serve for both. Relative to the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkPart {
    /// The autonomous system of each address. Without it networks are told apart by their prefixes alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asn: Option<PathBuf>,
    /// The country of each address. Without it there are no regions, and no variants of pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<PathBuf>,
}

impl NetworkPart {
    /// Whether no file is named.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.asn.is_none() && self.country.is_none()
    }
}

/// The beacon site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeaconSite {
    /// Where it listens, for plain HTTP. Agents must reach it without a proxy in between.
    pub listen: SocketAddr,
    /// Under which names they do, for instance `http://pages.example.net`.
    pub origins: Vec<String>,
    /// One lease in so many is followed by a page of it, which two agents fetch or more: 200 makes 1 % of all fetches.
    #[serde(default = "default_every")]
    pub every: NonZeroU32,
}

impl BeaconSite {
    /// The site as the core knows it, under a secret of the coordinator.
    ///
    /// # Errors
    /// An origin that is none.
    pub fn site(&self, secret: &[u8; 32]) -> Result<Beacon> {
        ensure!(!self.origins.is_empty(), "beacon.origins is empty: name one at least");
        let origin = |text: &String| {
            let url = format!("{text}/").parse::<CanonicalUrl>().ok();
            let origin = url.map(|url| url.origin()).filter(|origin| origin.as_str() == text);
            let plain = origin.filter(|_| text.starts_with("http://"));
            plain.with_context(|| {
                format!("beacon.origins has {text:?}: give them such as http://pages.example.net")
            })
        };
        let origins = self.origins.iter().map(origin).collect::<Result<_>>()?;
        let key = Digest::of_parts(&[b"sward/beacon/key/v1 ", secret]).0;
        Ok(Beacon { key, origins, every: self.every })
    }
}

const fn default_every() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(199)
}

/// The rounds in which leases are drawn. Told to every agent at enrolment, and not to be changed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draws {
    /// When the first round began, in seconds since 1970.
    pub began: u64,
    /// How long a round lasts, in seconds. Its seed is published when it is over.
    pub round_seconds: u32,
}

impl Draws {
    /// What is told of them, with the anchor of the chain that they are made from.
    #[must_use]
    pub fn plan(self, chain: &SeedChain) -> DrawPlan {
        let began = Timestamp::from_millis(self.began.saturating_mul(1000));
        DrawPlan { anchor: chain.anchor(), began, round_seconds: self.round_seconds }
    }
}

/// How many must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quorum {
    /// By how many independent groups an answer must lead.
    pub margin: usize,
    /// Results asked for before a page is contested.
    pub most: usize,
    /// Accepts pages on which groups agree in part: in their stable blocks, or nearly. Of such a page only the blocks that
    /// independent groups attest are exported, and only links in these are followed.
    pub partial: bool,
    /// Seconds for which a page that every enrolled group has answered without agreeing waits for newcomers.
    pub patience_seconds: u64,
}

impl Default for Quorum {
    fn default() -> Self {
        let Rules { margin, most, partial, .. } = Rules::default();
        Self { margin, most, partial, patience_seconds: 600 }
    }
}

/// Sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections of agents.
    pub connections: u32,
    /// Bytes of captures that are being handed in, over all agents.
    pub upload_bytes: u64,
    /// The index's cache, in bytes.
    pub cache_bytes: u64,
    /// A WARC segment takes no further group once it has this many bytes.
    pub segment_bytes: u64,
    /// Bytes of the archive's disk that are left free for index and journal: below that no work is given out.
    pub reserve_bytes: u64,
    /// Hosts in memory.
    pub hot_hosts: usize,
    /// Tasks in hand.
    pub open_tasks: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            upload_bytes: 64 << 20,
            cache_bytes: crate::store::DEFAULT_CACHE_BYTES,
            segment_bytes: 1 << 30,
            reserve_bytes: 64 << 20,
            hot_hosts: 2000,
            open_tasks: 4096,
        }
    }
}

fn default_listen() -> Multiaddr {
    use libp2p::multiaddr::Protocol;
    Multiaddr::from(std::net::Ipv4Addr::UNSPECIFIED).with(Protocol::Tcp(8779))
}

fn default_health() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8780))
}

/// The files of a coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout(PathBuf);

impl Layout {
    /// The files under a data folder.
    #[must_use]
    pub const fn new(data: PathBuf) -> Self {
        Self(data)
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.0
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// The prices.
    #[must_use]
    pub fn tariff(&self) -> PathBuf {
        self.0.join("tariff.toml")
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.0.join("index")
    }

    /// The WARC segments.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.0.join("archive")
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal")
    }

    /// Where the command line finds the daemon.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// What is wrong, in which file, and what to do.
    pub fn load(layout: &Layout) -> Result<Self> {
        let path = layout.config();
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let absent = error.kind() == std::io::ErrorKind::NotFound;
            let advice = if absent {
                "run sward-coordinator init first"
            } else {
                "see that it is a file that this user may read"
            };
            anyhow!("cannot read {}: {advice}: {error}", path.display())
        })?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Parses and checks a configuration.
    ///
    /// # Errors
    /// The key that is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let config: Self = sward_control::read_toml(text)?;
        config.key_name()?;
        ensure!(
            config.contact.starts_with("http://") || config.contact.starts_with("https://"),
            "contact is {:?}: give the http or https address of a page about the crawl",
            config.contact
        );
        for (field, text) in [("operator", &config.operator), ("contact", &config.contact)] {
            let fine = (1..=200).contains(&text.len()) && !text.chars().any(char::is_control);
            ensure!(fine, "{field} must be 1 to 200 printable characters");
        }
        ensure!(
            config.health.ip().is_loopback(),
            "health is {}: it has no access control, so give a loopback address",
            config.health
        );
        if let Some(beacon) = &config.beacon {
            beacon.site(&[0; 32])?;
        }
        let Quorum { margin, most, .. } = config.quorum;
        ensure!(
            margin >= 2,
            "quorum.margin is {margin}: one agent alone proves nothing, give 2 or more"
        );
        ensure!(most > margin, "quorum.most is {most}: it must be above quorum.margin ({margin})");
        Ok(config)
    }

    /// The name of the receipt key.
    ///
    /// # Errors
    /// Where it is no C2SP key name.
    pub fn key_name(&self) -> Result<KeyName> {
        let bad =
            || format!("log is {:?}: give a name such as receipts.example.org/main", self.log);
        self.log.parse::<KeyName>().with_context(bad)
    }
}

/// Reads and checks the prices.
///
/// # Errors
/// What is wrong with the file.
pub fn load_tariff(layout: &Layout) -> Result<(String, Tariff)> {
    let path = layout.tariff();
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read the tariff {}", path.display()))?;
    let tariff = Tariff::parse(&text).with_context(|| format!("in {}", path.display()))?;
    Ok((text, tariff))
}

/// Writes a file that did not exist.
///
/// # Errors
/// Where it exists, or cannot be written.
pub fn write_new(path: &Path, text: &str) -> Result<()> {
    if path.exists() {
        bail!("{} exists already: choose another data folder", path.display());
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "operator = \"Example Lab\"\ncontact = \"https://bot.example/\"\nlog = \"r.example/main\"\n\
        draws = { began = 1767225600, round_seconds = 3600 }\n";

    #[test]
    fn the_least_configuration_is_enough() {
        let config = Config::parse(SOUND).expect("sound");
        assert!(!config.developer);
        assert_eq!((config.quorum.margin, config.quorum.most), (2, 7));
    }

    #[test]
    fn a_beacon_site_is_one_fetch_in_a_hundred_unless_said_otherwise() {
        let text = format!(
            "{SOUND}[beacon]\nlisten = \"0.0.0.0:80\"\norigins = [\"http://pages.example.net\"]\n"
        );
        let beacon = Config::parse(&text).expect("sound").beacon.expect("a site");
        assert_eq!(beacon.every.get(), 200);
        let (one, other) = (beacon.site(&[1; 32]).expect("sound"), beacon.site(&[2; 32]));
        assert_ne!(one.key, other.expect("sound").key);
        assert!(Config::parse(SOUND).expect("sound").beacon.is_none());
    }

    #[test]
    fn mistakes_are_named() {
        let error = |more: &str| {
            format!("{:#}", Config::parse(&format!("{SOUND}{more}")).expect_err("unsound"))
        };
        assert!(error("colour = 1\n").contains("unknown field `colour`"));
        assert!(error("health = \"0.0.0.0:80\"\n").contains("loopback"));
        assert!(error("[quorum]\nmargin = 1\n").contains("quorum.margin"));
        let beacon = |origins: &str| {
            error(&format!("[beacon]\nlisten = \"0.0.0.0:80\"\norigins = [{origins}]\n"))
        };
        assert!(beacon("").contains("beacon.origins"));
        for bad in ["\"pages.example.net\"", "\"http://a.example/x\"", "\"https://a.example\""] {
            assert!(beacon(bad).contains("http://pages.example.net"), "{bad}");
        }
        let bad_contact = SOUND.replace("https://bot.example/", "me");
        assert!(Config::parse(&bad_contact).expect_err("unsound").to_string().contains("contact"));
    }
}
