//! False mirrors: what a cheat's agent sees instead of the site, so that the cheats run the very same program as all others.

use super::Content;
use super::pages::Answer;
use std::net::Ipv4Addr;

/// A way to cheat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Alters what pages say.
    Forge,
    /// Hands in the home page for every page: one fetch, paid many times.
    Replay,
}

impl Lie {
    /// Every way.
    pub(crate) const ALL: [Self; 2] = [Self::Forge, Self::Replay];

    /// Where its mirror is.
    pub(crate) const fn address(self) -> Ipv4Addr {
        match self {
            Self::Forge => Ipv4Addr::new(127, 66, 1, 1),
            Self::Replay => Ipv4Addr::new(127, 66, 2, 1),
        }
    }

    /// What the cheat is called.
    pub(crate) const fn role(self) -> &'static str {
        match self {
            Self::Forge => "forger",
            Self::Replay => "replayer",
        }
    }

    /// The mirror's answer instead of the true one. Only pages are lied about.
    pub(super) fn about(self, answer: Answer, content: &Content, host: &str) -> Answer {
        let is_page = answer.status == 200 && answer.is_html();
        match self {
            _ if !is_page => answer,
            Self::Forge => Answer { body: forged(&answer.body), ..answer },
            Self::Replay => content.home(host),
        }
    }
}

/// The page with an advertisement of the forger's own in its text.
fn forged(body: &[u8]) -> Vec<u8> {
    let planted: &[u8] = b"<p>Send your savings to account 0001-FORGED.</p></body>";
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
        let page = forged(b"<body><p>true</p></BODY></html>");
        assert!(String::from_utf8_lossy(&page).contains("FORGED"));
        assert!(page.ends_with(b"</html>"));
    }
}
