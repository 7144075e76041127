//! One job's URLs on one host: first in, first out, in chunks of which the first and the last are in memory.

use crate::batch::Batch;
use crate::record::chunk::{self, CHUNK_LEN, Entry};
use crate::record::queue::QueueRecord;
use crate::record::{self, encode};
use std::collections::VecDeque;
use sward_proto::canonical_url::HostName;
use sward_proto::ids::JobId;

/// A queue.
#[derive(Debug, Default)]
pub struct Queue {
    record: QueueRecord,
    /// What is left of the head chunk.
    head: VecDeque<Entry>,
    /// The last chunk, while it has room and is known.
    tail: Vec<Entry>,
}

impl Queue {
    /// A queue as the index holds it.
    #[must_use]
    pub fn loaded(record: QueueRecord, head: Vec<Entry>) -> Self {
        Self { record, head: head.into(), tail: Vec::new() }
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
    pub fn peek(&self) -> Option<&Entry> {
        self.head.front()
    }

    /// The chunk that must be loaded before the next URL can be taken.
    #[must_use]
    pub fn missing_chunk(&self) -> Option<u64> {
        (self.head.is_empty() && self.record.count > 0).then_some(self.record.head)
    }

    /// Takes up a chunk that was asked for; a stale answer is ignored. A chunk that is gone although the record counts on it
    /// ends the queue: it can only be missing in a damaged index, which the check at start finds.
    pub fn chunk_loaded(&mut self, seq: u64, entries: Vec<Entry>) {
        if self.head.is_empty() && self.record.head == seq {
            self.head = entries.into_iter().skip(self.record.taken.into()).collect();
        }
    }

    /// Adds URLs at the end.
    pub fn append(&mut self, host: &HostName, job: JobId, entries: Vec<Entry>, batch: &mut Batch) {
        for entry in entries {
            if self.tail.is_empty() || self.tail.len() >= CHUNK_LEN {
                self.flush_tail(host, job, batch);
                self.tail.clear();
                self.record.end += 1;
            }
            if self.record.head + 1 == self.record.end {
                self.head.push_back(entry.clone());
            }
            self.tail.push(entry);
            self.record.count += 1;
        }
        self.flush_tail(host, job, batch);
        self.write(host, job, batch);
    }

    fn flush_tail(&self, host: &HostName, job: JobId, batch: &mut Batch) {
        if !self.tail.is_empty() {
            let key = chunk::key(host, job, self.record.end - 1);
            batch.put(key, chunk::encode(&self.tail));
        }
    }

    /// Takes the next URL, where its chunk is in memory.
    pub fn take(&mut self, host: &HostName, job: JobId, batch: &mut Batch) -> Option<Entry> {
        let entry = self.head.pop_front()?;
        self.record.count = self.record.count.saturating_sub(1);
        self.record.taken += 1;
        if self.head.is_empty() {
            batch.delete(chunk::key(host, job, self.record.head));
            self.record.head += 1;
            self.record.taken = 0;
            if self.record.head == self.record.end {
                self.tail.clear();
            } else if self.record.head + 1 == self.record.end && !self.tail.is_empty() {
                self.head = self.tail.iter().cloned().collect();
            }
        }
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
        let head = chunk::decode(&chunk.expect("there")).expect("sound");
        Queue::loaded(record, head.into_iter().skip(record.taken.into()).collect())
    }

    proptest::proptest! {
        /// Against the model of a plain list: any mixture of appends, takes and reloads gives the URLs in order, and an
        /// empty queue leaves nothing behind in the index.
        #[test]
        fn first_in_first_out(steps in proptest::collection::vec((0u8..3, 1u32..50), 0..60)) {
            let host: HostName = "a.example".parse().expect("a host");
            let (mut store, mut queue) = (MemoryStore::default(), Queue::default());
            let mut model = VecDeque::new();
            let mut next = 0;
            for (step, amount) in steps {
                let mut batch = Batch::default();
                match step {
                    0 => {
                        let entries: Vec<Entry> = (next..next + amount).map(entry).collect();
                        next += amount;
                        model.extend(entries.iter().cloned());
                        queue.append(&host, JobId(1), entries, &mut batch);
                    }
                    1 => queue = reload(&store, &host),
                    _ => for _ in 0..amount {
                        if let Some(seq) = queue.missing_chunk() {
                            store.commit(std::mem::take(&mut batch)).expect("memory");
                            let value = store.get(&chunk::key(&host, JobId(1), seq)).expect("readable");
                            queue.chunk_loaded(seq, chunk::decode(&value.expect("there")).expect("sound"));
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
