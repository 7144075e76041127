//! The daemon: recovers, listens, and runs turns until it is told to stop.

use crate::beacon;
use crate::config::{self, Config, Layout};
use crate::health;
use crate::intake::Intake;
use crate::keeper::Keeper;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::network::NetworkFiles;
use crate::operator;
use crate::p2p::{NetEvent, Transport};
use crate::question::{CaptureView, Outcome, Question};
use crate::recover::{Recovered, recover};
use crate::turn::{Streams, Told, Turns};
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use sward_control::{Reply, Server};
use sward_coordinator_core::config::{Bounds, Config as CoreConfig};
use sward_coordinator_core::input::{Input, Order};
use sward_coordinator_core::record::seen::SeenKey;
use sward_proto::draw::SeedChain;
use sward_proto::ids::{InviteCode, PeerId};
use sward_proto::note::NoteSigner;
use sward_proto::quorum::Rules;
use sward_proto::receipt::ReceiptSchema;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::refusal::Refusal;
use sward_proto::wire::reply::{CoordinatorReply, Terms};
use sward_proto::wire::request::AgentRequest;
use tokio::sync::mpsc;

/// The domain in the first line of receipts.
const RECEIPT_DOMAIN: &str = "sward.example";
/// Events taken into one turn at once, at most.
const EVENTS_A_TURN: usize = 512;
/// What comes in within this time shares the disk syncs of a turn. Each costs a core half a millisecond or more.
const GATHER: Duration = Duration::from_millis(5);
/// The longest rest between two turns.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// A coordinator that listens and is ready to run.
pub struct Daemon {
    turns: Turns,
    files: NetworkFiles,
    net: mpsc::Receiver<NetEvent>,
    questions: mpsc::Receiver<(Question, Reply)>,
    streams: Streams,
    /// Orders that wait for their turn to be durable; an invite's code goes with its answer.
    tickets: BTreeMap<u64, (Reply, Option<serde_json::Value>)>,
    next_ticket: u64,
    /// Where agents dial, with the identity that they pin.
    pub address: String,
}

/// The core's configuration from files.
///
/// # Errors
/// What is wrong in which file.
pub fn core_config(layout: &Layout, config: &Config, keys: &Keys) -> Result<CoreConfig> {
    let (text, tariff) = config::load_tariff(layout)?;
    let hold = config.hold.terms(&tariff)?;
    let signer = NoteSigner::from_seed(config.key_name()?, &keys.receipts);
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the system gives no random numbers")?;
    let draw_chain = SeedChain::grow(&keys.draws);
    let draw_plan = config.draws.plan(&draw_chain);
    let terms = Terms {
        operator: config.operator.clone(),
        contact: config.contact.clone(),
        log: config.log.clone(),
        vkey: signer.verifier_key().to_string(),
        tariff: text,
        developer: config.developer,
        draws: draw_plan,
    };
    Ok(CoreConfig {
        terms,
        tariff,
        signer,
        schema: ReceiptSchema::of_domain(RECEIPT_DOMAIN)?,
        rules: Rules {
            margin: config.quorum.margin,
            most: config.quorum.most,
            partial: config.quorum.partial,
            ..Rules::default()
        },
        developer: config.developer,
        seen_key: SeenKey(keys.seen),
        seed,
        draw_plan,
        draw_chain,
        beacon: config.beacon.as_ref().map(|site| site.site(&keys.seen)).transpose()?,
        bounds: Bounds {
            hot_hosts: config.limits.hot_hosts,
            open_tasks: config.limits.open_tasks,
            hold,
            starvation_wait: Duration::from_secs(config.quorum.patience_seconds),
            ..Bounds::default()
        },
    })
}

/// The time, read once a turn.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl Daemon {
    /// Recovers the past and listens. Nothing listens before everything that was configured is found sound.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub async fn start(layout: &Layout) -> Result<Self> {
        let config = Config::load(layout)?;
        let keys = Keys::load(layout)?;
        let core = core_config(layout, &config, &keys)?;
        let files = NetworkFiles::open(layout.data(), &config.network)?;
        let site = core.beacon.clone();
        ensure!(
            core.draw_plan.round(now()).is_some(),
            "the clock is outside of the rounds of draws that begin at {} s: check the clock, and [draws] in config.toml",
            config.draws.began
        );
        let (keeper, found) = Keeper::open(layout, &config)?;
        if found.truncated != (0, 0) {
            let (archive, journal) = found.truncated;
            tracing::warn!(archive, journal, "cut a torn write off the end, in bytes");
        }
        let recovered = recover(layout, &core, &keeper, &found, config.limits.cache_bytes, now())?;
        let Recovered { coordinator, store, position, rebuilt, caught_up } = recovered;
        if let Some((why, aside)) = rebuilt {
            let aside = aside.as_deref().map(|aside| tracing::field::display(aside.display()));
            tracing::warn!(%why, aside, "index rebuilt from archive and journal");
        } else if caught_up > 0 {
            tracing::info!(caught_up, "brought the index up to date after a crash");
        }
        let control = Server::bind(&layout.socket()).with_context(|| {
            format!("cannot listen on {}: is another one running", layout.socket().display())
        })?;
        let listener = health::listen(config.health).await?;
        if let (Some(at), Some(site)) = (&config.beacon, site) {
            tokio::spawn(beacon::serve(beacon::listen(at.listen).await?, site));
        }
        let transport =
            Transport::listen(keys.identity, &config.listen, config.limits.connections).await?;
        let address = format!("{}/p2p/{}", transport.address, transport.peer_id());
        let metrics = Metrics::default();
        let (net_sender, net) = mpsc::channel(1024);
        let (question_sender, questions) = mpsc::channel(64);
        tokio::spawn(health::serve(listener, metrics.clone()));
        tokio::spawn(control.serve(question_sender));
        tokio::spawn(transport.run(net_sender));
        let intake = Intake::new(config.limits.upload_bytes);
        let turns = Turns::new(coordinator, store, keeper, intake, metrics, position);
        let (streams, tickets) = (Streams::new(), BTreeMap::new());
        Ok(Self { turns, files, net, questions, streams, tickets, next_ticket: 1, address })
    }

    /// Runs until `stop` resolves.
    ///
    /// # Errors
    /// Where the disk failed.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<()> {
        tokio::pin!(stop);
        let mut turned = now();
        let mut ends: Option<Instant> = None;
        loop {
            let mut inputs = Vec::new();
            // From the last turn on: a host that has become due since then must not wait for an event.
            let due = self.turns.coordinator.poll_timeout(turned);
            let due = due.map_or(MAX_WAIT, |due| due.since(now()));
            let end = ends.map_or(MAX_WAIT, |ends| ends.saturating_duration_since(Instant::now()));
            let wait = if self.turns.is_owed() { Duration::ZERO } else { due.min(end) };
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(event) = self.net.recv() => self.take_net(event, &mut inputs),
                Some((question, reply)) = self.questions.recv() => {
                    self.take_question(question, reply, &mut inputs);
                }
                () = tokio::time::sleep(wait.min(MAX_WAIT)) => {}
            }
            while inputs.len() < EVENTS_A_TURN {
                let Ok(event) = self.net.try_recv() else { break };
                self.take_net(event, &mut inputs);
            }
            turned = now();
            self.turns.take(inputs, turned)?;
            if self.turns.is_open() {
                let ends = *ends.get_or_insert_with(|| Instant::now() + GATHER);
                if Instant::now() < ends {
                    continue;
                }
            }
            ends = None;
            let told = self.turns.end()?;
            self.tell(told);
            self.gauge();
        }
        self.turns.end().map(drop)
    }

    fn take_net(&mut self, event: NetEvent, inputs: &mut Vec<Input>) {
        match event {
            NetEvent::Opened { peer, ip, answers, stream } => {
                self.streams.insert(peer, (stream, answers));
                let whereabouts = self.files.look_up(ip);
                inputs.push(Input::Connected { agent: peer, ip, whereabouts });
            }
            NetEvent::Closed { peer, stream } => {
                if self.streams.get(&peer).is_some_and(|(current, _)| *current == stream) {
                    self.streams.remove(&peer);
                    inputs.push(Input::Disconnected { agent: peer });
                }
            }
            NetEvent::Frame { peer, stream, frame } => {
                if self.streams.get(&peer).is_none_or(|(current, _)| *current != stream) {
                    return;
                }
                match AgentRequest::decode(&frame) {
                    (id, Ok(request)) => inputs.push(Input::Request { agent: peer, id, request }),
                    (id, Err(error)) => {
                        self.answer(peer, id, &CoordinatorReply::Refusal(Refusal::from(error)));
                    }
                }
            }
        }
    }

    fn take_question(&mut self, question: Question, reply: Reply, inputs: &mut Vec<Input>) {
        let mut secret = None;
        let order = match question {
            Question::Submit(spec) => Order::Submit(spec),
            Question::SetState { job, state } => Order::SetState { job, state },
            Question::Invite { seconds, trusted } => {
                let mut bytes = [0; 17];
                if getrandom::fill(&mut bytes).is_err() {
                    return;
                }
                let code = InviteCode::from_random(bytes);
                secret = Some(serde_json::json!({
                    "code": code.reveal(),
                    "address": self.address,
                }));
                let (fingerprint, expires) =
                    (code.fingerprint(), now() + Duration::from_secs(seconds));
                Order::Invite { fingerprint, expires, trusted }
            }
            Question::DecideAppeal { agent, upheld, why } => {
                Order::DecideAppeal { agent, upheld, why }
            }
            Question::Appeals => {
                return write_lines(reply, operator::appeals(&self.turns.coordinator));
            }
            Question::Jobs => return write_lines(reply, operator::jobs(&self.turns.coordinator)),
            Question::Agents => {
                return write_lines(reply, operator::agents(&self.turns.coordinator));
            }
            Question::Hosts => {
                return write_lines(reply, operator::hosts(&self.turns.coordinator, now()));
            }
            Question::Captures { job } => {
                let captures = operator::job_id(&self.turns.coordinator, &job)
                    .and_then(|id| operator::captures(&self.turns.store, id));
                let lines: Vec<Result<CaptureView, String>> = match captures {
                    Ok(captures) => captures.into_iter().map(Ok).collect(),
                    Err(error) => vec![Err(format!("{error:#}"))],
                };
                return write_lines(reply, lines);
            }
        };
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.tickets.insert(ticket, (reply, secret));
        inputs.push(Input::Operator { ticket, order });
    }

    fn tell(&mut self, told: Told) {
        for (agent, reply_to, reply) in told.answers {
            self.answer(agent, reply_to, &reply);
        }
        for (ticket, result) in told.operator {
            match self.tickets.remove(&ticket) {
                Some((reply, Some(invite))) => write_lines(reply, vec![invite]),
                Some((reply, None)) => {
                    let outcome = result.map_or_else(Outcome::Refused, Outcome::Done);
                    write_lines(reply, vec![outcome]);
                }
                None => {}
            }
        }
    }

    /// An agent that does not read its answers loses its stream: it asks again on the next.
    fn answer(&mut self, agent: PeerId, reply_to: u64, reply: &CoordinatorReply) {
        let Some((_, answers)) = self.streams.get(&agent) else { return };
        if answers.try_send(reply.encode(reply_to)).is_err() {
            self.streams.remove(&agent);
        }
    }

    fn gauge(&self) {
        let Turns { coordinator, metrics, .. } = &self.turns;
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        metrics.connected.set(count(self.turns.connected()));
        metrics.tasks.set(count(coordinator.tasks().len()));
        metrics.hosts.set(count(coordinator.frontier().hot()));
        metrics.ready.set(i64::from(!coordinator.archive_rests()));
    }
}

fn write_lines<T: serde::Serialize + Send + Sync + 'static>(mut reply: Reply, lines: Vec<T>) {
    tokio::spawn(async move {
        for line in lines {
            if reply.line(&line).await.is_err() {
                return;
            }
        }
    });
}
