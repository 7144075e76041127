//! What an agent that is caught, or gone, leaves behind: nobody waits for it, and nothing stands on its word.

use crate::stage::{SALT, Stage, attestation, peer};
use std::time::Duration;
use sward_coordinator_core::config::Bounds;
use sward_coordinator_core::input::{Input, UploadFacts};
use sward_coordinator_core::journal::JournalEntry;
use sward_coordinator_core::record::agent::Totals;
use sward_coordinator_core::task::Phase;
use sward_proto::batch;
use sward_proto::ids::LeaseToken;
use sward_proto::outcome::Outcome;

/// What an agent says that was at the only URL there is, the site's robots.txt.
fn attested(body: &str) -> Vec<u8> {
    attestation(&"https://site.example/robots.txt".parse().expect("a url"), 200, body)
}

impl Stage {
    /// A site, and agents that are there to fetch it.
    fn with_agents(count: u8) -> Self {
        let mut stage = Self::new();
        (1..=count).for_each(|n| stage.join(n));
        stage.submit();
        stage
    }

    /// Agent `n` fetches, and seals what it says it saw.
    fn fetch(&mut self, n: u8, body: &str) {
        assert!(self.poll(n), "agent {n} is given the page");
        self.seal_as(n, batch::leaf(SALT, &attested(body)));
    }

    fn open(&mut self, n: u8, body: &str) {
        let token = *self.tokens(n).last().expect("a lease");
        self.reveal(n, token, attested(body));
    }

    pub(crate) fn catch(&mut self, n: u8) {
        let (at, reason) = (self.now, "forged".to_owned());
        let (agent, tasks, forfeited) = (peer(n), Vec::new(), Totals::default());
        let caught = JournalEntry::Convicted { agent, at, reason, tasks, forfeited };
        self.coordinator.replay_journal(caught, self.now);
        self.after(Duration::ZERO);
    }

    /// Whose capture is waited for.
    fn asked(&self) -> Option<LeaseToken> {
        self.coordinator.tasks().find_map(|task| match &task.phase {
            Phase::Uploading { token, .. } => Some(*token),
            Phase::Collecting | Phase::Revealing { .. } | Phase::Agreed(_) | Phase::Settling => {
                None
            }
        })
    }
}

/// An agent was caught between opening a result and its sibling's: the page was asked of it all the same, which answers no
/// more, and a minute went by.
#[test]
fn no_capture_is_asked_of_who_was_caught() {
    let mut stage = Stage::with_agents(3);
    stage.fetch(1, "true");
    stage.fetch(2, "true");
    stage.open(1, "true");
    stage.catch(1);
    stage.open(2, "true");
    assert_eq!(stage.asked(), None, "one voice is not enough");
    stage.fetch(3, "true");
    stage.open(3, "true");
    let asked = stage.asked().expect("two independent voices");
    assert!(!stage.tokens(1).contains(&asked));
}

/// Two who agreed on a page are both caught while its capture is on its way: nobody is left who vouches for it.
#[test]
fn no_page_is_accepted_on_the_word_of_who_was_caught() {
    for asked_is_caught in [false, true] {
        let mut stage = Stage::with_agents(3);
        for n in [1, 2] {
            stage.fetch(n, "forged");
        }
        for n in [1, 2] {
            stage.open(n, "forged");
        }
        let asked = stage.asked().expect("two independent voices");
        let is_asked = |n: &u8| stage.tokens(*n).contains(&asked);
        let caught = [1, 2].into_iter().find(|n| is_asked(n) == asked_is_caught);
        stage.catch(caught.expect("one of the two"));
        if !asked_is_caught {
            let facts = UploadFacts { links: Vec::new(), robots_body: Some(b"forged".to_vec()) };
            stage.handle(Input::Uploaded { token: asked, result: Ok(facts) });
        }
        assert_eq!(stage.archived, [], "caught while asked: {asked_is_caught}");
        assert_eq!(stage.asked(), None);
        assert!(stage.poll(3), "a third is asked at once");
    }
}

/// A liar's dissent wanted one more voice; without the liar, those that there are agree.
#[test]
fn no_further_voice_is_wanted_where_the_dissenter_was_caught() {
    let mut stage = Stage::with_agents(4);
    for (n, body) in [(1, "true"), (2, "forged")] {
        stage.fetch(n, body);
    }
    for (n, body) in [(1, "true"), (2, "forged")] {
        stage.open(n, body);
    }
    stage.fetch(3, "true");
    stage.open(3, "true");
    assert_eq!(stage.asked(), None, "two against one");
    stage.catch(2);
    assert!(stage.asked().is_some(), "two, and nobody against them");
}

/// A page waited for the only agent that had not answered. Then that one was caught, and it waited for ever.
#[test]
fn a_page_is_contested_where_the_last_who_could_decide_is_caught() {
    let mut stage = Stage::with_agents(3);
    for (n, body) in [(1, "one"), (2, "another")] {
        stage.fetch(n, body);
    }
    for (n, body) in [(1, "one"), (2, "another")] {
        stage.open(n, body);
    }
    stage.catch(3);
    stage.after(Bounds::default().starvation_wait);
    let outcomes: Vec<Outcome> = stage.archived.iter().map(|kept| kept.outcome).collect();
    assert_eq!(outcomes, [Outcome::Disagree]);
}

/// An owner's machine goes to rest with the day: a page that only it could still decide waited for it for ever.
#[test]
fn a_page_is_contested_where_the_last_who_could_decide_stays_away() {
    let mut stage = Stage::with_agents(3);
    for (n, body) in [(1, "one"), (2, "another")] {
        stage.fetch(n, body);
    }
    for (n, body) in [(1, "one"), (2, "another")] {
        stage.open(n, body);
    }
    let wait = Bounds::default().starvation_wait;
    stage.after(wait - Duration::from_secs(1));
    stage.handle(Input::Disconnected { agent: peer(3) });
    stage.after(Duration::from_secs(1));
    assert_eq!(stage.archived, [], "it may come back");
    stage.after(wait);
    let outcomes: Vec<Outcome> = stage.archived.iter().map(|kept| kept.outcome).collect();
    assert_eq!(outcomes, [Outcome::Disagree]);
}
