//! A daemon's messages: to stderr, in colour on a terminal only.

use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// What is said unless `SWARD_LOG` asks for more or less: our own words, and of our libraries what matters.
const FILTER: &str = "info,libp2p_swarm=warn,rustls_platform_verifier=off";

/// Sends messages to stderr from now on. Call once, first thing in `main`.
pub fn messages_to_stderr() {
    let filter = EnvFilter::try_from_env("SWARD_LOG").unwrap_or_else(|_| EnvFilter::new(FILTER));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}
