//! Figures for a monitoring system, in the OpenMetrics text form. Labels are bounded: never a host, a URL or an agent.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use sward_coordinator_core::output::Event;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    outcome: &'static str,
}

/// The figures; clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    settled: Family<ByOutcome, Counter>,
    receipts: Counter,
    convicted: Counter,
    /// Pages that were taken back.
    retracted: Counter,
    /// Agents with an open stream.
    pub connected: Gauge,
    /// Tasks in hand.
    pub tasks: Gauge,
    /// Hosts in memory.
    pub hosts: Gauge,
    /// One while work is given out; zero while the disk is full.
    pub ready: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("sward");
        let settled = Family::default();
        registry.register("urls_settled", "URLs that ended, by outcome", settled.clone());
        let receipts = Counter::default();
        registry.register("receipts_signed", "Receipts signed", receipts.clone());
        let convicted = Counter::default();
        registry.register("agents_convicted", "Agents caught", convicted.clone());
        let retracted = Counter::default();
        registry.register("pages_retracted", "Pages taken back", retracted.clone());
        let mut gauge = |name: &'static str, help: &'static str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let connected = gauge("agents_connected", "Agents with an open stream");
        let tasks = gauge("tasks_open", "Tasks in hand");
        let hosts = gauge("hosts_in_memory", "Hosts in memory");
        let ready = gauge("ready", "Whether work is given out");
        let registry = Arc::new(registry);
        Self { registry, settled, receipts, convicted, retracted, connected, tasks, hosts, ready }
    }
}

impl Metrics {
    /// Counts an event.
    pub fn note(&self, event: &Event) {
        match event {
            Event::Settled { outcome, .. } => {
                self.settled.get_or_create(&ByOutcome { outcome: outcome.code() }).inc();
            }
            Event::Convicted { .. } => {
                self.convicted.inc();
            }
            Event::Retracted { .. } => {
                self.retracted.inc();
            }
            Event::Receipt(_) => {
                self.receipts.inc();
            }
            Event::Enrolled(_) | Event::Copied { .. } | Event::Appealed(_) | Event::Job { .. } => {}
        }
    }

    /// The whole text.
    ///
    /// # Errors
    /// Never for a string.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
