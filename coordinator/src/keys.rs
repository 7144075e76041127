//! The coordinator's secrets: who it is, what signs receipts, what keys the seen-set, what draws are made from.

use crate::config::Layout;
use anyhow::Result;
use sward_control::{create_secret, read_secret};

/// The four secrets.
#[derive(Clone)]
pub struct Keys {
    /// Ed25519 seed of the transport identity, which agents pin.
    pub identity: [u8; 32],
    /// Ed25519 seed of the receipt key.
    pub receipts: [u8; 32],
    /// Keys the seen-set's fingerprints.
    pub seen: [u8; 32],
    /// What the seed chain of the draws grows from.
    pub draws: [u8; 32],
}

impl Keys {
    /// Draws new secrets and writes them.
    ///
    /// # Errors
    /// Where one exists, or cannot be written.
    pub fn create(layout: &Layout) -> Result<Self> {
        for name in ["identity", "receipts", "seen", "draws"] {
            create_secret(&layout.keys().join(name))?;
        }
        Self::load(layout)
    }

    /// Reads the secrets.
    ///
    /// # Errors
    /// Where one is missing, malformed, or readable by others.
    pub fn load(layout: &Layout) -> Result<Self> {
        let secret = |name: &str| read_secret(&layout.keys().join(name));
        Ok(Self {
            identity: secret("identity")?,
            receipts: secret("receipts")?,
            seen: secret("seen")?,
            draws: secret("draws")?,
        })
    }
}
