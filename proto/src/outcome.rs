//! How a fetch can fail, and how a URL can end.
//!
//! Decides the two closed vocabularies that logs, attestations, exports and metrics share. Never decides which applies.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// Why an agent has no response to attest.
    FailureCode {
        /// robots.txt forbids it.
        Robots => "robots",
        /// The owner vetoed the site, category or purpose.
        OptOut => "opt_out",
        /// The guard refused the address, port or redirect.
        Guard => "policy",
        /// The name does not resolve.
        Dns => "dns",
        /// No connection.
        Connect => "connect",
        /// No trusted certificate for the host.
        Tls => "tls",
        /// The total deadline passed.
        Timeout => "timeout",
        /// Body or head past its limit.
        TooLarge => "too_large",
        /// The content coding could not be undone.
        Decode => "decode",
        /// A redirect loop or too many redirects.
        Redirect => "redirect",
        /// The response is not HTTP.
        Http => "http",
        /// The owner's cap or pause came first.
        Cap => "cap",
    }
}

vocabulary! {
    /// How a URL of a job ended.
    Outcome {
        /// Accepted.
        Ok => "ok",
        /// Forbidden by robots.txt.
        Robots => "robots",
        /// No agent's owner allows it.
        OptOut => "opt_out",
        /// Refused by rule: address, media type, limit.
        Policy => "policy",
        /// The name does not resolve.
        Dns => "dns",
        /// No connection.
        Connect => "connect",
        /// No trusted certificate.
        Tls => "tls",
        /// Too slow.
        Timeout => "timeout",
        /// Too large.
        TooLarge => "too_large",
        /// Gone or forbidden at the site.
        Http4xx => "http_4xx",
        /// The site asked for less.
        Http429 => "http_429",
        /// The site failed.
        Http5xx => "http_5xx",
        /// Moved to another host; the target is a URL of its own.
        Redirect => "redirect",
        /// Could not be decoded.
        Decode => "decode",
        /// No agent brought a result.
        AgentLost => "agent_lost",
        /// Independent agents saw different pages: contested, never accepted.
        Disagree => "disagree",
        /// A page of the coordinator's own, to check agents: paid, and in no corpus.
        Beacon => "beacon",
    }
}

impl From<FailureCode> for Outcome {
    fn from(code: FailureCode) -> Self {
        match code {
            FailureCode::Robots => Self::Robots,
            FailureCode::OptOut => Self::OptOut,
            FailureCode::Guard => Self::Policy,
            FailureCode::Dns => Self::Dns,
            FailureCode::Connect | FailureCode::Http => Self::Connect,
            FailureCode::Tls => Self::Tls,
            FailureCode::Timeout => Self::Timeout,
            FailureCode::TooLarge => Self::TooLarge,
            FailureCode::Decode => Self::Decode,
            FailureCode::Redirect => Self::Redirect,
            FailureCode::Cap => Self::AgentLost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_comes_back() {
        for word in FailureCode::ALL {
            assert_eq!(word.code().parse(), Ok(*word));
        }
        for word in Outcome::ALL {
            assert_eq!(word.code().parse(), Ok(*word));
        }
        assert!("fine".parse::<Outcome>().is_err());
    }
}
