//! Who this agent is: an Ed25519 key made on this device, readable by its owner alone.

use crate::config::Layout;
use anyhow::Result;
use sward_control::{create_secret, read_secret};
use sward_proto::ids::PeerId;
use sward_proto::note::NoteSigner;

/// The key, as transport and receipts use it.
#[derive(Clone)]
pub struct Identity {
    /// The Ed25519 seed.
    pub seed: [u8; 32],
    /// The peer id of its public key.
    pub peer: PeerId,
    /// Signs batches and receipts.
    pub signer: NoteSigner,
}

impl Identity {
    /// Draws a new key and writes it.
    ///
    /// # Errors
    /// Where one exists, or it cannot be written.
    pub fn create(layout: &Layout) -> Result<Self> {
        create_secret(&layout.key())?;
        Self::load(layout)
    }

    /// Reads the key.
    ///
    /// # Errors
    /// Where it is missing, malformed, or readable by others.
    pub fn load(layout: &Layout) -> Result<Self> {
        let seed = read_secret(&layout.key())?;
        let anonymous = NoteSigner::from_seed("agent".parse()?, &seed);
        let peer = PeerId::from_public_key(*anonymous.verifier_key().public_key())?;
        let signer = NoteSigner::from_seed(peer.to_string().parse()?, &seed);
        Ok(Self { seed, peer, signer })
    }
}
