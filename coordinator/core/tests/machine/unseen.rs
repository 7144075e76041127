//! Nothing that an agent is sent, when it is sent, and what it is paid, says whether its fetch stands alone, is audited, or is
//! the audit.

use crate::stage::{SALT, Stage, attestation, peer};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use sward_coordinator_core::config::Bounds;
use sward_coordinator_core::input::{Input, UploadFacts};
use sward_coordinator_core::settlement::Settlement;
use sward_proto::batch;
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::ids::{LeaseToken, PeerId};
use sward_proto::quorum::Layer;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::lease::Lease;
use sward_proto::wire::reply::{CoordinatorReply, Work};
use sward_proto::wire::request::AgentRequest;

const AGENTS: u8 = 6;
const PAGES: usize = 300;
const TICK: Duration = Duration::from_millis(250);

/// What a fetch was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Alone,
    Audited,
    Audit,
}

/// All that an agent is told of one lease, but for the orders for its body.
#[derive(Default)]
struct Heard {
    told: Vec<Vec<u8>>,
    sealed: Timestamp,
    asked: Timestamp,
}

#[derive(Default)]
struct Ears(BTreeMap<LeaseToken, Heard>);

impl Ears {
    /// Takes a reply apart into what concerns each lease, each as the bytes of a reply of its own.
    fn hear(&mut self, reply: &CoordinatorReply, now: Timestamp) {
        let mut note = |token: LeaseToken, reply: CoordinatorReply| {
            let heard = self.0.entry(token).or_default();
            heard.told.push(reply.encode(0));
            heard.asked = now;
        };
        let none = LeaseToken([0; 16]);
        match reply {
            CoordinatorReply::Work(work) => {
                for lease in &work.leases {
                    let url = "https://site.example/".parse().expect("a url");
                    let leases = vec![Lease { token: none, url, ..lease.clone() }];
                    let work = Work { leases, ..Work::default() };
                    note(lease.token, CoordinatorReply::Work(work));
                }
                for token in &work.reveal {
                    let work = Work { reveal: vec![none], ..Work::default() };
                    note(*token, CoordinatorReply::Work(work));
                }
            }
            CoordinatorReply::Answers(answers) => {
                for answer in answers {
                    let token = answer.token;
                    let answer = sward_proto::wire::answer::Answer { token: none, ..*answer };
                    let heard = self.0.entry(token).or_default();
                    heard.told.push(CoordinatorReply::Answers(vec![answer]).encode(0));
                }
            }
            CoordinatorReply::Refusal(_)
            | CoordinatorReply::Enrolled(_)
            | CoordinatorReply::Upload { .. }
            | CoordinatorReply::Receipts(_)
            | CoordinatorReply::Standing(_) => {}
        }
    }
}

/// Plays until every page is settled; each agent does at once what it is told.
fn play(stage: &mut Stage) -> Ears {
    let mut ears = Ears::default();
    let mut told: Vec<(PeerId, CoordinatorReply)> = Vec::new();
    for _ in 0..20_000 {
        let mut waiting: BTreeSet<u8> = (1..=AGENTS).collect();
        while let Some((agent, reply)) = told.pop() {
            ears.hear(&reply, stage.now);
            let n = (1..=AGENTS).find(|n| peer(*n) == agent).expect("one of them");
            if let CoordinatorReply::Work(work) = reply {
                told.extend(answer(stage, &mut ears, n, &work));
            }
        }
        waiting.retain(|n| {
            stage.coordinator.roster().get(&peer(*n)).is_some_and(|a| a.poll().is_none())
        });
        for n in waiting {
            let (wait, holding, capacity) = (Duration::from_secs(60), Vec::new(), 1);
            told.extend(stage.ask(n, AgentRequest::WantWork { capacity, wait, holding }));
        }
        let settled = stage.archived.iter().filter(|settlement| !settlement.robots).count();
        if settled == PAGES {
            break;
        }
        told.extend(stage.after(TICK));
    }
    ears
}

fn answer(
    stage: &mut Stage,
    ears: &mut Ears,
    n: u8,
    work: &Work,
) -> Vec<(PeerId, CoordinatorReply)> {
    let mut told = Vec::new();
    for lease in &work.leases {
        let leaf = batch::leaf(SALT, &seen(&lease.url));
        told.extend(stage.commit_at_once(n, vec![lease.token], vec![leaf]));
        ears.0.entry(lease.token).or_default().sealed = stage.now;
    }
    for token in &work.reveal {
        let url = stage.coordinator.tasks().find_map(|task| {
            task.attempts.iter().any(|a| a.token == *token).then(|| task.url.clone())
        });
        told.extend(stage.reveal(n, *token, seen(&url.expect("in hand"))));
    }
    for order in &work.upload {
        let facts = UploadFacts { links: Vec::new(), robots_body: None };
        told.extend(stage.handle(Input::Uploaded { token: order.token, result: Ok(facts) }));
    }
    told
}

fn seen(url: &CanonicalUrl) -> Vec<u8> {
    match url.path_and_query() {
        "/robots.txt" => attestation(url, 404, "not here"),
        page => attestation(url, 200, page),
    }
}

/// What each lease of a page was for.
fn parts(settlements: &[Settlement]) -> Vec<(LeaseToken, Part, u64)> {
    let pages = settlements.iter().filter(|settlement| !settlement.robots);
    let of = |settlement: &Settlement| -> Vec<(LeaseToken, Part, u64)> {
        // In the order of their leases.
        let drawn = settlement.audit.is_some_and(|audit| audit.drawn);
        let parts = match (settlement.layer, drawn) {
            (Some(Layer::Single), _) => vec![Part::Alone],
            (_, true) => vec![Part::Audited, Part::Audit],
            (_, false) => Vec::new(),
        };
        let results = settlement.results.iter().zip(parts);
        results.map(|(result, part)| (result.token, part, result.credit.credit)).collect()
    };
    pages.flat_map(of).collect()
}

#[test]
fn neither_bytes_nor_time_nor_pay_tell_an_audit() {
    let mut stage = Stage::new();
    (1..=AGENTS).for_each(|n| stage.join(n));
    stage.prove(AGENTS);
    let url = |n| format!("https://host-{}.example/{n:03}", n % 40);
    let urls: Vec<String> = (0..PAGES).map(url).collect();
    stage.submit_audited_all(&urls.iter().map(String::as_str).collect::<Vec<_>>());
    let ears = play(&mut stage);
    let mut all: BTreeMap<Part, Vec<(&Heard, u64)>> = BTreeMap::new();
    for (token, part, credit) in parts(&stage.archived) {
        let heard = ears.0.get(&token).expect("it was told of its lease");
        all.entry(part).or_default().push((heard, credit));
    }
    let count = |part| all.get(&part).map_or(0, Vec::len);
    for part in [Part::Alone, Part::Audited, Part::Audit] {
        assert!(count(part) >= 12, "{part:?}: {}", count(part));
    }
    let told: BTreeSet<&Vec<Vec<u8>>> =
        all.values().flatten().map(|(heard, _)| &heard.told).collect();
    assert_eq!(told.len(), 1, "all are told the same");
    let paid: BTreeSet<u64> = all.values().flatten().map(|(_, credit)| *credit).collect();
    assert_eq!(paid.len(), 1, "all are paid the same");
    let rests = |part| -> Vec<Duration> {
        let of = |(heard, _): &(&Heard, u64)| heard.asked.since(heard.sealed);
        all.get(&part).into_iter().flatten().map(of).collect()
    };
    let most = Bounds::default().open_delay + TICK;
    for part in [Part::Alone, Part::Audit] {
        let rests = rests(part);
        assert!(rests.iter().all(|rest| *rest <= most), "{part:?}: {rests:?}");
        let mean = rests.iter().sum::<Duration>() / u32::try_from(rests.len()).expect("few");
        assert!(mean.abs_diff(most / 2) < most / 5, "{part:?} rests {mean:?}, of {most:?} at most");
    }
}
