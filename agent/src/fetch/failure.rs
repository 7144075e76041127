//! Why there is no response.
//!
//! Decides which [`FailureCode`] each error of the client, the guard and the decoder is, and words it within the wire's
//! bounds. Never hides a guard's refusal behind a failed connection: the typed error is taken out of the client's.

use super::decode::DecodeError;
use super::resolver::ResolveError;
use std::error::Error;
use std::fmt::Display;
use std::io;
use std::iter::successors;
use std::time::Duration;
use sward_agent_core::guard::Refusal;
use sward_proto::outcome::FailureCode;
use sward_proto::wire::bounds::MAX_TEXT_BYTES;

/// What hyper says of a head past its buffer or its number of headers. Its error type is not re-exported by reqwest.
const HEAD_TOO_LARGE: &str = "message head is too large";

/// A failure in the attestation's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: FailureCode,
    pub(super) detail: String,
}

impl Failure {
    /// A failure; the detail is cut to the wire's bound and loses its control characters.
    pub(super) fn new(code: FailureCode, detail: impl Display) -> Self {
        let text = detail.to_string();
        let end = text.floor_char_boundary(MAX_TEXT_BYTES);
        let kept = text.get(..end).unwrap_or_default();
        let spaced = kept.chars().map(|c| if c.is_control() { ' ' } else { c });
        // U+0080 to U+009F are two bytes, a space is one: the text only gets shorter.
        Self { code, detail: spaced.collect() }
    }

    /// The deadline of the whole fetch.
    pub(super) fn deadline(deadline: Duration) -> Self {
        let limit = format_args!("no complete response within {} ms", deadline.as_millis());
        Self::new(FailureCode::Timeout, limit)
    }

    /// An error before the head of the response was there.
    pub(super) fn sending(error: &reqwest::Error) -> Self {
        let causes = || successors(Some(error as &(dyn Error + 'static)), |error| cause(*error));
        if let Some(refused) = causes().find_map(<dyn Error>::downcast_ref::<ResolveError>) {
            return refused.into();
        }
        let code = if causes().any(<dyn Error>::is::<rustls::Error>) {
            FailureCode::Tls
        } else if error.is_connect() {
            FailureCode::Connect
        } else if causes().any(|cause| cause.to_string() == HEAD_TOO_LARGE) {
            FailureCode::TooLarge
        } else {
            FailureCode::Http
        };
        Self::new(code, innermost(error))
    }

    /// An error within the body.
    pub(super) fn reading(error: &reqwest::Error) -> Self {
        Self::new(FailureCode::Http, innermost(error))
    }
}

impl From<(FailureCode, String)> for Failure {
    fn from((code, detail): (FailureCode, String)) -> Self {
        Self::new(code, detail)
    }
}

impl From<&Refusal> for Failure {
    fn from(refusal: &Refusal) -> Self {
        let code = match refusal {
            Refusal::RedirectLoop(_) | Refusal::TooManyRedirects(_) => FailureCode::Redirect,
            Refusal::NoAddress => FailureCode::Dns,
            Refusal::Port(_)
            | Refusal::Address(..)
            | Refusal::Name(..)
            | Refusal::OwnAddress(_)
            | Refusal::OnLink(_)
            | Refusal::Downgrade(_) => FailureCode::Guard,
        };
        Self::new(code, format_args!("{}: {refusal}", refusal.code()))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        (&refusal).into()
    }
}

impl From<&ResolveError> for Failure {
    fn from(error: &ResolveError) -> Self {
        match error {
            ResolveError::Refused(refusal) => refusal.into(),
            ResolveError::Unresolved { .. } => Self::new(FailureCode::Dns, error),
            ResolveError::Unasked(_) => Self::new(FailureCode::Guard, error),
        }
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        let code = match error {
            DecodeError::TooLarge(_) => FailureCode::TooLarge,
            DecodeError::Coding(_) | DecodeError::Corrupt(_) => FailureCode::Decode,
        };
        Self::new(code, error)
    }
}

/// The next error inwards. An `io::Error` names the source of what it wraps, so what it wraps would be skipped.
fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

fn innermost(error: &reqwest::Error) -> String {
    let first: &(dyn Error + 'static) = error;
    successors(Some(first), |error| cause(*error)).last().unwrap_or(first).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn guard_refusals_keep_their_word() {
        let url = || "http://a.example/".parse().expect("a url");
        let failure = |refusal: Refusal| Failure::from(refusal);
        assert_eq!(failure(Refusal::Port(22)).code, FailureCode::Guard);
        assert!(failure(Refusal::Port(22)).detail.starts_with("port: port 22 is not dialled"));
        assert_eq!(failure(Refusal::Downgrade(url())).code, FailureCode::Guard);
        assert_eq!(failure(Refusal::RedirectLoop(url())).code, FailureCode::Redirect);
        assert_eq!(failure(Refusal::TooManyRedirects(url())).code, FailureCode::Redirect);
        assert_eq!(failure(Refusal::NoAddress).code, FailureCode::Dns);
    }

    proptest! {
        #[test]
        fn any_detail_fits_the_wire(text in "\\PC{0,100}[\\x00-\\x9f]{0,100}\\PC{0,200}") {
            let detail = Failure::new(FailureCode::Http, &text).detail;
            prop_assert!(detail.len() <= MAX_TEXT_BYTES && !detail.chars().any(char::is_control));
        }
    }
}
