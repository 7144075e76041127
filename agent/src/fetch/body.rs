//! Reading a body off the wire.
//!
//! Decides when reading stops; what is not read is dropped with its connection. Never keeps coded bytes.

use super::decode::{Coding, DecodeError, Decoder};
use super::failure::Failure;
use reqwest::Response;
use sward_proto::wire::bounds::MAX_HOP_BODY_BYTES;

/// Reads a whole body of at most `max_bytes` and adds what came to `wire_bytes`, also where it fails.
pub(super) async fn whole(
    response: &mut Response,
    max_bytes: u64,
    wire_bytes: &mut u64,
) -> Result<Vec<u8>, Failure> {
    let coding = Coding::of(response.headers())?;
    let declared = response.content_length().unwrap_or_default();
    if coding == Coding::Identity && declared > max_bytes {
        return Err(DecodeError::TooLarge(max_bytes).into());
    }
    let mut decoder = Decoder::new(coding, max_bytes);
    read(response, &mut decoder, wire_bytes).await?;
    Ok(decoder.into_kept())
}

/// Reads the body of a redirect, as much as is archived of it, and says whether there is more. Nothing rests on such a
/// body, so one that is broken counts as cut there.
pub(super) async fn of_hop(response: &mut Response, wire_bytes: &mut u64) -> (Vec<u8>, bool) {
    let Ok(coding) = Coding::of(response.headers()) else { return (Vec::new(), true) };
    let mut decoder = Decoder::new(coding, MAX_HOP_BODY_BYTES as u64);
    let is_cut = read(response, &mut decoder, wire_bytes).await.is_err();
    (decoder.into_kept(), is_cut)
}

async fn read(
    response: &mut Response,
    decoder: &mut Decoder,
    wire_bytes: &mut u64,
) -> Result<(), Failure> {
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::reading(&error))? {
        *wire_bytes = wire_bytes.saturating_add(chunk.len() as u64);
        decoder.push(&chunk)?;
    }
    Ok(decoder.end()?)
}
