//! Which redirects are followed.
//!
//! Decides hop by hop: within one host only, five at most, never from https to http, never in a circle, never to what
//! the guard would not fetch in the first place. Never reads a Location header: the target comes resolved.

use super::{Guard, Refusal};
use sward_proto::canonical_url::CanonicalUrl;

/// How many redirects of one task are followed; RFC 9309 section 2.3.1.2 asks for five for robots.txt, and pages get
/// no more.
pub const MAX_REDIRECTS: usize = 5;

/// What becomes of a redirect that is not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectDecision {
    /// Fetch the target next, after resolving and checking it anew.
    Follow,
    /// The task ends here; the target is reported and becomes a URL of its own.
    OtherHost,
}

impl Guard {
    /// What to do about a redirect from `from` to `to`, when `earlier` are the URLs before `from` in the same task.
    ///
    /// # Errors
    /// [`Refusal`]: the task stops and reports it.
    pub fn check_redirect(
        &self,
        earlier: &[CanonicalUrl],
        from: &CanonicalUrl,
        to: &CanonicalUrl,
    ) -> Result<RedirectDecision, Refusal> {
        self.check_url(to)?;
        if from.as_url().scheme() == "https" && to.as_url().scheme() == "http" {
            return Err(Refusal::Downgrade(to.clone()));
        }
        if to == from || earlier.contains(to) {
            return Err(Refusal::RedirectLoop(to.clone()));
        }
        if to.host() != from.host() {
            return Ok(RedirectDecision::OtherHost);
        }
        if earlier.len() >= MAX_REDIRECTS {
            return Err(Refusal::TooManyRedirects(to.clone()));
        }
        Ok(RedirectDecision::Follow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::GuardConfig;

    fn decide(earlier: usize, from: &str, to: &str) -> Result<RedirectDecision, &'static str> {
        let url = |text: &str| text.parse::<CanonicalUrl>().expect("a url");
        let earlier: Vec<CanonicalUrl> =
            (0..earlier).map(|hop| url(&format!("http://a.example/{hop}"))).collect();
        let guard = Guard::new(GuardConfig::default());
        guard.check_redirect(&earlier, &url(from), &url(to)).map_err(|refusal| refusal.code())
    }

    #[test]
    fn only_a_public_new_page_of_the_same_host_is_followed() {
        let from = "http://a.example/x";
        assert_eq!(decide(0, from, "http://a.example/y"), Ok(RedirectDecision::Follow));
        assert_eq!(decide(4, from, "https://a.example/x"), Ok(RedirectDecision::Follow));
        assert_eq!(decide(5, from, "https://a.example/x"), Err("too_many_redirects"));
        assert_eq!(decide(0, from, "http://www.a.example/x"), Ok(RedirectDecision::OtherHost));
        assert_eq!(decide(5, from, "http://www.a.example/x"), Ok(RedirectDecision::OtherHost));
        assert_eq!(decide(0, from, from), Err("redirect_loop"));
        assert_eq!(decide(3, from, "http://a.example/1"), Err("redirect_loop"));
        assert_eq!(decide(0, "https://a.example/x", "http://a.example/y"), Err("downgrade"));
        assert_eq!(decide(0, "https://a.example/x", "http://b.example/y"), Err("downgrade"));
        assert_eq!(decide(0, from, "http://169.254.169.254/latest"), Err("address"));
        assert_eq!(decide(0, from, "http://localhost/"), Err("name"));
        assert_eq!(decide(0, from, "http://a.example:22/"), Err("port"));
    }
}
