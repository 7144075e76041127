//! The agent at work: one loop around the core.

use crate::config::{Config, Layout};
use crate::dialer::Dialer;
use crate::fetch::{FetchRequest, FetchSettings, Fetcher};
use crate::identity::Identity;
use crate::link::{self, LinkEvent, Target};
use crate::question::Question;
use crate::store::AgentStore;
use crate::surroundings::Surroundings;
use anyhow::{Context as _, Result};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use sward_agent_core::guard::{Guard, GuardConfig};
use sward_agent_core::input::{Fetched, Input};
use sward_agent_core::output::{FetchOrder, Output};
use sward_agent_core::sealed::Capture;
use sward_agent_core::session::{self, Session};
use sward_control::{Reply, Server};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::outcome::FailureCode;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::reply::CoordinatorReply;
use tokio::sync::mpsc;

/// How often this machine's addresses are looked up anew.
const LOOK_AROUND: Duration = Duration::from_secs(60);

/// An agent that is ready to run.
pub struct Agent {
    session: Session,
    store: AgentStore,
    config: Config,
    guard: Arc<RwLock<Guard>>,
    fetcher: Option<(String, Fetcher)>,
    requests: Option<mpsc::Sender<Vec<u8>>>,
    dials: mpsc::Sender<()>,
    link: mpsc::Receiver<LinkEvent>,
    questions: mpsc::Receiver<(Question, Reply)>,
    fetched: (mpsc::Sender<Input>, mpsc::Receiver<Input>),
}

/// The time, read once a turn.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The rules for this machine as it is now.
#[must_use]
pub fn guard(config: &Config) -> Guard {
    let Surroundings { own, on_link } = Surroundings::read();
    let developer_loopback = config.is_developer();
    Guard::new(GuardConfig { developer_loopback, own_addresses: own, on_link })
}

impl Agent {
    /// Reads everything that was stored and starts what serves the loop.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub fn start(layout: &Layout) -> Result<Self> {
        let config = Config::load(layout)?;
        let identity = Identity::load(layout)?;
        let (address, peer) = config.pinned()?;
        let store = AgentStore::open(layout)?;
        let control = Server::bind(&layout.socket()).with_context(|| {
            format!("cannot listen on {}: is another one running", layout.socket().display())
        })?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).context("the system gives no random numbers")?;
        let core = session::Config {
            peer: identity.peer,
            signer: identity.signer,
            lane: config.lane,
            payee: config.payee.clone(),
            invite: Some(config.invite_code()?),
            limits: config.limits.clone(),
            developer: config.is_developer(),
            software: concat!("sward-agent/", env!("CARGO_PKG_VERSION")).to_owned(),
            seed,
        };
        let session = Session::new(core, store.memory()?, now());
        let (dials, dial_receiver) = mpsc::channel(1);
        let (link_sender, link) = mpsc::channel(64);
        let (question_sender, questions) = mpsc::channel(16);
        let local_address = config.developer.as_ref().and_then(|d| d.local_address);
        let target = Target { address, peer };
        let dialer = Dialer { local_address };
        tokio::spawn(link::run(identity.seed, dialer, target, dial_receiver, link_sender));
        tokio::spawn(control.serve(question_sender));
        let guard = Arc::new(RwLock::new(guard(&config)));
        let fetched = mpsc::channel(64);
        let (fetcher, requests) = (None, None);
        Ok(Self {
            session,
            store,
            config,
            guard,
            fetcher,
            requests,
            dials,
            link,
            questions,
            fetched,
        })
    }

    /// Runs until `stop` resolves.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<()> {
        tokio::pin!(stop);
        let mut look = tokio::time::interval(LOOK_AROUND);
        self.session.handle_timeout(now());
        self.act().await?;
        loop {
            let wait = self.session.poll_timeout(now()).map(|due| due.since(now()));
            let wait = wait.unwrap_or(LOOK_AROUND).min(LOOK_AROUND);
            tokio::select! {
                biased;
                () = &mut stop => return self.store.sync(),
                Some((question, reply)) = self.questions.recv() => self.answer(question, reply).await,
                Some(event) = self.link.recv() => self.take_link(event),
                Some(input) = self.fetched.1.recv() => self.session.handle(input, now()),
                _ = look.tick() => self.look_around(),
                () = tokio::time::sleep(wait) => self.session.handle_timeout(now()),
            }
            self.act().await?;
        }
    }

    fn take_link(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Open(requests) => {
                self.requests = Some(requests);
                self.session.handle(Input::Connected, now());
            }
            LinkEvent::Closed(why) => {
                tracing::info!(why, "not connected");
                self.requests = None;
                self.session.handle(Input::Disconnected, now());
            }
            LinkEvent::Frame(frame) => match CoordinatorReply::decode(&frame) {
                Ok((id, reply)) => self.session.handle(Input::Reply { id, reply }, now()),
                Err(error) => {
                    tracing::warn!(%error, "the coordinator sent what is no answer");
                    self.requests = None;
                }
            },
        }
    }

    /// Does what the core wants, in order: what is stored is stored before what is sent.
    async fn act(&mut self) -> Result<()> {
        while let Some(output) = self.session.next_output() {
            match output {
                Output::Store(changes) => self.store.apply(changes)?,
                Output::Dial => drop(self.dials.try_send(())),
                Output::Send { id, request } => {
                    self.store.sync()?;
                    if let Some(requests) = &self.requests {
                        // A link that is gone says so by itself, and everything is asked anew.
                        drop(requests.send(request.encode(id)).await);
                    }
                }
                Output::Fetch(order) => self.fetch(order)?,
                Output::ReadSpool(token) => {
                    let capture = self.store.capture(token).map(Box::new);
                    self.session.handle(Input::SpoolRead { token, capture }, now());
                }
            }
        }
        Ok(())
    }

    fn fetch(&mut self, order: FetchOrder) -> Result<()> {
        let FetchOrder { ticket, url, max_bytes, media_types, rules } = order;
        let fetcher = self.fetcher()?;
        let done = self.fetched.0.clone();
        let veto = self.config.limits.clone();
        let may_fetch = move |hop: &CanonicalUrl| {
            if let Some(veto) = veto.veto_host(&hop.host()) {
                return Err((FailureCode::OptOut, veto));
            }
            let decision = rules.decide(hop.path_and_query());
            if decision.allowed {
                return Ok(());
            }
            Err((FailureCode::Robots, decision.rule.unwrap_or_default()))
        };
        tokio::spawn(async move {
            let request = FetchRequest { url, max_bytes, media_types };
            let fetched = fetcher.fetch(request, may_fetch).await;
            let capture =
                Capture { exchanges: fetched.exchanges, links: fetched.links, body: fetched.body };
            let fetched = Box::new(Fetched {
                observation: fetched.observation,
                elapsed_ms: fetched.elapsed_ms,
                wire_bytes: fetched.wire_bytes,
                blocks: fetched.blocks,
                capture,
            });
            drop(done.send(Input::Fetched { ticket, fetched }).await);
        });
        Ok(())
    }

    /// The fetcher, made anew when the coordinator's contact page has changed.
    fn fetcher(&mut self) -> Result<Fetcher> {
        let contact = self.session.contact();
        if let Some((made_for, fetcher)) = &self.fetcher
            && made_for == contact
        {
            return Ok(fetcher.clone());
        }
        let version = env!("CARGO_PKG_VERSION");
        let user_agent = format!("Mozilla/5.0 (compatible; SwardBot/{version}; +{contact})");
        let mut settings = FetchSettings::new(user_agent, Arc::clone(&self.guard));
        if let Some(developer) = &self.config.developer {
            settings.local_address = developer.local_address;
            settings.names = developer.names.clone();
            for path in &developer.roots {
                let pem = std::fs::read(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                settings.extra_roots.push(pem);
            }
        }
        let fetcher = Fetcher::new(settings)?;
        self.fetcher = Some((contact.to_owned(), fetcher.clone()));
        Ok(fetcher)
    }

    fn look_around(&self) {
        let Surroundings { own, on_link } = Surroundings::read();
        self.guard.write().unwrap_or_else(PoisonError::into_inner).update_local(own, on_link);
    }

    async fn answer(&mut self, question: Question, mut reply: Reply) {
        let answered = match question {
            Question::Status => reply.line(&self.session.view(now())).await,
            Question::Pause(paused) => {
                self.session.handle(Input::Pause(paused), now());
                reply.line(&self.session.view(now())).await
            }
            Question::Appeal { text } => {
                self.session.handle(Input::Appeal(text), now());
                reply.line(&self.session.view(now())).await
            }
            Question::Log { count } => {
                for line in self.store.log(count).unwrap_or_default() {
                    if reply.line(&line).await.is_err() {
                        return;
                    }
                }
                Ok(())
            }
        };
        if let Err(error) = answered {
            tracing::debug!(%error, "the asker went away");
        }
    }
}
