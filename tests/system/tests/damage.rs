//! An index that is damaged in any way: the coordinator starts again, says that it rebuilt it or proves that nothing is
//! missing, and the job ends as it would have.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use sward_coordinator::question::AgentView;
use sward_system_tests::network::{
    Agent, Books, Chance, Coordinator, Site, check_receipts, exported_urls, say, wait_for,
    write_pages,
};

const JOB: &str = "damage";
const SEED: u64 = 20_250_602;
const PAGES: usize = 60;
/// URLs of a job that waits all the while.
const WAITING: u64 = 30_000;
/// What was merged into sled.
const DB: &str = "db";
/// The commits since.
const LOG: &str = "sward-redo-log";
const PATIENCE: Duration = Duration::from_secs(60);

/// One way of damaging an index.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// So many KiB are cut off the end of a file, or all of it.
    Cut(&'static str, u64),
    /// This file is deleted.
    NoFile(&'static str),
    /// The folder is deleted.
    NoFolder,
    /// The folder is emptied.
    Emptied,
    /// A file's last KiB are zeros, as after a power cut.
    Blanked(&'static str, u64),
    /// So many bits of a file are flipped, each somewhere.
    Flipped(&'static str, u64),
}

const DAMAGES: [Damage; 20] = [
    Damage::Cut(DB, 100),
    Damage::Cut(DB, 400),
    Damage::Cut(DB, 512),
    Damage::Cut(DB, 1000),
    Damage::Cut(DB, 4000),
    Damage::Cut(LOG, 1),
    Damage::Cut(LOG, 100),
    Damage::Cut(LOG, 4000),
    Damage::NoFile(DB),
    Damage::NoFile(LOG),
    Damage::NoFile("conf"),
    Damage::NoFile("sward-last-commit"),
    Damage::NoFolder,
    Damage::Emptied,
    Damage::Blanked(DB, 600),
    Damage::Blanked(LOG, 4),
    Damage::Flipped(DB, 1),
    Damage::Flipped(DB, 1000),
    Damage::Flipped(LOG, 1),
    Damage::Flipped(LOG, 100),
];

impl Damage {
    fn strike(self, index: &Path, chance: &mut Chance) {
        let open = |name: &str| {
            let path = index.join(name);
            let length = fs::metadata(&path).expect("a file").len();
            let file = OpenOptions::new().read(true).write(true).open(path);
            (file.expect("a file"), length)
        };
        match self {
            Self::Cut(name, kib) => {
                let (file, length) = open(name);
                file.set_len(length.saturating_sub(kib << 10)).expect("ours");
            }
            Self::NoFile(name) => fs::remove_file(index.join(name)).expect("it was there"),
            Self::NoFolder => fs::remove_dir_all(index).expect("ours"),
            Self::Emptied => {
                fs::remove_dir_all(index).expect("ours");
                fs::create_dir(index).expect("ours");
            }
            Self::Blanked(name, kib) => {
                let (file, length) = open(name);
                let from = length.saturating_sub(kib << 10);
                file.set_len(from).and_then(|()| file.set_len(length)).expect("ours");
            }
            Self::Flipped(name, bits) => {
                let (mut file, length) = open(name);
                for _ in 0..bits {
                    let offset = chance.below(length);
                    let mut byte = [0];
                    file.seek(SeekFrom::Start(offset)).expect("inside");
                    file.read_exact(&mut byte).expect("inside");
                    file.seek(SeekFrom::Start(offset)).expect("inside");
                    file.write_all(&[byte[0] ^ 1 << chance.below(8)]).expect("inside");
                }
            }
        }
    }
}

/// A crawl that was stopped in the middle: everything else is played from copies of it.
struct Stopped {
    coordinator: Coordinator,
    agents: Vec<Agent>,
    folder: PathBuf,
    /// What was accepted and credited so far.
    books: Books,
    _site: Site,
}

/// One way in which it went on.
struct Continued {
    /// What it said at its start.
    said: String,
    accepted: BTreeSet<String>,
    books: Books,
    outcomes: BTreeMap<String, u64>,
    /// URLs that the paused job met, and those that wait.
    waiting: (u64, u64),
}

/// A job whose URLs fill the index, and are not fetched.
fn many_seeds() -> String {
    let seed = |n: u64| format!("\"http://host-{}.example/a/long/enough/path/{n}\"", n % 200);
    let seeds: Vec<String> = (0..WAITING).map(seed).collect();
    format!("name = \"waiting\"\npurpose = \"test\"\nseeds = [{}]\n", seeds.join(", "))
}

/// All credit of an agent, final or not.
fn credit(view: &AgentView) -> u64 {
    view.pending + view.receipted
}

impl Stopped {
    fn in_the_middle(folder: &Path) -> Self {
        let pages = folder.join("pages");
        write_pages(&pages, PAGES, 20_000);
        let site = Site::of_pages(folder, &pages);
        let mut coordinator = Coordinator::init(folder, true);
        coordinator.serve();
        let join = |number| Agent::join(folder, number, &coordinator, &site);
        let mut agents: Vec<Agent> = (0..3).map(join).collect();
        let flags = site.job_flags(5);
        let job = ["job", "run", "--detach", "--name", JOB].map(str::to_owned);
        coordinator.does(&[&job, flags.as_slice()].concat()).ok();
        let waiting = folder.join("waiting.toml");
        fs::write(&waiting, many_seeds()).expect("a job file");
        coordinator.does(&["job", "run", "--detach", &waiting.display().to_string()]).ok();
        coordinator.does(&["job", "pause", "waiting"]).ok();
        agents.iter_mut().for_each(Agent::start);
        let half = PAGES as u64 / 2;
        wait_for("half of the crawl", PATIENCE, || {
            coordinator.job().filter(|job| job.counts.pages >= half)
        });
        coordinator.end();
        agents.iter_mut().for_each(Agent::end);
        let books = Books::read(&coordinator.data);
        assert!(books.accepted.len() <= PAGES, "the crawl was over before it was stopped");
        Self { coordinator, agents, folder: folder.to_owned(), books, _site: site }
    }

    /// Copies everything, damages the copy's index by `strike`, and lets it run to its end.
    fn go_on(&self, name: &str, strike: impl FnOnce(&Coordinator)) -> Continued {
        let copy = self.folder.join(name);
        fs::create_dir(&copy).expect("a folder");
        let copied = |from: &Path| {
            let to = copy.join(from.file_name().expect("a name"));
            let done = Command::new("cp").arg("-a").args([from, &to]).status().expect("cp");
            assert!(done.success(), "cp {}", from.display());
            to
        };
        let mut coordinator = self.coordinator.over(copied(&self.coordinator.data));
        let mut agents: Vec<Agent> =
            self.agents.iter().map(|agent| agent.over(copied(&agent.data))).collect();
        strike(&coordinator);
        coordinator.serve();
        let said = coordinator.messages();
        let views = coordinator.agents().expect("enrolled agents");
        for agent in &self.agents {
            let peer = agent.peer.to_string();
            let view = views.iter().find(|view| view.peer_id == peer).expect("enrolled");
            let before = self.books.total(&agent.peer);
            assert!(credit(view) >= before.credit, "{name}: had {before:?}, has {view:?}");
        }
        agents.iter_mut().for_each(Agent::start);
        let done = coordinator.wait_until_done(PATIENCE);
        let views = coordinator.wait_for_receipts(PATIENCE);
        check_receipts(&coordinator, &views, &agents);
        let books = Books::read(&coordinator.data);
        let exported = exported_urls(&coordinator, JOB, &copy.join("export"));
        assert_eq!(exported, books.accepted, "{name}: exported is what was accepted");
        assert_eq!(done.counts.pages, books.accepted.len() as u64, "{name}");
        assert!(books.accepted.is_superset(&self.books.accepted), "{name}: lost a page");
        let waiting = &coordinator.jobs()[1].counts;
        let waiting = (waiting.discovered, waiting.queued);
        let outcomes = done.counts.outcomes.iter();
        let outcomes = outcomes.map(|(outcome, count)| (outcome.to_string(), *count)).collect();
        coordinator.end();
        agents.iter_mut().for_each(Agent::end);
        fs::remove_dir_all(&copy).expect("ours");
        Continued { said, accepted: books.accepted.clone(), books, outcomes, waiting }
    }
}

#[test]
fn twenty_ways_of_damage_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let stopped = Stopped::in_the_middle(folder.path());
    let index = stopped.coordinator.data.join("index");
    let lengths = [DB, LOG].map(|name| fs::metadata(index.join(name)).expect("a file").len());
    let accepted = stopped.books.accepted.len();
    say(&format!("{accepted} pages accepted, files of {lengths:?} bytes"));
    let undamaged = stopped.go_on("undamaged", |_| {});
    assert!(!undamaged.said.contains("index rebuilt"), "{}", undamaged.said);
    assert_eq!(undamaged.waiting, (WAITING, WAITING));
    assert!(lengths > [1_000_000, 100_000], "{lengths:?} bytes are too few for the cuts");

    let mut chance = Chance(SEED);
    let mut rebuilt = 0;
    for (number, damage) in DAMAGES.into_iter().enumerate() {
        let begun = Instant::now();
        let name = format!("{number:02} {damage:?}");
        let continued = stopped.go_on(&format!("copy-{number}"), |copy| {
            damage.strike(&copy.data.join("index"), &mut chance);
        });
        let says_so = continued.said.contains("index rebuilt from archive and journal");
        rebuilt += usize::from(says_so);
        say(&format!("{name}: rebuilt {says_so}, done after {:?}", begun.elapsed()));
        assert_eq!(continued.accepted, undamaged.accepted, "{name}");
        assert_eq!(continued.outcomes, undamaged.outcomes, "{name}");
        assert_eq!(continued.waiting, undamaged.waiting, "{name}: the paused job");
        let gone = matches!(
            damage,
            Damage::Cut(_, _) | Damage::NoFile(DB | LOG) | Damage::NoFolder | Damage::Emptied
        );
        assert!(says_so || !gone, "{name}: not said: {}", continued.said);
    }
    assert!(rebuilt >= 12, "only {rebuilt} rebuilt");
}

#[test]
fn an_index_is_rebuilt_on_demand() {
    let folder = tempfile::tempdir().expect("a folder");
    let stopped = Stopped::in_the_middle(folder.path());
    let accepted = stopped.books.accepted.len();
    let continued = stopped.go_on("rebuilt", |copy| {
        let answer = copy.does(&["--json", "rebuild"]).ok();
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["rebuilt"]["accepted_pages"], accepted);
        let aside = answer["rebuilt"]["old_index"].as_str().expect("a path");
        assert!(Path::new(aside).join("db").is_file(), "the old index is kept: {aside}");
    });
    assert!(!continued.said.contains("index rebuilt"), "{}", continued.said);
    assert_eq!(continued.accepted.len(), PAGES + 1);
    assert!(!continued.books.credits.is_empty());
}
