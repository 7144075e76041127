//! Who is given a page that others fetch: as the wire shows it, and as it can be checked afterwards.

use crate::stage::{Stage, given, peer};
use std::time::Duration;
use sward_proto::draw::PassedOver;
use sward_proto::ids::{LeaseToken, PeerId};
use sward_proto::wire::reply::CoordinatorReply;
use sward_proto::wire::request::AgentRequest;

/// What was told to agent `n`, byte by byte, but for the lease's token.
fn bytes_told(told: &[(PeerId, CoordinatorReply)], n: u8) -> Vec<u8> {
    let of = told.iter().find(|(agent, _)| *agent == peer(n)).map(|(_, reply)| reply.clone());
    let Some(CoordinatorReply::Work(mut work)) = of else { panic!("no work: {told:?}") };
    work.leases.iter_mut().for_each(|lease| lease.token = LeaseToken([0; 16]));
    CoordinatorReply::Work(work).encode(1)
}

#[test]
fn nothing_in_a_lease_tells_a_first_fetch_from_a_second() {
    let mut stage = Stage::new();
    (1..=4).for_each(|n| stage.join(n));
    stage.submit();
    let (wait, holding) = (Duration::from_secs(60), Vec::new());
    let request = AgentRequest::WantWork { capacity: 4, wait, holding };
    let first = stage.ask(1, request.clone());
    stage.seal(1);
    let second = stage.ask(2, request);
    assert_eq!(bytes_told(&first, 1), bytes_told(&second, 2));
    assert!(bytes_told(&first, 1).len() > 50, "a lease was told");
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_stranger_is_preferred_to_who_joined_together() {
    let mut stage = Stage::new();
    stage.join(1);
    stage.join(2);
    stage.after(HOUR);
    stage.join(3);
    stage.submit();
    assert!(stage.poll(1), "the first fetch is anybody's");
    stage.seal(1);
    assert!(!stage.poll(2), "a stranger may come");
    assert!(stage.poll(3));
    let attempts = stage.attempts();
    assert!(attempts.iter().all(|attempt| !attempt.draw.widened), "{attempts:#?}");
    for attempt in &attempts {
        let seed = stage.chain.seed(attempt.draw.round);
        assert_eq!(attempt.draw.check(&seed, &attempt.agent), Ok(()));
    }
}

#[test]
fn the_circle_is_widened_after_a_while_and_says_so() {
    let mut stage = Stage::new();
    stage.join(1);
    stage.join(2);
    stage.after(HOUR);
    stage.join(3);
    stage.submit();
    assert!(stage.poll(1));
    stage.seal(1);
    assert!(!stage.poll(2));
    assert!(!given(&stage.after(Duration::from_secs(49)), 2), "59 s: the stranger may still come");
    stage.poll(1);
    assert!(given(&stage.after(Duration::from_secs(1)), 2), "60 s");
    let attempts = stage.attempts();
    let [first, second] = &attempts[..] else { panic!("{attempts:#?}") };
    assert_eq!((first.draw.widened, second.draw.widened), (false, true));
    let seed = stage.chain.seed(second.draw.round);
    assert_eq!(second.draw.check(&seed, &peer(2)), Ok(()));
    assert!(second.draw.passed.iter().all(|passed| *passed == (peer(1), PassedOver::Tied)));
}

#[test]
fn where_there_is_no_stranger_nobody_waits() {
    let mut stage = Stage::new();
    stage.join(1);
    stage.join(2);
    stage.submit();
    assert!(stage.poll(1));
    stage.seal(1);
    assert!(stage.poll(2));
    assert!(stage.attempts().iter().any(|attempt| attempt.draw.widened));
}
