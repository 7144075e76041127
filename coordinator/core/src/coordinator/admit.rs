//! Admitting URLs: in scope, not met before, then queued by host.

use super::Coordinator;
use crate::lookup::{HostLoad, Lookup};
use crate::record;
use crate::record::chunk::Entry;
use crate::record::seen::Fingerprint;
use std::collections::BTreeMap;
use sward_proto::canonical_url::{CanonicalUrl, HostName};
use sward_proto::ids::JobId;
use sward_proto::timestamp::Timestamp;

/// URLs of one lookup at most, so that a turn stays short.
const ADMIT_BATCH: usize = 1024;

impl Coordinator {
    pub(super) fn admit_seeds(&mut self, id: JobId, now: Timestamp) {
        let seeds = self.jobs.get(&id).map(|job| job.record.spec.seeds.clone());
        self.admit(id, &seeds.unwrap_or_default(), 0, now);
    }

    /// Asks the index which of these URLs are new to the job.
    pub(super) fn admit(&mut self, id: JobId, urls: &[CanonicalUrl], depth: u16, now: Timestamp) {
        let Some(job) = self.jobs.get(&id).filter(|job| !job.record.progress.state.is_final())
        else {
            return;
        };
        let mut fresh = Vec::new();
        for url in urls {
            let url = job.rules.spell(url);
            if !job.rules.admits(&url, depth) || self.check_address(&url).is_err() {
                continue;
            }
            let fingerprint = self.config.seen_key.fingerprint(&url);
            if !self.admitting.contains(&(id, fingerprint)) {
                fresh.push((Entry { url, depth, retries: 0 }, fingerprint));
            }
        }
        fresh.retain(|(_, fingerprint)| self.admitting.insert((id, *fingerprint)));
        let lookups: Vec<Lookup> = fresh
            .chunks(ADMIT_BATCH)
            .map(|urls| Lookup::Admit { job: id, urls: urls.to_vec() })
            .collect();
        if let Some(job) = self.jobs.get_mut(&id) {
            job.admitting += u32::try_from(lookups.len()).unwrap_or(u32::MAX);
        }
        for lookup in lookups {
            self.look_up(lookup);
        }
        self.check_done(id, now);
    }

    pub(super) fn admitted(
        &mut self,
        id: JobId,
        urls: Vec<(Entry, Fingerprint, bool)>,
        hosts: BTreeMap<HostName, HostLoad>,
        now: Timestamp,
    ) {
        let mut by_host: BTreeMap<HostName, Vec<Entry>> = BTreeMap::new();
        let mut count = 0;
        for (entry, fingerprint, met) in urls {
            self.admitting.remove(&(id, fingerprint));
            if !met {
                self.batch.put(record::seen::key(id, fingerprint), Vec::new());
                by_host.entry(entry.url.host()).or_default().push(entry);
                count += 1;
            }
        }
        let delay = self.longest_delay();
        for (name, load) in hosts {
            self.frontier.load(&name, load, delay, now);
        }
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.admitting = job.admitting.saturating_sub(1);
        if !job.record.progress.state.is_final() {
            job.record.progress.counts.discovered += count;
            job.record.progress.counts.queued += count;
            for (name, entries) in by_host {
                self.frontier.append(&name, id, entries, now, &mut self.batch);
            }
        }
        self.save_job(id);
        self.check_done(id, now);
    }
}
