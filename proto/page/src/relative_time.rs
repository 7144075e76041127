//! "3 minutes ago": a time that is told by how long ago it was.
//!
//! Decides which words of a text are one, and what stands for them wherever copies of a page are compared: such words are
//! others at each load, and say no more than the date of the fetch and the page's own dates do. Only seconds, minutes and
//! hours count; a page that says "3 days ago" says so for a day. Where they stand for agreement they are not published
//! either (`attested`), so whoever alters them alters nothing that is exported.

use std::borrow::Cow;

/// What stands for number and unit.
const STAND_IN: char = '…';

/// The longest number that is one: 999 minutes are most of a day.
const MAX_DIGITS: usize = 3;

/// Words before the number, units, words after them.
type Pattern = (&'static str, &'static [&'static str], &'static str);

/// The past forms for seconds, minutes and hours in [Unicode CLDR](https://cldr.unicode.org/) (`dateFields`,
/// `relativeTime-type-past`), with the short forms of English. A unit that begins another stands after it.
const PATTERNS: [Pattern; 13] = [
    (
        "",
        &[
            "seconds", "second", "secs", "sec", "s", "minutes", "minute", "mins", "min", "m",
            "hours", "hour", "hrs", "hr", "h",
        ],
        "ago",
    ),
    ("vor", &["sekunden", "sekunde", "minuten", "minute", "stunden", "stunde"], ""),
    ("il y a", &["secondes", "seconde", "minutes", "minute", "heures", "heure"], ""),
    ("hace", &["segundos", "segundo", "minutos", "minuto", "horas", "hora"], ""),
    ("há", &["segundos", "segundo", "minutos", "minuto", "horas", "hora"], ""),
    ("", &["secondi", "secondo", "minuti", "minuto", "ore", "ora"], "fa"),
    ("", &["seconden", "seconde", "minuten", "minuut", "uur"], "geleden"),
    (
        "",
        &[
            "sekundę", "sekundy", "sekund", "minutę", "minuty", "minut", "godzinę", "godziny",
            "godzin",
        ],
        "temu",
    ),
    (
        "",
        &["секунду", "секунды", "секунд", "минуту", "минуты", "минут", "часов", "часа", "час"],
        "назад",
    ),
    ("", &["saniye", "dakika", "saat"], "önce"),
    ("", &["秒", "分", "時間"], "前"),
    ("", &["秒钟", "秒", "分钟", "小时"], "前"),
    ("", &["초", "분", "시간"], "전"),
];

/// The text with a stand-in for number and unit of each relative time.
pub(crate) fn without_relative_times(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(text);
    }
    let (mut done, mut from, mut at) = (String::new(), 0, 0);
    while let Some(start) = next_digit(text, at) {
        let (before, rest) = text.split_at(start);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        at = start + digits;
        let behind = rest.get(digits..).unwrap_or_default();
        let is_number = digits <= MAX_DIGITS && !before.ends_with(is_part_of_a_number);
        if let Some(length) = unit(before, behind).filter(|_| is_number) {
            done.push_str(text.get(from..start).unwrap_or_default());
            done.push(STAND_IN);
            at += length;
            from = at;
        }
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    done.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(done)
}

fn next_digit(text: &str, from: usize) -> Option<usize> {
    let at = text.get(from..)?.bytes().position(|byte| byte.is_ascii_digit())?;
    Some(from + at)
}

fn is_part_of_a_number(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | ',' | ':' | '-' | '/')
}

/// How many bytes after a number are white space and the unit of a relative time.
fn unit(before: &str, behind: &str) -> Option<usize> {
    let unit = behind.trim_start();
    PATTERNS.iter().find_map(|(prefix, units, suffix)| {
        if !ends_in(before, prefix) {
            return None;
        }
        let rest =
            units.iter().find_map(|name| after(unit, name).filter(|rest| ends(rest, suffix)))?;
        Some(behind.len() - rest.len())
    })
}

/// Whether what stands behind a unit completes the relative time.
fn ends(rest: &str, suffix: &str) -> bool {
    // Words of Chinese and Japanese follow each other without a space.
    let whole = |rest: &str| suffix == "前" || !rest.starts_with(char::is_alphanumeric);
    if suffix.is_empty() {
        return whole(rest);
    }
    after(rest.trim_start(), suffix).is_some_and(whole)
}

/// The text behind a word that it begins with, in any case.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (begin, rest) = text.split_at_checked(word.len())?;
    (begin == word || begin.to_lowercase() == word).then_some(rest)
}

/// Whether a text ends in these words, in any case.
fn ends_in(text: &str, words: &str) -> bool {
    let text = text.trim_end();
    let begin = text.len().checked_sub(words.len()).and_then(|at| text.split_at_checked(at));
    words.is_empty()
        || begin.is_some_and(|(before, end)| {
            end.to_lowercase() == words && !before.ends_with(char::is_alphanumeric)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_times_of_one_day_are_one_text() {
        for (one, other, masked) in [
            ("Updated 3 minutes ago", "Updated 1 hour ago", "Updated … ago"),
            ("59 secs ago, by A", "2 Min Ago, by A", "…"),
            ("vor 3 Minuten", "Vor 59 Sekunden", "…"),
            ("il y a 1 minute.", "il y a 2 minutes.", "il y a …."),
            ("hace 2 horas", "hace 12 segundos", "hace …"),
            ("há 2 horas", "há 1 minuto", "há …"),
            ("2 ore fa", "1 ora fa", "… fa"),
            ("5 minuten geleden", "1 uur geleden", "… geleden"),
            ("5 minut temu", "2 godziny temu", "… temu"),
            ("5 минут назад", "1 час назад", "… назад"),
            ("5 dakika önce", "1 saat önce", "… önce"),
            ("更新：5分钟前发布", "更新：1小时前发布", "更新：…前发布"),
            ("5分前", "2時間前", "…前"),
            ("5분 전", "2시간 전", "… 전"),
        ] {
            let (one, other) = (without_relative_times(one), without_relative_times(other));
            assert!(one.contains(masked), "{one}");
            assert_eq!(
                one.to_lowercase().replace("min", ""),
                other.to_lowercase().replace("min", "")
            );
        }
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "12 coins",
            "3 days ago",
            "2 minutes",
            "3 minutes agony",
            "vor 12 Jahren",
            "vor 5 Minutenzeigern",
            "Favor 5 minutes",
            "room 1234 s ago",
            "12:30 h ago",
            "v1.3 m ago",
            "a3 minutes ago",
            "5",
            "5 前",
        ] {
            assert_eq!(without_relative_times(text), text);
        }
    }
}
