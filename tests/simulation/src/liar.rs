//! The attackers: what each makes of an honest session's fetches and messages.
//!
//! But for conspirators, liars never form two independent groups that agree on a lie: forgers differ, the others of a kind
//! share a payee or a network. So no lie of theirs can ever be accepted.

use crate::page;
use crate::sites;
use sward_agent_core::input::Fetched;
use sward_proto::attestation::Observation;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::wire::request::AgentRequest;

/// What an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Does what it says.
    Honest,
    /// Makes two pages in three up.
    Forger,
    /// Tells the truth until it has proved itself, then makes one page in three up.
    Sleeper,
    /// Hands in what it fetched before.
    Replayer,
    /// Makes pages up together with others of its kind, from one network.
    Colluder,
    /// Makes pages up together with others of its kind, each from a network of its own: two that meet are believed.
    Conspirator,
    /// Seals results that it cannot open.
    Lazy,
    /// Hands in another body than it attested.
    Swapper,
}

impl Role {
    /// Whether it tells the truth of every page.
    #[must_use]
    pub const fn is_honest(self) -> bool {
        matches!(self, Self::Honest)
    }

    /// Whether independent agents contradict it.
    #[must_use]
    pub const fn is_contradicted(self) -> bool {
        matches!(self, Self::Forger | Self::Replayer | Self::Colluder | Self::Conspirator)
    }
}

/// Pages of which a sleeper tells the truth: enough to have proved itself in most worlds.
const SLEEP: u64 = 15;

/// What a liar makes of its fetch number `count`, when `before` is the last page that it saw.
#[must_use]
pub fn twist_fetch(
    role: Role,
    agent: usize,
    url: &CanonicalUrl,
    fetched: Fetched,
    before: Option<&Fetched>,
    count: u64,
) -> Fetched {
    let response = matches!(fetched.observation, Observation::Response(_));
    if !response || url.path_and_query() == "/robots.txt" {
        return fetched;
    }
    let invent = |text: String| {
        let body = page::body(&text, &[], None);
        sites::response(url, 200, "text/html", body, None, 50)
    };
    match role {
        Role::Honest | Role::Lazy | Role::Swapper => fetched,
        Role::Forger => {
            let Digest(chance) = Digest::of(url.as_str().as_bytes());
            if chance[0] % 3 == 0 { fetched } else { invent(format!("forged by {agent}: {url}")) }
        }
        Role::Sleeper => {
            let Digest(chance) = Digest::of(url.as_str().as_bytes());
            let lies = count > SLEEP && chance[0] % 3 == 0;
            if lies { invent(format!("forged by {agent}: {url}")) } else { fetched }
        }
        Role::Colluder | Role::Conspirator => invent(format!("agreed among us: {url}")),
        Role::Replayer => match before {
            Some(before) => {
                sites::response(url, 200, "text/html", before.capture.body.clone(), None, 50)
            }
            None => fetched,
        },
    }
}

/// What a liar makes of a message.
#[must_use]
pub fn twist_request(role: Role, request: AgentRequest) -> AgentRequest {
    match (role, request) {
        (Role::Lazy, AgentRequest::Reveal(mut leaves)) => {
            for leaf in &mut leaves {
                leaf.salt.0 = [0; 16];
            }
            AgentRequest::Reveal(leaves)
        }
        (Role::Swapper, AgentRequest::UploadChunk { token, offset, data }) => {
            let data = data.iter().map(|byte| byte ^ 1).collect();
            AgentRequest::UploadChunk { token, offset, data }
        }
        (_, request) => request,
    }
}
