//! Frames on the one stream: a 4-byte big-endian length, then that many bytes.
//!
//! Decides where a frame ends and how large it may be. Does no input or output: bytes go in, frames come out.

/// The largest frame, in bytes: a page's links and heads fit with room to spare.
pub const MAX_FRAME_BYTES: usize = 1 << 20;

/// A peer that announces more than [`MAX_FRAME_BYTES`]: its connection is dropped, since where the next frame begins is
/// unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("frame of {0} bytes is over {MAX_FRAME_BYTES}")]
pub struct FrameTooLarge(pub usize);

/// Appends `payload` to `frames`, with its length before it.
///
/// # Errors
/// [`FrameTooLarge`]; then nothing is appended.
pub fn append(frames: &mut Vec<u8>, payload: &[u8]) -> Result<(), FrameTooLarge> {
    let length = u32::try_from(payload.len()).map_err(|_| FrameTooLarge(payload.len()))?;
    if payload.len() > MAX_FRAME_BYTES {
        return Err(FrameTooLarge(payload.len()));
    }
    frames.reserve(4 + payload.len());
    frames.extend_from_slice(&length.to_be_bytes());
    frames.extend_from_slice(payload);
    Ok(())
}

/// Cuts a byte stream into frames.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
    start: usize,
}

impl FrameReader {
    /// Takes bytes as they came from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` until more bytes come.
    ///
    /// # Errors
    /// [`FrameTooLarge`] as soon as the length is known; the stream is of no use after that.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>, FrameTooLarge> {
        let pending = self.buffer.get(self.start..).unwrap_or_default();
        let Some((length, rest)) = pending.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length > MAX_FRAME_BYTES {
            return Err(FrameTooLarge(length));
        }
        let frame = rest.get(..length).map(<[u8]>::to_vec);
        if frame.is_some() {
            self.start += 4 + length;
        }
        if self.start == self.buffer.len() {
            self.buffer = Vec::new(); // an idle connection holds no buffer
            self.start = 0;
        }
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oversize_frame_is_refused_before_its_bytes_come() {
        let mut reader = FrameReader::default();
        reader.push(&u32::MAX.to_be_bytes());
        assert_eq!(reader.next_frame(), Err(FrameTooLarge(u32::MAX as usize)));
        assert!(append(&mut Vec::new(), &vec![0; MAX_FRAME_BYTES + 1]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn frames_come_back_however_the_bytes_are_cut(
            payloads in proptest::collection::vec(proptest::collection::vec(0u8.., 0..50), 0..8),
            cut in 1usize..17,
        ) {
            let mut stream = Vec::new();
            payloads.iter().for_each(|payload| append(&mut stream, payload).expect("small"));
            let mut reader = FrameReader::default();
            let mut seen = Vec::new();
            for piece in stream.chunks(cut) {
                reader.push(piece);
                while let Some(frame) = reader.next_frame().expect("small") {
                    seen.push(frame);
                }
            }
            proptest::prop_assert_eq!(seen, payloads);
        }
    }
}
