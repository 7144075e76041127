//! A body without its content coding.
//!
//! Decides which codings are undone (none, or gzip once) and when a body is too large, as it is decoded: at no time is
//! more kept than the limit. A bomb is stopped there, and an endless coding of nothing by its own length. Never guesses
//! a coding that the head does not name.

use flate2::write::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use std::io::{self, Write};
use std::mem;

/// How much longer than its limit a body may be as it comes: stored blocks and headers of gzip (RFC 1952) add a little
/// to what cannot be compressed.
const CODING_SLACK_BYTES: u64 = 64 << 10;

/// Why a body could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    /// A coding other than gzip, or more than one.
    #[error("content coding {0:?} is not undone here, only gzip")]
    Coding(String),
    /// Past the limit.
    #[error("body of more than {0} bytes")]
    TooLarge(u64),
    /// Not the coding that the head names, or cut short.
    #[error("body is not whole gzip: {0}")]
    Corrupt(String),
}

/// A content coding that is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
}

impl Coding {
    /// The coding that a head names (RFC 9110 section 8.4; `x-gzip` is gzip by section 8.4.1.3).
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, DecodeError> {
        let lines = headers.get_all(CONTENT_ENCODING).iter();
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let all = lines.join(",").to_ascii_lowercase();
        match all.trim() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            _ => Err(DecodeError::Coding(all)),
        }
    }
}

/// Takes a body chunk by chunk.
pub(super) struct Decoder {
    stage: Stage,
    coded_bytes: u64,
    max_bytes: u64,
}

enum Stage {
    Identity(Capped),
    Gzip(Box<MultiGzDecoder<Capped>>),
}

impl Decoder {
    /// A decoder that keeps `max_bytes` at most.
    pub(super) fn new(coding: Coding, max_bytes: u64) -> Self {
        let kept = Capped { bytes: Vec::new(), max_bytes, is_over: false };
        let stage = match coding {
            Coding::Identity => Stage::Identity(kept),
            Coding::Gzip => Stage::Gzip(Box::new(MultiGzDecoder::new(kept))),
        };
        Self { stage, coded_bytes: 0, max_bytes }
    }

    /// Takes the next chunk. After an error the decoder is good for [`Self::into_kept`] only.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), DecodeError> {
        self.coded_bytes = self.coded_bytes.saturating_add(chunk.len() as u64);
        if self.coded_bytes > self.max_bytes.saturating_add(CODING_SLACK_BYTES) {
            return Err(DecodeError::TooLarge(self.max_bytes));
        }
        let written = match &mut self.stage {
            Stage::Identity(kept) => kept.write_all(chunk),
            Stage::Gzip(decoder) => decoder.write_all(chunk),
        };
        written.map_err(|error| self.error(&error))
    }

    /// Says that the body has ended. A body of no bytes is whole in any coding, as answers without content have it.
    pub(super) fn end(&mut self) -> Result<(), DecodeError> {
        let ended = match &mut self.stage {
            Stage::Gzip(decoder) if self.coded_bytes > 0 => decoder.try_finish(),
            Stage::Gzip(_) | Stage::Identity(_) => Ok(()),
        };
        ended.map_err(|error| self.error(&error))
    }

    /// What was decoded, whole or not.
    pub(super) fn into_kept(mut self) -> Vec<u8> {
        mem::take(&mut self.kept().bytes)
    }

    fn kept(&mut self) -> &mut Capped {
        match &mut self.stage {
            Stage::Identity(kept) => kept,
            Stage::Gzip(decoder) => decoder.get_mut(),
        }
    }

    fn error(&mut self, error: &io::Error) -> DecodeError {
        if self.kept().is_over {
            return DecodeError::TooLarge(self.max_bytes);
        }
        DecodeError::Corrupt(error.to_string())
    }
}

/// Keeps bytes up to a limit and refuses the next.
struct Capped {
    bytes: Vec<u8>,
    max_bytes: u64,
    is_over: bool,
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.max_bytes.saturating_sub(self.bytes.len() as u64);
        let fits = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        if fits == 0 && !bytes.is_empty() {
            self.is_over = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend(bytes.iter().take(fits));
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    }

    fn decode(coded: &[u8], chunk: usize, max_bytes: u64) -> Result<Vec<u8>, DecodeError> {
        let mut decoder = Decoder::new(Coding::Gzip, max_bytes);
        coded.chunks(chunk).try_for_each(|chunk| decoder.push(chunk))?;
        decoder.end()?;
        Ok(decoder.into_kept())
    }

    fn coding(lines: &[&'static str]) -> Result<Coding, DecodeError> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(line));
        }
        Coding::of(&headers)
    }

    #[test]
    fn one_gzip_is_undone_and_nothing_else() {
        for lines in [&[][..], &[""], &["Identity"]] {
            assert_eq!(coding(lines), Ok(Coding::Identity), "{lines:?}");
        }
        assert_eq!(coding(&["GZip "]), Ok(Coding::Gzip));
        assert_eq!(coding(&["x-gzip"]), Ok(Coding::Gzip));
        for lines in [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"], &["deflate"], &["zstd,gzip"]]
        {
            assert!(matches!(coding(lines), Err(DecodeError::Coding(_))), "{lines:?}");
        }
    }

    #[test]
    fn every_cut_is_seen_but_the_cut_of_everything() {
        let two = [gzip(b"one"), gzip(b"two")].concat();
        let whole = [gzip(b"one").len(), two.len()];
        assert_eq!(decode(&two, 7, 6), Ok(b"onetwo".to_vec()));
        assert_eq!(decode(&[], 7, 6), Ok(Vec::new()));
        for end in (1..two.len()).filter(|end| !whole.contains(end)) {
            let cut = two.get(..end).unwrap_or_default();
            assert!(matches!(decode(cut, 7, 6), Err(DecodeError::Corrupt(_))), "{end}");
        }
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit_and_an_endless_nothing_too() {
        let bomb = gzip(&vec![0; 10 << 20]);
        let mut decoder = Decoder::new(Coding::Gzip, 1 << 20);
        assert_eq!(decoder.push(&bomb), Err(DecodeError::TooLarge(1 << 20)));
        assert_eq!(decoder.into_kept().len(), 1 << 20);
        let nothing = gzip(b"").repeat(8192);
        assert_eq!(decode(&nothing, 4096, 10), Err(DecodeError::TooLarge(10)));
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(
            body in proptest::collection::vec(any::<u8>(), 0..600),
            chunk in 1_usize..700,
            max_bytes in 0_u64..700,
        ) {
            let decoded = decode(&gzip(&body), chunk, max_bytes);
            if body.len() as u64 <= max_bytes {
                prop_assert_eq!(decoded, Ok(body));
            } else {
                prop_assert_eq!(decoded, Err(DecodeError::TooLarge(max_bytes)));
            }
        }

        #[test]
        fn noise_never_panics_and_never_passes_the_limit(
            noise in proptest::collection::vec(any::<u8>(), 0..200),
            cut in 0_usize..40,
            chunk in 1_usize..50,
        ) {
            let mut coded = gzip(b"some text that is text");
            coded.truncate(cut);
            coded.extend(noise);
            let mut decoder = Decoder::new(Coding::Gzip, 30);
            let _ = coded.chunks(chunk).try_for_each(|chunk| decoder.push(chunk));
            prop_assert!(decoder.into_kept().len() <= 30);
        }
    }
}
