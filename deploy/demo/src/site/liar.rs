//! False mirrors: what a cheat's agent sees instead of the site, so that the cheats run the very same program as all others.

use super::Content;
use super::pages::Answer;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A way to cheat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Alters what pages say.
    Forge,
    /// Hands in the home page for every page: one fetch, paid many times.
    Replay,
    /// Tells the truth until it may be thought to be trusted, and then forges.
    Sleep,
    /// Alters pages as its accomplice does, so that the two vouch for each other.
    Collude,
    /// Tells the truth, but fetches nothing: all that it hands in was fetched by another's machine.
    Copy,
}

/// Pages of which a sleeper tells the truth.
const ASLEEP: usize = 6;

impl Lie {
    /// Every way.
    pub(crate) const ALL: [Self; 5] =
        [Self::Forge, Self::Replay, Self::Sleep, Self::Collude, Self::Copy];

    /// Where its mirror is.
    pub(crate) const fn address(self) -> Ipv4Addr {
        match self {
            Self::Forge => Ipv4Addr::new(127, 66, 1, 1),
            Self::Replay => Ipv4Addr::new(127, 66, 2, 1),
            Self::Sleep => Ipv4Addr::new(127, 66, 3, 1),
            Self::Collude => Ipv4Addr::new(127, 66, 4, 1),
            Self::Copy => Ipv4Addr::new(127, 66, 5, 1),
        }
    }

    /// What the cheat is called.
    pub(crate) const fn role(self) -> &'static str {
        match self {
            Self::Forge => "forger",
            Self::Replay => "replayer",
            Self::Sleep => "sleeper",
            Self::Collude => "colluder",
            Self::Copy => "copier",
        }
    }

    /// The mirror's answer instead of the true one. Only pages are lied about; `served` counts those.
    pub(super) fn about(
        self,
        answer: Answer,
        content: &Content,
        host: &str,
        served: &AtomicUsize,
    ) -> Answer {
        if answer.status != 200 || !answer.is_html() {
            return answer;
        }
        let before = served.fetch_add(1, Ordering::Relaxed);
        match self {
            Self::Forge => Answer { body: forged(&answer.body, "0001"), ..answer },
            Self::Replay => content.home(host),
            Self::Copy => answer,
            Self::Sleep if before < ASLEEP => answer,
            Self::Sleep => Answer { body: forged(&answer.body, "0002"), ..answer },
            Self::Collude => Answer { body: forged(&answer.body, "0003"), ..answer },
        }
    }
}

/// The page with an advertisement of the forger's own in its text.
fn forged(body: &[u8], account: &str) -> Vec<u8> {
    let planted = format!("<p>Send your savings to account {account}-FORGED.</p></body>");
    let planted = planted.as_bytes();
    let end = body.windows(7).rposition(|window| window.eq_ignore_ascii_case(b"</body>"));
    match end {
        Some(end) => [&body[..end], planted, &body[end + 7..]].concat(),
        None => [body, planted].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_page_says_something_else() {
        let page = forged(b"<body><p>true</p></BODY></html>", "1");
        assert!(String::from_utf8_lossy(&page).contains("FORGED"));
        assert!(page.ends_with(b"</html>"));
    }
}
