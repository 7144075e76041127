//! What an owner is told, and what an appeal changes.

use crate::stage::{Stage, peer};
use std::time::Duration;
use sward_coordinator_core::input::{Input, Order};
use sward_coordinator_core::record::agent::Standing;
use sward_proto::wire::refusal::RefusalCode;
use sward_proto::wire::reply::CoordinatorReply;
use sward_proto::wire::request::AgentRequest;
use sward_proto::wire::standing::{self, Decision};

const DAY: Duration = Duration::from_hours(24);

impl Stage {
    fn refusal(&mut self, n: u8, request: AgentRequest) -> RefusalCode {
        match self.ask(n, request).pop() {
            Some((_, CoordinatorReply::Refusal(refusal))) => refusal.code,
            other => panic!("not refused: {other:?}"),
        }
    }

    fn standing(&mut self, n: u8, request: AgentRequest) -> standing::Standing {
        match self.ask(n, request).pop() {
            Some((_, CoordinatorReply::Standing(standing))) => standing,
            other => panic!("no standing: {other:?}"),
        }
    }

    fn decide(&mut self, n: u8, upheld: bool) {
        let order = Order::DecideAppeal { agent: peer(n), upheld, why: "we looked".to_owned() };
        self.handle(Input::Operator { ticket: 1, order });
    }
}

fn appeal(text: &str) -> AgentRequest {
    AgentRequest::Appeal { text: text.to_owned() }
}

fn work() -> AgentRequest {
    AgentRequest::WantWork { capacity: 1, wait: Duration::from_secs(9), holding: Vec::new() }
}

#[test]
fn a_barred_agent_appeals_and_begins_anew_where_it_is_upheld() {
    let mut stage = Stage::new();
    stage.join(1);
    assert_eq!(stage.refusal(1, appeal("why")), RefusalCode::Conflict, "nothing was decided");
    stage.catch(1);
    assert_eq!(stage.refusal(1, work()), RefusalCode::Barred);
    let told = stage.standing(1, appeal("it was my provider"));
    assert_eq!(told.barred, "forged");
    assert_eq!(told.appeal.expect("an appeal").decision, Decision::Open);
    assert_eq!(stage.refusal(1, appeal("and my cat")), RefusalCode::Busy, "one at a time");
    stage.standing(1, appeal("it was my provider"));
    stage.decide(1, true);
    let told = stage.standing(1, AgentRequest::Standing);
    assert_eq!(told.barred, "");
    assert_eq!(told.appeal.expect("an appeal").answer, "we looked");
    let record = &stage.coordinator.roster().get(&peer(1)).expect("enrolled").record;
    assert_eq!(record.standing, Standing::Good);
    assert!(record.trust.on_probation() && record.evidence.sum() == 0);
    stage.submit();
    assert!(stage.poll(1), "it is given work");
}

#[test]
fn one_appeal_a_day_is_taken() {
    let mut stage = Stage::new();
    stage.join(1);
    stage.catch(1);
    stage.standing(1, appeal("first"));
    stage.decide(1, false);
    let told = stage.standing(1, AgentRequest::Standing);
    assert_eq!(told.appeal.expect("an appeal").decision, Decision::Rejected);
    assert_eq!(told.barred, "forged");
    assert_eq!(stage.refusal(1, appeal("second")), RefusalCode::Busy);
    stage.after(DAY);
    let told = stage.standing(1, appeal("second"));
    assert_eq!(told.appeal.expect("an appeal").decision, Decision::Open);
}

/// That work has ended, an owner must know; which tasks were checks, not before it is of no use.
#[test]
fn what_convicted_is_told_two_days_later() {
    let mut stage = Stage::new();
    stage.join(1);
    stage.catch(1);
    stage.after(DAY);
    assert_eq!(stage.standing(1, AgentRequest::Standing).notices, []);
    stage.after(DAY * 2);
    let notices = stage.standing(1, AgentRequest::Standing).notices;
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].reason, "forged");
}
