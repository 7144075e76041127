//! The agent's machine by example: what it stores, sends and fetches, and in which order.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for one kind of output")]

use std::time::Duration;
use sward_agent_core::input::{Fetched, Input};
use sward_agent_core::output::{Change, FetchOrder, Output};
use sward_agent_core::owner::Limits;
use sward_agent_core::reason::StopReason;
use sward_agent_core::sealed::Capture;
use sward_agent_core::session::{Config, Memory, Session};
use sward_proto::attestation::{Attestation, Observation, Response};
use sward_proto::compare::block::BlockList;
use sward_proto::compare::print::LayerVersions;
use sward_proto::digest::Digest;
use sward_proto::draw::{Anchor, DrawPlan};
use sward_proto::ids::{Epoch, Lane, LeaseToken, PeerId, Seq};
use sward_proto::note::NoteSigner;
use sward_proto::outcome::FailureCode;
use sward_proto::receipt::{self, ReceiptBatch, ReceiptBody, ReceiptSchema};
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::answer::{Answer, AnswerCode};
use sward_proto::wire::bounds::MAX_CHUNK_BYTES;
use sward_proto::wire::lease::Lease;
use sward_proto::wire::refusal::{Refusal, RefusalCode};
use sward_proto::wire::reply::{CoordinatorReply, Terms, UploadOrder, Work};
use sward_proto::wire::request::AgentRequest;
use sward_proto::wire::standing::{Appeal, Decision, Standing};

const LOG: &str = "r.example/main";

fn coordinator() -> NoteSigner {
    NoteSigner::from_seed(LOG.parse().expect("a name"), &[1; 32])
}

fn peer() -> PeerId {
    let signer = NoteSigner::from_seed("a".parse().expect("a name"), &[2; 32]);
    PeerId::from_public_key(*signer.verifier_key().public_key()).expect("a key")
}

/// An agent with its shell played by hand.
struct Stage {
    session: Session,
    now: Timestamp,
    outputs: Vec<Output>,
}

impl Stage {
    /// Connected and enrolled, its request for work open.
    fn enrolled(limits: Limits) -> Self {
        let name = peer().to_string().parse().expect("a name");
        let config = Config {
            peer: peer(),
            signer: NoteSigner::from_seed(name, &[2; 32]),
            lane: Lane(0),
            payee: "ann".parse().expect("a payee"),
            invite: Some("0123456789abcdefghjkmnpqrs".parse().expect("an invite")),
            limits,
            developer: false,
            software: "test".into(),
            seed: [7; 32],
        };
        let now = Timestamp::from_millis(1_000_000);
        let session = Session::new(config, Memory::default(), now);
        let mut stage = Self { session, now, outputs: Vec::new() };
        stage.session.handle_timeout(now);
        stage.drain();
        assert_eq!(stage.outputs, [Output::Dial]);
        stage.handle(Input::Connected);
        let (id, request) = stage.sent().pop().expect("enrolment");
        assert!(matches!(request, AgentRequest::Enrol { .. }));
        let terms = Terms {
            operator: "Lab".into(),
            contact: "https://bot.example/".into(),
            log: LOG.into(),
            vkey: coordinator().verifier_key().to_string(),
            tariff: String::new(),
            developer: false,
            draws: DrawPlan {
                anchor: Anchor(Digest::ZERO),
                began: Timestamp::ZERO,
                round_seconds: 60,
            },
        };
        stage.handle(Input::Reply { id, reply: CoordinatorReply::Enrolled(terms) });
        stage
    }

    fn handle(&mut self, input: Input) {
        self.outputs.clear();
        self.session.handle(input, self.now);
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.outputs.clear();
        self.session.handle_timeout(self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.next_output() {
            self.outputs.push(output);
        }
    }

    fn sent(&self) -> Vec<(u64, AgentRequest)> {
        let sent = self.outputs.iter().filter_map(|output| match output {
            Output::Send { id, request } => Some((*id, request.clone())),
            _ => None,
        });
        sent.collect()
    }

    fn fetches(&self) -> Vec<FetchOrder> {
        let fetches = self.outputs.iter().filter_map(|output| match output {
            Output::Fetch(order) => Some(order.clone()),
            _ => None,
        });
        fetches.collect()
    }

    fn changes(&self) -> Vec<Change> {
        let changes = self.outputs.iter().filter_map(|output| match output {
            Output::Store(changes) => Some(changes.clone()),
            _ => None,
        });
        changes.flatten().collect()
    }

    /// Answers the newest request for work.
    fn give(&mut self, work: Work) {
        let asked = self.sent().into_iter().rev();
        let mut asked = asked.filter(|(_, r)| matches!(r, AgentRequest::WantWork { .. }));
        let (id, _) = asked.next().expect("a request for work");
        self.handle(Input::Reply { id, reply: CoordinatorReply::Work(work) });
    }

    fn fetched(&mut self, order: &FetchOrder, status: u16, body: &[u8]) {
        let observation = Observation::Response(Box::new(Response {
            final_url: order.url.clone(),
            hops: Vec::new(),
            status,
            header_names: Vec::new(),
            media_type: "text/html".into(),
            raw: Digest::of(body),
            raw_bytes: body.len() as u64,
            canonical: None,
            links: Digest::ZERO,
            link_count: 0,
            wire_bytes: 10,
            peer_ip: [192, 0, 2, 1].into(),
            certificate: None,
            redirect_target: None,
            retry_after_s: None,
            versions: LayerVersions::CURRENT,
            page: None,
            neutral: None,
        }));
        let capture = Capture { exchanges: Vec::new(), links: Vec::new(), body: body.to_vec() };
        let blocks = BlockList::default();
        let fetched = Fetched { observation, elapsed_ms: 5, wire_bytes: 10, blocks, capture };
        let fetched = Box::new(fetched);
        self.handle(Input::Fetched { ticket: order.ticket, fetched });
    }

    /// Takes the answer to a robots.txt that the agent asked for itself.
    fn robots(&mut self, text: &str) {
        let order = self.fetches().pop().expect("robots.txt first");
        assert_eq!(order.url.path_and_query(), "/robots.txt");
        self.fetched(&order, 200, text.as_bytes());
    }
}

fn lease(number: u8, path: &str) -> Lease {
    Lease {
        token: LeaseToken([number; 16]),
        url: format!("http://a.example{path}").parse().expect("a url"),
        job: "docs".parse().expect("a name"),
        purpose: "test".into(),
        category: "docs".into(),
        profile: 1,
        delay: Duration::from_secs(1),
        expires_in: Duration::from_secs(60),
        max_bytes: 1000,
        media_types: Vec::new(),
    }
}

fn work(leases: Vec<Lease>) -> Work {
    Work { leases, ..Work::default() }
}

fn sealed(stage: &Stage, number: u8) -> Attestation {
    let mut seals = stage.changes().into_iter().filter_map(|change| match change {
        Change::Seal { token, sealed, .. } if token == LeaseToken([number; 16]) => Some(sealed),
        _ => None,
    });
    let sealed = seals.next_back().expect("a sealed result");
    Attestation::decode(&sealed.attestation).expect("well formed")
}

#[test]
fn a_result_is_stored_before_its_leaf_is_sent() {
    let mut stage = Stage::enrolled(Limits::default());
    stage.give(work(vec![lease(1, "/x")]));
    stage.robots("");
    let order = stage.fetches().pop().expect("the page");
    stage.fetched(&order, 200, b"page");
    let stored = stage.outputs.iter().position(|o| matches!(o, Output::Store(_)));
    let commit =
        |o: &Output| matches!(o, Output::Send { request: AgentRequest::Commit { .. }, .. });
    let sent = stage.outputs.iter().position(commit);
    assert!(stored.expect("stored") < sent.expect("sent at once, since the run is through"));
}

#[test]
fn one_fetch_at_a_time_on_a_host_with_its_gap() {
    let mut stage = Stage::enrolled(Limits::default());
    stage.give(work(vec![lease(1, "/x"), lease(2, "/y")]));
    stage.robots("User-agent: *\nCrawl-delay: 3\n");
    assert!(stage.fetches().is_empty(), "robots.txt was a fetch too");
    stage.pass(Duration::from_secs(3));
    let first = stage.fetches();
    assert_eq!(first.len(), 1);
    stage.fetched(&first[0], 200, b"page");
    assert!(stage.fetches().is_empty(), "the gap has not passed");
    stage.pass(Duration::from_millis(2999));
    assert!(stage.fetches().is_empty(), "robots.txt asks for more than the lease");
    stage.pass(Duration::from_millis(1));
    assert_eq!(stage.fetches().len(), 1);
}

#[test]
fn what_robots_txt_forbids_is_not_fetched_whoever_asks() {
    let mut stage = Stage::enrolled(Limits::default());
    stage.give(work(vec![lease(1, "/private/x")]));
    stage.robots("User-agent: SwardBot\nDisallow: /private/\n");
    assert!(stage.fetches().is_empty());
    let Observation::Failure { code, .. } = sealed(&stage, 1).observation else {
        panic!("a failure")
    };
    assert_eq!(code, FailureCode::Robots);
}

#[test]
fn a_host_that_the_guard_refuses_is_given_back_with_that_reason() {
    let mut stage = Stage::enrolled(Limits::default());
    stage.give(work(vec![lease(1, "/x")]));
    let robots = stage.fetches().pop().expect("robots.txt first");
    let observation =
        Observation::Failure { code: FailureCode::Guard, detail: "on link".to_owned() };
    let capture = Capture { exchanges: Vec::new(), links: Vec::new(), body: Vec::new() };
    let blocks = BlockList::default();
    let fetched = Fetched { observation, elapsed_ms: 1, wire_bytes: 0, blocks, capture };
    let fetched = Box::new(fetched);
    stage.handle(Input::Fetched { ticket: robots.ticket, fetched });
    assert!(stage.fetches().is_empty());
    assert!(matches!(
        sealed(&stage, 1).observation,
        Observation::Failure { code: FailureCode::Guard, .. }
    ));
}

#[test]
fn vetoes_and_a_pause_give_leases_back_at_once() {
    let limits = Limits { never_hosts: vec!["a.example".into()], ..Limits::default() };
    let mut stage = Stage::enrolled(limits);
    stage.give(work(vec![lease(1, "/x")]));
    assert!(stage.fetches().is_empty());
    assert!(matches!(
        sealed(&stage, 1).observation,
        Observation::Failure { code: FailureCode::OptOut, .. }
    ));

    let mut stage = Stage::enrolled(Limits::default());
    stage.give(work(vec![lease(1, "/x"), lease(2, "/y")]));
    stage.robots("");
    stage.handle(Input::Pause(true));
    assert_eq!(stage.session.view(stage.now).reason, Some(StopReason::PausedByYou));
    assert!(matches!(
        sealed(&stage, 2).observation,
        Observation::Failure { code: FailureCode::Cap, .. }
    ));
}

#[test]
fn a_day_s_cap_is_passed_by_no_more_than_one_page() {
    let mut stage = Stage::enrolled(Limits { day_bytes: 15, ..Limits::default() });
    stage.give(work(vec![lease(1, "/x"), lease(2, "/y")]));
    stage.robots("");
    let order = stage.fetches().pop().expect("10 of 15 bytes are used: one more page");
    stage.fetched(&order, 200, b"page");
    stage.pass(Duration::from_secs(5));
    assert!(stage.fetches().is_empty());
    assert_eq!(stage.session.view(stage.now).reason, Some(StopReason::CapReached));
}

#[test]
fn an_unanswered_leaf_is_sent_again_on_the_next_connection() {
    let mut stage = Stage::enrolled(Limits::default());
    stage.give(work(vec![lease(1, "/x")]));
    stage.robots("");
    let order = stage.fetches().pop().expect("the page");
    stage.fetched(&order, 200, b"page");
    let is_commit =
        |(_, request): &(u64, AgentRequest)| matches!(request, AgentRequest::Commit { .. });
    let (_, first) = stage.sent().into_iter().find(is_commit).expect("sent");
    stage.handle(Input::Disconnected);
    stage.pass(Duration::from_secs(60));
    stage.handle(Input::Connected);
    let (id, again) = stage.sent().into_iter().find(is_commit).expect("sent again");
    assert_eq!(first, again);
    let token = LeaseToken([1; 16]);
    let answers = vec![Answer { token, code: AnswerCode::Duplicate }];
    stage.handle(Input::Reply { id, reply: CoordinatorReply::Answers(answers) });
    stage.pass(Duration::from_secs(60));
    assert!(!stage.sent().iter().any(is_commit), "answered: never again");
}

/// A stage whose agent has been asked for the body of its one result, and has asked its spool for it.
fn asked_for_a_body() -> (Stage, LeaseToken) {
    let mut stage = Stage::enrolled(Limits::default());
    stage.give(work(vec![lease(1, "/x")]));
    stage.robots("");
    let order = stage.fetches().pop().expect("the page");
    stage.fetched(&order, 200, b"page");
    stage.handle(Input::Disconnected);
    stage.pass(Duration::from_secs(60));
    stage.handle(Input::Connected);
    let token = LeaseToken([1; 16]);
    let upload = vec![UploadOrder { token, head_only: false }];
    stage.give(Work { upload, ..Work::default() });
    assert!(stage.outputs.contains(&Output::ReadSpool(token)));
    (stage, token)
}

/// What was sent of a capture: the ids of its heads, and the offset and length of each piece with its id.
fn uploaded(stage: &Stage) -> (Vec<u64>, Vec<(u64, u64, usize)>) {
    let (mut heads, mut pieces) = (Vec::new(), Vec::new());
    for (id, request) in stage.sent() {
        match request {
            AgentRequest::UploadStart(_) => heads.push(id),
            AgentRequest::UploadChunk { offset, data, .. } => pieces.push((id, offset, data.len())),
            _ => {}
        }
    }
    (heads, pieces)
}

#[test]
fn a_capture_that_is_gone_is_not_promised() {
    let (mut stage, token) = asked_for_a_body();
    stage.handle(Input::SpoolRead { token, capture: None });
    assert_eq!(uploaded(&stage), (Vec::new(), Vec::new()));
}

#[test]
fn the_first_piece_follows_the_heads_at_once_and_each_later_one_its_answer() {
    let (mut stage, token) = asked_for_a_body();
    let body = vec![7; MAX_CHUNK_BYTES + 10];
    let capture = Capture { exchanges: Vec::new(), links: Vec::new(), body };
    stage.handle(Input::SpoolRead { token, capture: Some(Box::new(capture)) });
    let (heads, pieces) = uploaded(&stage);
    let [(first, 0, MAX_CHUNK_BYTES)] = pieces[..] else { panic!("one piece, not {pieces:?}") };
    let upload = |next_offset, done| CoordinatorReply::Upload { token, next_offset, done };
    stage.handle(Input::Reply { id: heads[0], reply: upload(0, false) });
    assert!(uploaded(&stage).1.is_empty(), "the piece behind the heads is not answered yet");
    stage.handle(Input::Reply { id: first, reply: upload(MAX_CHUNK_BYTES as u64, false) });
    let (heads, pieces) = uploaded(&stage);
    assert!(heads.is_empty());
    let [(last, offset, 10)] = pieces[..] else { panic!("the rest, not {pieces:?}") };
    assert_eq!(offset, MAX_CHUNK_BYTES as u64);
    stage.handle(Input::Reply { id: last, reply: upload(offset + 10, true) });
    assert_eq!(uploaded(&stage), (Vec::new(), Vec::new()));
}

#[test]
fn heads_that_are_refused_for_now_come_again_and_the_piece_behind_them_changes_nothing() {
    let (mut stage, token) = asked_for_a_body();
    let capture = Capture { exchanges: Vec::new(), links: Vec::new(), body: b"page".to_vec() };
    stage.handle(Input::SpoolRead { token, capture: Some(Box::new(capture.clone())) });
    let (heads, pieces) = uploaded(&stage);
    let busy = Refusal::busy("too many captures are coming in", Duration::from_secs(2));
    stage.handle(Input::Reply { id: heads[0], reply: CoordinatorReply::Refusal(busy) });
    let unknown = Refusal::new(RefusalCode::Conflict, "this upload has not begun");
    stage.handle(Input::Reply { id: pieces[0].0, reply: CoordinatorReply::Refusal(unknown) });
    assert!(!stage.outputs.contains(&Output::ReadSpool(token)), "not before it may");
    stage.pass(Duration::from_secs(2));
    assert!(stage.outputs.contains(&Output::ReadSpool(token)));
    stage.handle(Input::SpoolRead { token, capture: Some(Box::new(capture)) });
    let (heads, pieces) = uploaded(&stage);
    assert_eq!((heads.len(), pieces.len()), (1, 1));
}

#[test]
fn an_owner_reads_in_words_why_the_agent_was_barred() {
    let mut stage = Stage::enrolled(Limits::default());
    let (id, _) = stage.sent().pop().expect("a request for work");
    let barred = Refusal::new(RefusalCode::Barred, "replayed");
    stage.handle(Input::Reply { id, reply: CoordinatorReply::Refusal(barred) });
    let view = stage.session.view(stage.now);
    assert_eq!(view.reason, Some(StopReason::Revoked));
    assert!(
        view.detail.starts_with("replayed: Your agent handed in old copies"),
        "{}",
        view.detail
    );
}

/// A barred agent asks for no work any more; it delivers its owner's appeal, asks what came of it, and goes on where it is
/// upheld.
#[test]
fn a_barred_agent_delivers_an_appeal_and_works_again_once_it_is_upheld() {
    let mut stage = Stage::enrolled(Limits::default());
    let (id, _) = stage.sent().pop().expect("a request for work");
    let barred = Refusal::new(RefusalCode::Barred, "forged");
    stage.handle(Input::Reply { id, reply: CoordinatorReply::Refusal(barred) });
    let (asks, request) = stage.sent().pop().expect("how it stands");
    assert_eq!(request, AgentRequest::Standing);
    let told = |decision: Option<Decision>, barred: &str| {
        let answer = if decision == Some(Decision::Upheld) { "our fault" } else { "" };
        let (at, answer) = (Timestamp::ZERO, answer.to_owned());
        let appeal = decision.map(|decision| Appeal { at, decision, answer });
        let barred = barred.to_owned();
        CoordinatorReply::Standing(Standing { appeal, barred, ..Standing::default() })
    };
    stage.handle(Input::Reply { id: asks, reply: told(None, "forged") });
    assert_eq!(stage.sent(), [], "nothing is asked again and again");
    stage.handle(Input::Disconnected);
    stage.pass(Duration::from_secs(120));
    assert_eq!(stage.outputs, [], "it comes back after a while only");

    let text = "it was my provider".to_owned();
    stage.pass(Duration::from_secs(3600));
    assert_eq!(stage.outputs, [Output::Dial]);
    stage.handle(Input::Appeal(text.clone()));
    assert!(stage.session.view(stage.now).appeal_waits);
    stage.handle(Input::Connected);
    let (id, request) = stage.sent().pop().expect("an appeal");
    assert_eq!(request, AgentRequest::Appeal { text });
    stage.handle(Input::Reply { id, reply: told(Some(Decision::Open), "forged") });
    assert_eq!(stage.session.view(stage.now).reason, Some(StopReason::Revoked));
    stage.pass(Duration::from_secs(30));
    let (id, request) = stage.sent().pop().expect("how it stands");
    assert_eq!(request, AgentRequest::Standing);
    stage.handle(Input::Reply { id, reply: told(Some(Decision::Upheld), "") });
    let asked = stage.sent().pop().map(|(_, request)| request);
    assert!(matches!(asked, Some(AgentRequest::WantWork { .. })), "{asked:?}");
    let view = stage.session.view(stage.now);
    assert_eq!(view.detail, "");
    assert_eq!(view.appeal.expect("an appeal").answer, "our fault");
}

/// Refused for a day: the agent goes on asking for work all the same.
#[test]
fn an_appeal_that_is_not_taken_costs_no_work() {
    let mut stage = Stage::enrolled(Limits::default());
    stage.handle(Input::Appeal("why".to_owned()));
    let (id, request) = stage.sent().pop().expect("an appeal");
    assert!(matches!(request, AgentRequest::Appeal { .. }));
    let busy = Refusal::busy("one appeal a day is taken", Duration::from_hours(24));
    stage.handle(Input::Reply { id, reply: CoordinatorReply::Refusal(busy) });
    let view = stage.session.view(stage.now);
    assert!(!view.appeal_waits && view.appeal_not_taken.contains("one appeal a day"));
    assert_ne!(view.reason, Some(StopReason::CoordinatorFull));
}

fn note(seq: u64, prev: Digest, tasks: u64) -> (String, ReceiptBody) {
    let body = ReceiptBody {
        schema: ReceiptSchema::of_domain("sward.example").expect("a domain"),
        log: LOG.parse().expect("a name"),
        agent: peer(),
        lane: Lane(0),
        seq: Seq(seq),
        prev,
        epoch: Epoch(1),
        issued: 1,
        tasks,
        bytes: 1,
        credit: 1000 * tasks,
        batch: ReceiptBatch { count: 1, root: Digest::ZERO },
        tariff: Digest::ZERO,
    };
    (receipt::sign(&body, &coordinator()).expect("signed").encode(), body)
}

/// The objection to an offered receipt; empty where it was signed.
fn objection(stage: &mut Stage, note: String) -> String {
    stage.handle(Input::Disconnected);
    stage.pass(Duration::from_secs(60));
    stage.handle(Input::Connected);
    stage.give(Work { receipt: Some(note), ..Work::default() });
    let mut objections = stage.changes().into_iter().filter_map(|change| match change {
        Change::Receipt { objection, .. } => Some(objection),
        _ => None,
    });
    objections.next_back().expect("an opinion")
}

#[test]
fn receipts_are_signed_only_where_the_chain_and_the_tally_hold() {
    let mut stage = Stage::enrolled(Limits::default());
    let (first, body) = note(1, Digest::ZERO, 1);
    assert!(objection(&mut stage, first.clone()).contains("0 were handed in"));

    stage.give(work(vec![lease(1, "/x")]));
    stage.robots("");
    let order = stage.fetches().pop().expect("the page");
    stage.fetched(&order, 200, b"page");
    let (id, _) = stage
        .sent()
        .into_iter()
        .find(|(_, r)| matches!(r, AgentRequest::Commit { .. }))
        .expect("a commit");
    let answers = vec![Answer { token: LeaseToken([1; 16]), code: AnswerCode::Taken }];
    stage.handle(Input::Reply { id, reply: CoordinatorReply::Answers(answers) });

    assert_eq!(objection(&mut stage, first.clone()), "");
    assert_eq!(objection(&mut stage, first), "", "offered again, signed again, the same");
    let (forked, _) = note(1, Digest::ZERO, 0);
    assert!(objection(&mut stage, forked).contains("fraud evidence"));
    let (gap, _) = note(3, body.hash(), 1);
    assert!(!objection(&mut stage, gap).is_empty());
    let (unlinked, _) = note(2, Digest::of(b"other"), 1);
    assert!(!objection(&mut stage, unlinked).is_empty());
    let (falling, _) = note(2, body.hash(), 0);
    assert!(!objection(&mut stage, falling).is_empty());
    let (next, _) = note(2, body.hash(), 1);
    assert_eq!(objection(&mut stage, next), "");
}
