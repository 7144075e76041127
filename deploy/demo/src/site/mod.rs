//! The site that is crawled, and the false mirrors that the cheats fetch from instead.
//!
//! Decides nothing about the crawl. One process serves the true site and each mirror on an address of its own, with the same
//! ports, so that one name leads each agent to its own world.

mod folder;
mod liar;
mod listen;
mod pages;
mod tunnel;

pub(crate) use liar::Lie;
pub(crate) use pages::{PLAIN_HOST, SECURE_HOST};

use crate::certificate;
use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use clap::Parser;
use folder::Folder;
use pages::Generated;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// Where the true site is.
pub(crate) const TRUTH: Ipv4Addr = Ipv4Addr::new(127, 7, 7, 1);

/// Where the coordinator's own pages are, and under which name.
pub(crate) const BEACON: Ipv4Addr = Ipv4Addr::new(127, 7, 7, 9);
/// See [`BEACON`].
pub(crate) const BEACON_HOST: &str = "notes.sward.test";
/// Whose machine the copier uses.
pub(crate) const COPIED: Ipv4Addr = Ipv4Addr::new(127, 0, 23, 1);

/// What the site is started with.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// Serves this folder instead of generated pages.
    #[arg(long)]
    pages: Option<PathBuf>,
    /// Where the certificate authority is written.
    #[arg(long)]
    authority: PathBuf,
    /// Changes the generated pages.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// What the site says once it listens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// The port of plain HTTP.
    pub(crate) http: u16,
    /// The port of HTTPS.
    pub(crate) https: u16,
    /// Pages that an honest crawl accepts.
    pub(crate) acceptable: usize,
}

/// What is served.
#[derive(Debug)]
enum Content {
    Generated(Generated),
    Folder(Folder),
}

/// One world: the content, true or not.
#[derive(Debug, Clone)]
struct World {
    content: Arc<Content>,
    lie: Option<Lie>,
    /// Pages that were served in it.
    served: Arc<AtomicUsize>,
}

/// Serves until the process is ended.
pub(crate) fn run(options: Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("runtime")?;
    runtime.block_on(serve(options))
}

async fn serve(options: Options) -> Result<()> {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        bail!("another TLS provider is installed already");
    }
    let certificate = certificate::make(SECURE_HOST)?;
    std::fs::write(&options.authority, &certificate.authority)
        .with_context(|| format!("cannot write {}", options.authority.display()))?;
    let addresses: Vec<Ipv4Addr> =
        std::iter::once(TRUTH).chain(Lie::ALL.iter().map(|lie| lie.address())).collect();
    let plain = listen::on_one_port(&addresses).await?;
    let secure = listen::on_one_port(&addresses).await?;
    let (http, https) = (plain.port, secure.port);
    let content = match options.pages {
        Some(folder) => Content::Folder(Folder::read(folder)?),
        None => Content::Generated(Generated::new(options.seed, http, https)),
    };
    let acceptable = match &content {
        Content::Generated(pages) => pages.acceptable(),
        Content::Folder(folder) => folder.pages(),
    };
    let content = Arc::new(content);
    let lies = std::iter::once(None).chain(Lie::ALL.iter().copied().map(Some));
    for ((plain, secure), lie) in plain.listeners.into_iter().zip(secure.listeners).zip(lies) {
        let world = World { content: Arc::clone(&content), lie, served: Arc::default() };
        let router = Router::new().fallback(answer).with_state(world);
        let secure = listen::Tls::new(secure, Arc::clone(&certificate.server));
        tokio::spawn(axum::serve(plain, router.clone()).into_future());
        tokio::spawn(axum::serve(secure, router).into_future());
    }
    let ready = serde_json::to_string(&Ready { http, https, acceptable })?;
    writeln!(std::io::stdout(), "{ready}")?;
    std::future::pending().await
}

async fn answer(State(world): State<World>, request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let host = request.headers().get("host").and_then(|host| host.to_str().ok());
    let host = host.or(request.uri().host()).unwrap_or_default();
    if world.lie == Some(Lie::Copy) && host.split(':').next() == Some(BEACON_HOST) {
        let answer = tunnel::fetch(BEACON, COPIED, host, path).await;
        return answer.unwrap_or_else(|_| pages::Answer::missing()).into_response();
    }
    let answer = match &*world.content {
        Content::Generated(pages) => pages.answer(host, path),
        Content::Folder(folder) => folder.answer(path),
    };
    if let Some(pause) = answer.pause {
        tokio::time::sleep(pause).await;
    }
    match world.lie {
        Some(lie) => lie.about(answer, &world.content, host, &world.served).into_response(),
        None => answer.into_response(),
    }
}

impl Content {
    fn home(&self, host: &str) -> pages::Answer {
        match self {
            Self::Generated(pages) => pages.answer(host, "/"),
            Self::Folder(folder) => folder.answer("/"),
        }
    }
}
