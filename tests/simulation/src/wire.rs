//! The connections: reliable and in order while they live, and everything in flight lost when they break.

use crate::chance::Chance;
use std::time::Duration;
use sward_proto::timestamp::Timestamp;

/// One agent's connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct Link {
    /// The one that lives.
    pub conn: Option<u64>,
    up: Timestamp,
    down: Timestamp,
}

/// All connections.
#[derive(Debug)]
pub struct Wire {
    links: Vec<Link>,
    next: u64,
    /// One agent in so many cannot be reached.
    pub partition: Option<usize>,
    chance: Chance,
}

impl Wire {
    /// Nobody is connected.
    #[must_use]
    pub fn new(seed: u64, agents: usize) -> Self {
        let links = vec![Link::default(); agents];
        Self { links, next: 1, partition: None, chance: Chance::new(seed, "wire") }
    }

    /// Whether an agent is cut off.
    #[must_use]
    pub const fn is_cut_off(&self, agent: usize) -> bool {
        matches!(self.partition, Some(every) if agent.is_multiple_of(every))
    }

    /// A number for a new connection.
    pub const fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// A connection lives.
    pub fn open(&mut self, agent: usize, conn: u64) {
        if let Some(link) = self.links.get_mut(agent) {
            *link = Link { conn: Some(conn), ..Link::default() };
        }
    }

    /// The living connection of an agent.
    #[must_use]
    pub fn conn(&self, agent: usize) -> Option<u64> {
        self.links.get(agent).and_then(|link| link.conn)
    }

    /// Breaks an agent's connection, and returns which it was.
    pub fn cut(&mut self, agent: usize) -> Option<u64> {
        self.links.get_mut(agent).and_then(|link| link.conn.take())
    }

    /// When a frame that is sent now arrives; never before one that was sent earlier.
    pub fn arrival(&mut self, agent: usize, up: bool, slowness: u64, now: Timestamp) -> Timestamp {
        let delay = Duration::from_millis(self.chance.between(4, 40) * slowness);
        let Some(link) = self.links.get_mut(agent) else { return now + delay };
        let last = if up { &mut link.up } else { &mut link.down };
        *last = (now + delay).max(*last);
        *last
    }

    /// A wait of up to `most` milliseconds.
    pub fn wait(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.chance.between(1, most))
    }
}
