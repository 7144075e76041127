//! An owner whose agent was barred appeals, and the operator decides: two processes and their command lines.

use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use sward_coordinator::config::Layout;
use sward_coordinator::journal::Journal;
use sward_coordinator::keeper::StampedEntry;
use sward_coordinator_core::journal::JournalEntry;
use sward_coordinator_core::record::agent::Totals;
use sward_proto::ids::{PeerId, TaskId};
use sward_proto::timestamp::Timestamp;
use sward_proto::wire::standing::Decision;
use sward_system_tests::network::{Agent, Coordinator, Site};

/// A barred agent asks twice a minute what came of its appeal.
const PATIENCE: Duration = Duration::from_secs(90);

/// Has the coordinator find, when it is started next, that this agent was caught.
fn convict(data: &Path, agent: PeerId) {
    let layout = Layout::new(data.to_owned());
    let (mut journal, replay) =
        Journal::<StampedEntry>::open(&layout.journal()).expect("a journal");
    let turn = replay.entries.last().expect("an invite at least").turn;
    let (reason, tasks) = ("forged".to_owned(), vec![TaskId(17)]);
    let (at, forfeited) = (Timestamp::from_millis(1), Totals::default());
    let entry = JournalEntry::Convicted { agent, at, reason, tasks, forfeited };
    journal.append(&StampedEntry { turn, entry }).expect("room");
    journal.sync().expect("room");
    std::fs::remove_dir_all(layout.index()).expect("an index, built anew from the journal");
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_barred_agent_works_again_once_its_owner_is_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = Site::generated(folder.path(), 1);
    let mut coordinator = Coordinator::init(folder.path(), true);
    coordinator.serve();
    let mut agent = Agent::join(folder.path(), 0, &coordinator, &site);
    agent.start();
    wait_until("it enrols", || agent.status().is_some_and(|view| !view.operator.is_empty()));
    coordinator.end();
    convict(&coordinator.data, agent.peer);
    coordinator.serve();
    wait_until("it is barred", || {
        agent.status().is_some_and(|view| view.detail.starts_with("forged: "))
    });
    // What spoke against it was decided long ago, so it is told at once.
    wait_until("it is told why", || {
        let notices = agent.does(&["--json", "notices"]).ok();
        let notices: Value = serde_json::from_str(&notices).expect("JSON");
        notices["notices"][0]["tasks"][0] == 17
    });

    agent.does(&["appeal", "my provider changed pages"]).ok();
    let open = || {
        let list = coordinator.does(&["--json", "appeals", "list"]).ok();
        let list: Value = serde_json::from_str(&list).expect("JSON");
        list["appeals"][0].clone()
    };
    wait_until("the appeal comes in", || !open().is_null());
    assert_eq!(open()["text"], "my provider changed pages");
    assert_eq!((&open()["standing"], &open()["decision"]), (&"forged".into(), &"open".into()));
    let peer = agent.peer.to_string();
    coordinator.does(&["appeals", "uphold", &peer, "--why", "so it did"]).ok();
    wait_until("it works again", || {
        agent.status().is_some_and(|view| {
            let upheld = view.appeal.is_some_and(|told| told.decision == Decision::Upheld);
            upheld && view.detail.is_empty()
        })
    });
    let status = agent.does(&["status"]).ok();
    assert!(status.contains("upheld. so it did"), "{status}");
    assert_eq!(open()["standing"], "good");
}
