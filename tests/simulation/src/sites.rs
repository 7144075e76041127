//! The sites: hosts, robots.txt files and pages of every kind that a crawl meets, and how they answer.

use crate::chance::Chance;
use crate::page;
use crate::plan::Plan;
use crate::regions;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use sward_agent_core::input::Fetched;
use sward_agent_core::sealed::Capture;
use sward_proto::attestation::{Observation, Response};
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_proto::compare::block::BlockList;
use sward_proto::compare::print::LayerVersions;
use sward_proto::digest::Digest;
use sward_proto::outcome::FailureCode;
use sward_proto::region::Region;
use sward_proto::robots::Robots;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::exchange::Exchange;

/// How a page behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The same bytes for everybody.
    Plain,
    /// The same but for noise that the canonical digest leaves out.
    Noisy,
    /// The same but for two lines that differ at each visit, a link to nowhere among them.
    Rolling,
    /// Another page for each region of some: to agents of the first, and of all others.
    Geo,
    /// The same beginning, and more lines after it that differ at each visit.
    Feed,
    /// Other bytes for everybody.
    Dynamic,
    /// 404.
    Gone,
    /// Redirects to a plain page of the same host.
    Moved(CanonicalUrl),
    /// Redirects to a page of another host.
    Away(CanonicalUrl),
    /// Every third time no answer.
    Flaky,
    /// Takes its time.
    Slow,
    /// Becomes another page at this time.
    Changing(Timestamp),
}

/// A page.
#[derive(Debug, Clone)]
pub struct Page {
    /// How it behaves.
    pub kind: Kind,
    /// What it says.
    pub text: String,
    /// Where it leads.
    pub links: Vec<CanonicalUrl>,
}

/// What a host has at /robots.txt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RobotsFile {
    /// 404.
    Gone,
    /// This text.
    Text(String),
    /// 503, with this `Retry-After` in seconds.
    Failing(Option<u32>),
}

/// A host, under http and for some pages under https.
#[derive(Debug)]
pub struct Site {
    /// What it has at /robots.txt.
    pub robots: RobotsFile,
    /// What that means.
    pub rules: Robots,
    /// Its pages.
    pub pages: BTreeMap<CanonicalUrl, Page>,
}

/// All sites, and what they have served.
#[derive(Debug)]
pub struct Sites {
    /// By name.
    pub sites: BTreeMap<HostName, Site>,
    served: BTreeMap<CanonicalUrl, BTreeSet<Digest>>,
    chance: Chance,
}

/// The product token of Sward's agents.
const PRODUCT_TOKEN: &str = "SwardBot";
/// What is in the URL of a link that one visit alone shows.
pub const FLEETING: &str = "-fleeting-";
/// When a fetch is given up.
const TIMEOUT: Duration = Duration::from_secs(8);

impl Sites {
    /// The sites of a plan.
    #[must_use]
    pub fn new(plan: &Plan, start: Timestamp) -> Self {
        let sites = crate::expectation::draw_sites(plan, start);
        Self { sites, served: BTreeMap::new(), chance: Chance::new(plan.seed, "answers") }
    }

    /// Whether a body with this digest, or one that differs from it by noise only, was ever served for a URL.
    #[must_use]
    pub fn has_served(&self, url: &CanonicalUrl, body: Digest, canonical: Option<Digest>) -> bool {
        let served = self.served.get(url);
        let known = |digest: Digest| served.is_some_and(|digests| digests.contains(&digest));
        known(body) || canonical.is_some_and(known)
    }

    /// Whether the host's true rules allow a URL.
    #[must_use]
    pub fn allows(&self, url: &CanonicalUrl) -> bool {
        let site = self.sites.get(&url.host());
        site.is_some_and(|site| site.rules.decide(url.path_and_query()).allowed)
    }

    /// How a URL answers now to who is in this region.
    pub fn answer(
        &mut self,
        url: &CanonicalUrl,
        region: Option<Region>,
        now: Timestamp,
    ) -> Fetched {
        let elapsed = self.chance.between(20, 250);
        let Some(site) = self.sites.get(&url.host()) else {
            return failure(FailureCode::Dns, elapsed);
        };
        if url.path_and_query() == "/robots.txt" {
            let (status, text) = match &site.robots {
                RobotsFile::Gone => (404, "none"),
                RobotsFile::Text(text) => (200, text.as_str()),
                RobotsFile::Failing(_) => (503, "later"),
            };
            let asked = match &site.robots {
                RobotsFile::Failing(asked) => *asked,
                RobotsFile::Gone | RobotsFile::Text(_) => None,
            };
            let body = text.as_bytes().to_vec();
            let mut fetched = self.respond(url, url, status, "text/plain", body, None, elapsed);
            if let Observation::Response(response) = &mut fetched.observation {
                response.retry_after_s = asked;
            }
            return fetched;
        }
        let Some(page) = site.pages.get(url).cloned() else {
            return self.respond(url, url, 404, "text/html", b"gone".to_vec(), None, elapsed);
        };
        let noise = self.chance.below(u64::MAX);
        match page.kind.clone() {
            Kind::Plain => self.page(url, url, &page, None, elapsed),
            Kind::Noisy => self.page(url, url, &page, Some(noise), elapsed),
            Kind::Rolling => {
                let text = format!("{}\nvisit {noise}", page.text);
                let mut links = page.links.clone();
                links.extend(format!("{url}{FLEETING}{noise}").parse());
                self.page(url, url, &Page { text, links, ..page }, None, elapsed)
            }
            Kind::Geo => {
                let text = regions::seen_from(region, &page.text);
                self.page(url, url, &Page { text, ..page }, None, elapsed)
            }
            Kind::Feed => {
                let news: String = (0..5).map(|n| format!("\nnews {n} of {noise}")).collect();
                let text = format!("{}{news}", page.text);
                self.page(url, url, &Page { text, ..page }, None, elapsed)
            }
            Kind::Dynamic => {
                let text = format!("{} {noise}", page.text);
                self.page(url, url, &Page { text, ..page }, None, elapsed)
            }
            Kind::Gone => self.respond(url, url, 404, "text/html", b"gone".to_vec(), None, elapsed),
            Kind::Moved(to) => {
                let target = site.pages.get(&to).cloned().unwrap_or(page);
                self.page(url, &to, &target, None, elapsed)
            }
            Kind::Away(to) => {
                self.respond(url, url, 301, "text/html", b"moved".to_vec(), Some(to), elapsed)
            }
            Kind::Flaky if noise.is_multiple_of(6) => failure(FailureCode::Connect, elapsed),
            Kind::Flaky if noise % 6 == 1 => failure(FailureCode::Timeout, millis(TIMEOUT)),
            Kind::Flaky => self.page(url, url, &page, None, elapsed),
            Kind::Slow => self.page(url, url, &page, None, 2000 + 20 * elapsed),
            Kind::Changing(at) if at <= now => {
                let text = format!("{} changed", page.text);
                self.page(url, url, &Page { text, ..page }, None, elapsed)
            }
            Kind::Changing(_) => self.page(url, url, &page, None, elapsed),
        }
    }

    fn page(
        &mut self,
        url: &CanonicalUrl,
        last: &CanonicalUrl,
        page: &Page,
        noise: Option<u64>,
        elapsed: u64,
    ) -> Fetched {
        let body = page::body(&page.text, &page.links, noise);
        self.respond(url, last, 200, "text/html", body, None, elapsed)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one response, named where they are given"
    )]
    fn respond(
        &mut self,
        url: &CanonicalUrl,
        last: &CanonicalUrl,
        status: u16,
        media_type: &str,
        body: Vec<u8>,
        redirect_target: Option<CanonicalUrl>,
        elapsed: u64,
    ) -> Fetched {
        let fetched = response(last, status, media_type, body, redirect_target, elapsed);
        if let Observation::Response(response) = &fetched.observation {
            let served = self.served.entry(url.clone()).or_default();
            served.insert(response.raw);
            served.extend(response.canonical);
        }
        fetched
    }
}

impl Site {
    /// A host without pages.
    #[must_use]
    pub fn new(robots: RobotsFile) -> Self {
        let rules = match &robots {
            RobotsFile::Gone => Robots::allow_all(),
            RobotsFile::Text(text) => Robots::parse(text.as_bytes(), PRODUCT_TOKEN),
            RobotsFile::Failing(_) => Robots::disallow_all(),
        };
        Self { robots, rules, pages: BTreeMap::new() }
    }
}

/// What an agent's fetcher makes of a response.
#[must_use]
pub fn response(
    url: &CanonicalUrl,
    status: u16,
    media_type: &str,
    body: Vec<u8>,
    redirect_target: Option<CanonicalUrl>,
    elapsed: u64,
) -> Fetched {
    let html = media_type == "text/html" && status == 200;
    let links = if html { page::links(&body) } else { Vec::new() };
    let response = Response {
        final_url: url.clone(),
        hops: Vec::new(),
        status,
        header_names: vec!["content-type".to_owned()],
        media_type: media_type.to_owned(),
        raw: Digest::of(&body),
        raw_bytes: body.len() as u64,
        canonical: html.then(|| page::canonical(&body)),
        links: page::links_digest(&links),
        link_count: u32::try_from(links.len()).unwrap_or(u32::MAX),
        wire_bytes: body.len() as u64,
        peer_ip: [192, 0, 2, 1].into(),
        certificate: None,
        redirect_target,
        retry_after_s: None,
        versions: LayerVersions::CURRENT,
        page: html.then(|| Box::new(page::print(&body))),
        neutral: None,
    };
    let blocks = if html { page::blocks(&body) } else { BlockList::default() };
    let exchange = Exchange {
        url: url.clone(),
        request_head: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        response_head: format!("HTTP/1.1 {status}\r\n\r\n").into_bytes(),
        body: Vec::new(),
        body_truncated: false,
        protocol: "http/1.1".to_owned(),
        peer_ip: [192, 0, 2, 1].into(),
    };
    Fetched {
        wire_bytes: body.len() as u64,
        observation: Observation::Response(Box::new(response)),
        elapsed_ms: u32::try_from(elapsed).unwrap_or(u32::MAX),
        blocks,
        capture: Capture { exchanges: vec![exchange], links, body },
    }
}

fn failure(code: FailureCode, elapsed: u64) -> Fetched {
    Fetched {
        observation: Observation::Failure { code, detail: String::new() },
        elapsed_ms: u32::try_from(elapsed).unwrap_or(u32::MAX),
        wire_bytes: 0,
        blocks: BlockList::default(),
        capture: Capture { exchanges: Vec::new(), links: Vec::new(), body: Vec::new() },
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
