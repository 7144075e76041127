//! A coordinator that wants agents to reach what they must not:
//! `cargo run -p sward-system-tests --example evil_coordinator -- MULTIADDR CASES ANSWERS`.
//!
//! Enrols whoever asks and hands out a lease for each text in CASES, one JSON string a line, as it stands there: whether it
//! is a URL at all is for the agent to find out. What a redirect names is handed out too, as a coordinator would. Writes
//! what became of each into ANSWERS and ends.

use anyhow::{Context as _, Result, bail};
use prost::Message as _;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write as _;
use std::time::Duration;
use sward_coordinator::p2p::{NetEvent, Transport};
use sward_proto::attestation::{Attestation, Observation};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::draw::{Anchor, DrawPlan};
use sward_proto::ids::LeaseToken;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::answer::{Answer, AnswerCode};
use sward_proto::wire::refusal::{Refusal, RefusalCode};
use sward_proto::wire::reply::{CoordinatorReply, Terms};
use sward_proto::wire::request::{AgentRequest, RevealedLeaf};
use sward_proto::wire::{WIRE_VERSION, bounds, pb};
use tokio::sync::mpsc;

/// An agent that says nothing for this long has died or hangs.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long an agent with nothing to do waits before it asks again.
const PAUSE_MS: u32 = 50;

/// What became of a text.
#[derive(Debug, Serialize)]
struct Line {
    text: String,
    /// Handed out because a redirect named it.
    followed: bool,
    /// `fetched`, `dropped` where the agent would not even read the lease, or a failure's code.
    answer: String,
    detail: String,
    /// Who answered the agent.
    peer_ip: Option<String>,
}

/// A text that is leased.
struct Case {
    text: String,
    followed: bool,
}

struct Evil {
    waiting: VecDeque<Case>,
    met: BTreeSet<String>,
    leased: BTreeMap<LeaseToken, Case>,
    next_token: u128,
    /// A lease that an agent cannot read: nothing else goes out until it has said so, by dropping the connection.
    unreadable: Option<LeaseToken>,
    /// Committed and not opened yet.
    reveal: BTreeSet<LeaseToken>,
    release: Vec<LeaseToken>,
    /// The agent has come back and not asked for work since.
    fresh: bool,
    lines: Vec<Line>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, cases, answers] = &arguments[..] else { bail!("three arguments") };
    let cases = std::fs::read_to_string(cases).with_context(|| cases.clone())?;
    let waiting: VecDeque<Case> = cases
        .lines()
        .map(|line| Ok(Case { text: serde_json::from_str(line)?, followed: false }))
        .collect::<Result<_>>()?;
    let transport = Transport::listen([7; 32], &listen.parse()?, 4).await?;
    let address = format!("{}/p2p/{}", transport.address, transport.peer_id());
    writeln!(std::io::stdout(), "{address}")?;
    let (sender, events) = mpsc::channel(64);
    tokio::spawn(transport.run(sender));
    let mut evil = Evil {
        met: waiting.iter().map(|case| case.text.clone()).collect(),
        waiting,
        leased: BTreeMap::new(),
        next_token: 0,
        unreadable: None,
        reveal: BTreeSet::new(),
        release: Vec::new(),
        fresh: true,
        lines: Vec::new(),
    };
    let served = evil.serve(events).await;
    let mut file = std::fs::File::create(answers)?;
    for line in &evil.lines {
        writeln!(file, "{}", serde_json::to_string(line)?)?;
    }
    served
}

impl Evil {
    async fn serve(&mut self, mut events: mpsc::Receiver<NetEvent>) -> Result<()> {
        let mut streams = BTreeMap::new();
        while !(self.waiting.is_empty() && self.leased.is_empty()) {
            let event = tokio::time::timeout(PATIENCE, events.recv()).await;
            let left = self.waiting.len() + self.leased.len();
            let event = event.with_context(|| format!("silence, {left} not answered"))?;
            match event.context("the transport ended")? {
                NetEvent::Opened { answers, stream, .. } => {
                    self.fresh = true;
                    streams.insert(stream, answers);
                }
                NetEvent::Closed { stream, .. } => {
                    streams.remove(&stream);
                    self.dropped();
                }
                NetEvent::Frame { stream, frame, .. } => {
                    let (id, request) = AgentRequest::decode(&frame);
                    let reply = self.answer(id, request?)?;
                    if let Some(answers) = streams.get(&stream) {
                        // An agent that has gone comes back and asks anew.
                        drop(answers.send(reply).await);
                    }
                }
            }
        }
        Ok(())
    }

    fn answer(&mut self, id: u64, request: AgentRequest) -> Result<Vec<u8>> {
        let taken = |tokens: Vec<LeaseToken>| {
            let one = |token| Answer { token, code: AnswerCode::Taken };
            CoordinatorReply::Answers(tokens.into_iter().map(one).collect())
        };
        let reply = match request {
            AgentRequest::Enrol { .. } => CoordinatorReply::Enrolled(terms()),
            AgentRequest::WantWork { capacity, holding, .. } => {
                if std::mem::take(&mut self.fresh) {
                    self.lease_again(&holding);
                }
                return Ok(self.work(id, capacity.into()));
            }
            AgentRequest::Commit { tokens, .. } => {
                self.reveal.extend(&tokens);
                taken(tokens)
            }
            AgentRequest::Reveal(leaves) => {
                let tokens = leaves.iter().map(|leaf| leaf.token).collect();
                leaves.into_iter().try_for_each(|leaf| self.opened(&leaf))?;
                taken(tokens)
            }
            AgentRequest::UploadStart(_)
            | AgentRequest::UploadChunk { .. }
            | AgentRequest::Countersign { .. }
            | AgentRequest::Receipts { .. }
            | AgentRequest::Standing
            | AgentRequest::Appeal { .. } => {
                let refusal = Refusal::new(RefusalCode::Conflict, "nobody asked for this");
                CoordinatorReply::Refusal(refusal)
            }
        };
        Ok(reply.encode(id))
    }

    /// What went down with the connection before this one.
    fn lease_again(&mut self, holding: &[LeaseToken]) {
        let known = |token: &LeaseToken| holding.contains(token) || self.reveal.contains(token);
        let lost: Vec<LeaseToken> = self.leased.keys().copied().filter(|t| !known(t)).collect();
        let cases = lost.iter().filter_map(|token| self.leased.remove(token));
        self.waiting.extend(cases);
    }

    /// Work is put together of unchecked parts: the checked type could not hold most of the cases.
    fn work(&mut self, reply_to: u64, capacity: usize) -> Vec<u8> {
        let most = bounds::MAX_BATCH;
        let raw = |token: &LeaseToken| token.0.to_vec();
        let reveal: Vec<_> = self.reveal.iter().take(most).map(raw).collect();
        let release: Vec<_> = self.release.iter().take(most).map(raw).collect();
        self.release.drain(..release.len());
        let leases = self.leases(capacity.min(most));
        let idle = leases.is_empty() && reveal.is_empty();
        let retry_after_ms = if idle { PAUSE_MS } else { 0 };
        let work = pb::Work { leases, reveal, release, retry_after_ms, ..pb::Work::default() };
        let body = Some(pb::coordinator_frame::Body::Work(work));
        pb::CoordinatorFrame { version: WIRE_VERSION, reply_to, body }.encode_to_vec()
    }

    fn leases(&mut self, most: usize) -> Vec<pb::Lease> {
        let mut leases = Vec::new();
        while leases.len() < most && self.unreadable.is_none() {
            let Some(case) = self.waiting.front() else { break };
            let is_url = case.text.parse::<CanonicalUrl>().is_ok();
            if !is_url && !leases.is_empty() {
                break;
            }
            let Some(case) = self.waiting.pop_front() else { break };
            self.next_token += 1;
            let token = LeaseToken(self.next_token.to_be_bytes());
            self.unreadable = (!is_url).then_some(token);
            leases.push(lease(token, &case.text));
            self.leased.insert(token, case);
        }
        leases
    }

    fn dropped(&mut self) {
        let unread = self.unreadable.take().and_then(|token| self.leased.remove(&token));
        if let Some(Case { text, followed }) = unread {
            let (answer, detail) = ("dropped".to_owned(), String::new());
            self.lines.push(Line { text, followed, answer, detail, peer_ip: None });
        }
    }

    fn opened(&mut self, leaf: &RevealedLeaf) -> Result<()> {
        self.reveal.remove(&leaf.token);
        self.release.push(leaf.token);
        let Some(Case { text, followed }) = self.leased.remove(&leaf.token) else {
            return Ok(()); // opened twice
        };
        if self.unreadable == Some(leaf.token) {
            bail!("the agent takes {text:?} for a url");
        }
        let line = match Attestation::decode(&leaf.attestation)?.observation {
            Observation::Failure { code, detail } => {
                Line { text, followed, answer: code.code().to_owned(), detail, peer_ip: None }
            }
            Observation::Response(response) => {
                let target = response.redirect_target.map(String::from);
                if let Some(target) = target.clone().filter(|url| self.met.insert(url.clone())) {
                    self.waiting.push_front(Case { text: target, followed: true });
                }
                let hops = response.hops.len();
                let detail = format!("{} after {hops} hops to {target:?}", response.status);
                let peer_ip = Some(response.peer_ip.to_string());
                Line { text, followed, answer: "fetched".to_owned(), detail, peer_ip }
            }
        };
        self.lines.push(line);
        Ok(())
    }
}

fn lease(token: LeaseToken, url: &str) -> pb::Lease {
    pb::Lease {
        token: token.0.to_vec(),
        url: url.to_owned(),
        job: "evil".to_owned(),
        purpose: "to see what the agent can be made to do".to_owned(),
        category: "general".to_owned(),
        expires_in_ms: 3_600_000,
        max_bytes: 1 << 20,
        ..pb::Lease::default()
    }
}

fn terms() -> Terms {
    Terms {
        operator: "evil".to_owned(),
        contact: "http://192.168.77.1/".to_owned(),
        log: "receipts.evil.example".to_owned(),
        vkey: "none".to_owned(),
        tariff: String::new(),
        developer: true,
        draws: DrawPlan { anchor: Anchor(Digest::ZERO), began: Timestamp::ZERO, round_seconds: 60 },
    }
}
