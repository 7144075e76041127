//! One job's URLs on one host: first in, first out, in chunks of which the first and the last are in memory.

use crate::batch::Batch;
use crate::record::chunk::{self, CHUNK_LEN, Chunk, Entry};
use crate::record::queue::QueueRecord;
use crate::record::{self, encode};
use sward_proto::canonical_url::HostName;
use sward_proto::ids::JobId;

/// A queue.
#[derive(Debug, Default)]
pub struct Queue {
    record: QueueRecord,
    /// The next URL, where its chunk is in memory.
    next: Option<Entry>,
    /// The chunk that is taken from, unless that is the last one and in `tail`.
    head: Chunk,
    /// The last chunk, while it has room and is known.
    tail: Chunk,
}

impl Queue {
    /// A queue as the index holds it, with its head chunk.
    #[must_use]
    pub fn loaded(record: QueueRecord, head: Chunk) -> Self {
        let next = head.get(record.taken.into());
        Self { record, next, head, tail: Chunk::default() }
    }

    /// How many URLs wait.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.record.count
    }

    /// Whether none waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.record.count == 0
    }

    /// The next URL, where its chunk is in memory.
    #[must_use]
    pub const fn peek(&self) -> Option<&Entry> {
        self.next.as_ref()
    }

    /// The chunk that must be loaded before the next URL can be taken.
    #[must_use]
    pub fn missing_chunk(&self) -> Option<u64> {
        (self.next.is_none() && self.record.count > 0).then_some(self.record.head)
    }

    /// Takes up a chunk that was asked for; a stale answer is ignored. A chunk that is gone although the record counts on it
    /// ends the queue: it can only be missing in a damaged index, which the check at start finds.
    pub fn chunk_loaded(&mut self, seq: u64, chunk: Chunk) {
        if self.next.is_none() && self.record.head == seq {
            self.next = chunk.get(self.record.taken.into());
            self.head = chunk;
        }
    }

    /// Whether the chunk that is taken from is the one that is added to.
    fn is_short(&self) -> bool {
        self.record.head + 1 == self.record.end && !self.tail.is_empty()
    }

    /// The chunk that is taken from, where it is in memory.
    fn head(&self) -> &Chunk {
        if self.is_short() { &self.tail } else { &self.head }
    }

    /// Adds URLs at the end.
    pub fn append(&mut self, host: &HostName, job: JobId, entries: &[Entry], batch: &mut Batch) {
        let mut rest = entries;
        while !rest.is_empty() {
            if self.tail.is_empty() || self.tail.len() >= CHUNK_LEN {
                let full = std::mem::take(&mut self.tail);
                if self.record.head + 1 == self.record.end && !full.is_empty() {
                    self.head = full;
                }
                self.record.end += 1;
            }
            let (_, left) = rest.split_at(self.tail.fill(rest));
            rest = left;
            let key = chunk::key(host, job, self.record.end - 1);
            batch.put(key, self.tail.as_bytes().to_vec());
        }
        self.record.count += entries.len() as u64;
        if self.next.is_none() {
            self.next = self.head().get(self.record.taken.into());
        }
        self.write(host, job, batch);
    }

    /// Takes the next URL, where its chunk is in memory.
    pub fn take(&mut self, host: &HostName, job: JobId, batch: &mut Batch) -> Option<Entry> {
        let entry = self.next.take()?;
        self.record.count = self.record.count.saturating_sub(1);
        self.record.taken += 1;
        if usize::from(self.record.taken) == self.head().len() {
            batch.delete(chunk::key(host, job, self.record.head));
            self.head = Chunk::default();
            self.record.head += 1;
            self.record.taken = 0;
            if self.record.head == self.record.end {
                self.tail = Chunk::default();
            }
        }
        self.next = self.head().get(self.record.taken.into());
        self.write(host, job, batch);
        Some(entry)
    }

    fn write(&self, host: &HostName, job: JobId, batch: &mut Batch) {
        let key = record::queue::key(host, job);
        if self.is_empty() { batch.delete(key) } else { batch.put(key, encode(&self.record)) }
    }

    /// Deletes all that is stored of it.
    pub fn discard(&self, host: &HostName, job: JobId, batch: &mut Batch) {
        for seq in self.record.head..self.record.end {
            batch.delete(chunk::key(host, job, seq));
        }
        batch.delete(record::queue::key(host, job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, Store};

    fn entry(n: u32) -> Entry {
        let url = format!("http://a.example/{n}").parse().expect("a url");
        Entry { url, depth: 0, retries: 0 }
    }

    fn reload(store: &MemoryStore, host: &HostName) -> Queue {
        let value = store.get(&record::queue::key(host, JobId(1))).expect("readable");
        let Some(value) = value else { return Queue::default() };
        let record: QueueRecord = record::decode("queue", &value).expect("sound");
        let chunk = store.get(&chunk::key(host, JobId(1), record.head)).expect("readable");
        Queue::loaded(record, Chunk::parse(chunk.expect("there")).expect("sound"))
    }

    proptest::proptest! {
        /// Against the model of a plain list: any mixture of appends, takes and reloads gives the URLs in order, and an
        /// empty queue leaves nothing behind in the index.
        #[test]
        fn first_in_first_out(steps in proptest::collection::vec((0u8..3, 1u32..50), 0..60)) {
            let host: HostName = "a.example".parse().expect("a host");
            let (mut store, mut queue) = (MemoryStore::default(), Queue::default());
            let mut model = std::collections::VecDeque::new();
            let mut next = 0;
            for (step, amount) in steps {
                let mut batch = Batch::default();
                match step {
                    0 => {
                        let entries: Vec<Entry> = (next..next + amount).map(entry).collect();
                        next += amount;
                        model.extend(entries.iter().cloned());
                        queue.append(&host, JobId(1), &entries, &mut batch);
                    }
                    1 => queue = reload(&store, &host),
                    _ => for _ in 0..amount {
                        if let Some(seq) = queue.missing_chunk() {
                            store.commit(std::mem::take(&mut batch)).expect("memory");
                            let value = store.get(&chunk::key(&host, JobId(1), seq)).expect("readable");
                            queue.chunk_loaded(seq, Chunk::parse(value.expect("there")).expect("sound"));
                        }
                        proptest::prop_assert_eq!(queue.take(&host, JobId(1), &mut batch), model.pop_front());
                    },
                }
                store.commit(batch).expect("memory");
                proptest::prop_assert_eq!(queue.len(), model.len() as u64);
                proptest::prop_assert!(!model.is_empty() || store.is_empty());
            }
        }
    }
}
