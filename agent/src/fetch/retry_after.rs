//! How long a site asks us to stay away.
//!
//! Decides the number of seconds that a Retry-After header means (RFC 9110 section 10.2.3). Never waits.

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use std::time::SystemTime;

/// The longest wait that is reported, in seconds: one day. Robots.txt is read anew as often (RFC 9309 section 2.4).
const MAX_RETRY_AFTER_S: u64 = 24 * 60 * 60;

/// The wait in seconds, none where the header is missing, is neither a number nor a date, or asks for none. A date
/// counts from the response's own Date, which spares us the difference of two clocks; without one, from `now`.
pub(super) fn seconds(headers: &HeaderMap, now: SystemTime) -> Option<u32> {
    let value = text(headers, RETRY_AFTER)?;
    let seconds = if value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number past 64 bits is a long wait too.
        value.parse().unwrap_or(u64::MAX)
    } else {
        let until = httpdate::parse_http_date(value).ok()?;
        let date = text(headers, DATE).and_then(|date| httpdate::parse_http_date(date).ok());
        until.duration_since(date.unwrap_or(now)).ok()?.as_secs()
    };
    u32::try_from(seconds.min(MAX_RETRY_AFTER_S)).ok().filter(|seconds| *seconds > 0)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    Some(value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn seconds(value: &str, date: Option<&str>) -> Option<u32> {
        let mut headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().expect("a value"))]);
        if let Some(date) = date {
            headers.insert(DATE, date.parse().expect("a value"));
        }
        // Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110 section 5.6.7.
        super::seconds(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777))
    }

    #[test]
    fn numbers_and_dates_are_read_and_bounded() {
        assert_eq!(seconds("120", None), Some(120));
        assert_eq!(seconds("99999999999999999999999", None), Some(86_400));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:50:37 GMT", None), Some(60));
        let date = Some("Sun, 06 Nov 1994 08:50:27 GMT");
        assert_eq!(seconds("Sun, 06 Nov 1994 08:50:37 GMT", date), Some(10));
        assert_eq!(seconds("Sat, 06 Nov 2094 08:50:37 GMT", date), Some(86_400));
    }

    #[test]
    fn what_asks_for_no_wait_is_none() {
        for value in [
            "",
            "0",
            "-1",
            "1.5",
            "soon",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Tue, 06 Nov 1984 08:49:37 GMT",
        ] {
            assert_eq!(seconds(value, None), None, "{value}");
        }
    }
}
