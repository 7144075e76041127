//! Of the agent's core.

use std::time::Duration;
use sward_agent_core::input::{Fetched, Input};
use sward_agent_core::output::{Account, Output};
use sward_agent_core::sealed::Sealed;
use sward_agent_core::session::{Memory, Session};
use sward_proto::attestation::REQUEST_PROFILE;
use sward_proto::ids::LeaseToken;
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::answer::{Answer, AnswerCode};
use sward_proto::wire::lease::Lease;
use sward_proto::wire::reply::{CoordinatorReply, Work};
use sward_proto::wire::request::AgentRequest;
use sward_simulation::fleet;
use sward_simulation::plan::Plan;
use sward_simulation::sites;

const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);

/// An agent that is enrolled and connected.
fn connected(sealed: &[LeaseToken]) -> Session {
    let member = fleet::draw(&Plan::of_seed(0, 1)).pop().expect("one agent");
    let account = Account { vkey: "known".to_owned(), ..Account::default() };
    let result = Sealed {
        salt: [7; 16],
        attestation: vec![1],
        blocks: Vec::new(),
        at: NOW,
        committed: false,
        body_bytes: None,
    };
    let sealed = sealed.iter().map(|token| (*token, result.clone())).collect();
    let memory = Memory { account, sealed, ..Memory::default() };
    let mut session = Session::new(member.config, memory, NOW);
    session.handle_timeout(NOW);
    session.handle(Input::Connected, NOW);
    session
}

fn outputs(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.next_output()).collect()
}

fn sent(session: &mut Session) -> Vec<(u64, AgentRequest)> {
    let sent = |output| match output {
        Output::Send { id, request } => Some((id, request)),
        Output::Store(_) | Output::Dial | Output::Fetch(_) | Output::ReadSpool(_) => None,
    };
    outputs(session).into_iter().filter_map(sent).collect()
}

fn asked_for_work(sent: &[(u64, AgentRequest)]) -> u64 {
    let asked = sent.iter().rfind(|(_, request)| matches!(request, AgentRequest::WantWork { .. }));
    asked.expect("asks for work").0
}

fn lease(token: u8, url: &str) -> Lease {
    Lease {
        token: LeaseToken([token; 16]),
        url: url.parse().expect("a url"),
        job: "docs".parse().expect("a name"),
        purpose: "test".to_owned(),
        category: "general".to_owned(),
        profile: REQUEST_PROFILE,
        delay: Duration::from_secs(1),
        expires_in: Duration::from_secs(60),
        max_bytes: 1000,
        media_types: Vec::new(),
    }
}

/// After an answer without work the session asked to be woken at a time that had passed, for ever.
#[test]
fn a_session_that_waits_sleeps() {
    let mut session = connected(&[]);
    let id = asked_for_work(&sent(&mut session));
    let reply = CoordinatorReply::Work(Work::default());
    session.handle(Input::Reply { id, reply }, NOW);
    session.handle_timeout(NOW);
    assert!(session.poll_timeout(NOW).is_none_or(|at| at > NOW), "{:?}", session.poll_timeout(NOW));
}

/// A result that waited for company when the connection broke was not among the leases that the next one named, so its
/// coordinator took it for lost.
#[test]
fn a_new_connection_hands_results_in_before_it_names_leases() {
    let mut session = connected(&[]);
    let id = asked_for_work(&sent(&mut session));
    let leases = [1, 2].map(|n| lease(n, "http://a.example/robots.txt")).to_vec();
    let work = Work { leases, ..Work::default() };
    session.handle(Input::Reply { id, reply: CoordinatorReply::Work(work) }, NOW);
    let fetch = outputs(&mut session).into_iter().find_map(|output| match output {
        Output::Fetch(order) => Some(order),
        Output::Store(_) | Output::Dial | Output::Send { .. } | Output::ReadSpool(_) => None,
    });
    let order = fetch.expect("fetches");
    let fetched: Fetched = sites::response(&order.url, 404, "text/plain", Vec::new(), None, 5);
    let fetched = Box::new(fetched);
    session.handle(Input::Fetched { ticket: order.ticket, fetched }, NOW);
    assert!(!sent(&mut session).iter().any(|(_, r)| matches!(r, AgentRequest::Commit { .. })));
    session.handle(Input::Disconnected, NOW);
    session.handle(Input::Connected, NOW);
    let sent = sent(&mut session);
    assert!(matches!(sent[0].1, AgentRequest::Commit { .. }), "{sent:?}");
    assert!(matches!(sent[1].1, AgentRequest::WantWork { .. }), "{sent:?}");
}

/// A result whose first answer was lost was answered as a duplicate and never counted, so that its agent objected to a
/// receipt that was right.
#[test]
fn a_duplicate_was_taken() {
    let token = LeaseToken([5; 16]);
    let mut session = connected(&[token]);
    let (id, _) = sent(&mut session).swap_remove(0);
    let answers = vec![Answer { token, code: AnswerCode::Duplicate }];
    session.handle(Input::Reply { id, reply: CoordinatorReply::Answers(answers) }, NOW);
    assert_eq!(session.view(NOW).taken, 1);
}

/// An owner's pause and resumption replaced the open request, and with it orders that were on their way: they are given
/// once a connection, so the agent never heard of them.
#[test]
fn orders_to_a_request_that_was_replaced_are_obeyed() {
    let token = LeaseToken([5; 16]);
    let mut session = connected(&[token]);
    let first = asked_for_work(&sent(&mut session));
    session.handle(Input::Pause(true), NOW);
    session.handle(Input::Reply { id: first, reply: CoordinatorReply::Work(Work::default()) }, NOW);
    let while_paused = asked_for_work(&sent(&mut session));
    session.handle(Input::Pause(false), NOW);
    assert_ne!(asked_for_work(&sent(&mut session)), while_paused);
    let work = Work { reveal: vec![token], ..Work::default() };
    session.handle(Input::Reply { id: while_paused, reply: CoordinatorReply::Work(work) }, NOW);
    let sent = sent(&mut session);
    assert!(sent.iter().any(|(_, request)| matches!(request, AgentRequest::Reveal(_))), "{sent:?}");
}
