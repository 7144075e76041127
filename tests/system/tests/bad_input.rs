//! Mistakes of the people who run the two programs: one clear line that says what is wrong and what to do, the right exit
//! code, and nothing lost.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use sward_agent_core::reason::StopReason;
use sward_coordinator_core::job::JobState;
use sward_system_tests::network::{
    Agent, Books, Coordinator, Said, Site, SmallDisk, check_receipts, free_port, run, say,
    wait_for, write_pages,
};

const PATIENCE: Duration = Duration::from_secs(90);

/// Checks that a command failed with `code`, and said so in one line that has all of `parts`.
fn refused(said: &Said, code: i32, parts: &[&str]) {
    let is_log = |line: &&str| line.contains(" INFO ") || line.contains(" WARN ");
    let lines: Vec<&str> = said.stderr.lines().filter(|line| !is_log(line)).collect();
    assert_eq!(lines.len(), 1, "not one line: {said:?}");
    assert_eq!(said.code, Some(code), "{said:?}");
    for part in parts {
        assert!(lines[0].contains(part), "no {part:?} in {said:?}");
    }
    assert!(said.stdout.is_empty(), "a failure is no result: {said:?}");
}

/// The two words of an invite: address and code.
fn invite(coordinator: &Coordinator, more: &[&str]) -> (String, String) {
    let said = coordinator.does(&[&["invite"], more].concat()).ok();
    let (address, code) = said.trim().split_once(' ').expect("address and code");
    (address.to_owned(), code.to_owned())
}

/// A running coordinator for ordinary agents.
fn running(folder: &Path) -> Coordinator {
    let mut coordinator = Coordinator::init(folder, false);
    coordinator.serve();
    coordinator
}

/// An agent that is set up and never started.
fn set_up(folder: &Path) -> Agent {
    let nobody = "12D3KooWAaYVakMyznsMrUbM1TPKUnduj2tCfQiM6zujqQmepeqr";
    let address = format!("/ip4/127.0.0.1/tcp/{}/p2p/{nobody}", free_port());
    Agent::set_up(folder, 0, &address, "0123456789abcdefghjkmnpqrs", &[])
}

#[test]
fn an_unknown_key_in_a_configuration_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = Coordinator::init(folder.path(), false);
    let agent = set_up(folder.path());
    for data in [&coordinator.data, &agent.data] {
        let path = data.join("config.toml");
        let text = fs::read_to_string(&path).expect("a configuration");
        fs::write(path, format!("colour = 1\n{text}")).expect("ours");
    }
    let parts = ["config.toml", "line 1", "unknown field `colour`"];
    refused(&coordinator.does(&["serve"]), 1, &parts);
    refused(&agent.does(&["run"]), 1, &parts);
}

#[test]
fn a_folder_that_is_none_or_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = Coordinator::init(folder.path(), false);
    let none = coordinator.over(folder.path().join("none"));
    refused(&none.does(&["serve"]), 1, &["none/config.toml", "run sward-coordinator init first"]);
    let file = coordinator.over(coordinator.data.join("config.toml"));
    refused(&file.does(&["serve"]), 1, &["cannot read", "Not a directory"]);
    let agent = set_up(folder.path()).over(folder.path().join("none"));
    refused(&agent.does(&["run"]), 1, &["none/config.toml", "run sward-agent setup first"]);
    let twice =
        coordinator.does(&["init", "--operator=x", "--contact=https://x.example/", "--log=a.b/c"]);
    refused(&twice, 1, &["exists already", "another data folder"]);

    let data = coordinator.data.display().to_string();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).expect("ours");
    let config = coordinator.data.join("config.toml");
    fs::set_permissions(config, fs::Permissions::from_mode(0o000)).expect("ours");
    match as_nobody(&["--data", &data, "serve"]) {
        Ok(said) => refused(&said, 1, &["config.toml", "this user may read", "Permission denied"]),
        Err(why) => say(&format!("skipped, as nobody else can be: {why}")),
    }
}

/// Runs the coordinator's command line as a user without rights, where that is possible.
fn as_nobody(arguments: &[&str]) -> Result<Said, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let program = program.ancestors().nth(2).expect("a profile").join("sward-demo");
    let drop_rights = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let output = Command::new("setpriv")
        .args(drop_rights)
        .arg(program)
        .args(["--as", "coordinator"])
        .args(arguments)
        .output()
        .map_err(|error| error.to_string())?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if stderr.starts_with("setpriv:") {
        return Err(stderr);
    }
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Said { code: output.status.code(), stdout, stderr })
}

#[test]
fn a_busy_port_is_named_with_the_key_to_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = Coordinator::init(folder.path(), false);
    let text = fs::read_to_string(coordinator.data.join("config.toml")).expect("a configuration");
    let port = text.split("/tcp/").nth(1).and_then(|rest| rest.split('"').next()).expect("a port");
    let port: u16 = port.parse().expect("a port");
    let other = TcpListener::bind(("127.0.0.1", port)).expect("free");
    let parts = ["cannot listen", &port.to_string(), "`listen` in config.toml", "in use"];
    refused(&coordinator.does(&["serve"]), 1, &parts);
    drop(other);
    let other = TcpListener::bind(("127.0.0.1", coordinator.health)).expect("free");
    let parts = ["cannot listen", &coordinator.health.to_string(), "`health` in config.toml"];
    refused(&coordinator.does(&["serve"]), 1, &parts);
    drop(other);
}

#[test]
fn a_second_instance_is_refused_and_the_first_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = running(folder.path());
    for command in ["serve", "rebuild"] {
        refused(&coordinator.does(&[command]), 1, &["in use by another process", "stop that"]);
    }
    coordinator.does(&["job", "list"]).ok();
    let mut agent = set_up(folder.path());
    agent.start();
    wait_for("the agent", PATIENCE, || agent.status());
    refused(&agent.does(&["run"]), 1, &["in use by another sward-agent", "stop that"]);
    assert!(agent.status().is_some(), "the first is gone");
}

#[test]
fn a_coordinator_that_is_another_than_the_pinned_one_gets_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = running(folder.path());
    let (address, code) = invite(&coordinator, &[]);
    let (place, _) = address.split_once("/p2p/").expect("a peer id");
    let pinned = format!("{place}/p2p/12D3KooWAaYVakMyznsMrUbM1TPKUnduj2tCfQiM6zujqQmepeqr");
    let mut agent = Agent::set_up(folder.path(), 0, &pinned, &code, &[]);
    agent.start();
    let tries = |agent: &mut Agent| agent.role().messages().matches("Unexpected peer ID").count();
    wait_for("three tries", PATIENCE, || Some(()).filter(|()| tries(&mut agent) >= 3));
    let view = agent.status().expect("it keeps running");
    assert_eq!(view.reason, Some(StopReason::CoordinatorUnreachable));
    assert!(coordinator.agents().is_none(), "nobody joined");
}

#[test]
fn an_invite_that_is_expired_used_or_unknown_says_so_and_can_be_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = running(folder.path());
    let (address, used) = invite(&coordinator, &[]);
    let (_, expired) = invite(&coordinator, &["--expires", "1s"]);
    let mut first = Agent::set_up(folder.path(), 0, &address, &used, &[]);
    first.start();
    wait_for("the first to join", PATIENCE, || coordinator.agents());
    std::thread::sleep(Duration::from_secs(1));
    let unknown = "0123456789abcdefghjkmnpqrs".to_owned();
    let cases = [(used, "used already"), (expired.clone(), "expired"), (unknown, "not known here")];
    for (number, (code, why)) in (1..).zip(cases) {
        let mut agent = Agent::set_up(folder.path(), number, &address, &code, &[]);
        agent.start();
        let view = wait_for("a refusal", PATIENCE, || {
            agent.status().filter(|view| view.reason == Some(StopReason::Revoked))
        });
        assert!(view.detail.contains(why), "{view:?}");
        let said = agent.does(&["status"]).ok();
        assert!(
            said.contains(why) && said.contains("ask the operator") || code != expired,
            "{said}"
        );
        agent.end();
        let (_, good) = invite(&coordinator, &[]);
        let path = agent.data.join("config.toml");
        let text = fs::read_to_string(&path).expect("a configuration");
        fs::write(path, text.replace(&code, &good)).expect("ours");
        agent.start();
        wait_for("to join with another invite", PATIENCE, || {
            agent.status().filter(|view| view.reason == Some(StopReason::NoWork))
        });
    }
}

#[test]
fn a_malformed_job_is_refused_and_says_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = running(folder.path());
    let path = folder.path().join("job.toml");
    let job = |seed: &str, more: &str| {
        format!("name = \"x\"\nseeds = [\"{seed}\"]\npurpose = \"test\"\n{more}")
    };
    let sound = "http://a.example/";
    let long = format!("http://a.example/{}", "a".repeat(9000));
    let cases = [
        ("name = \"x\"\nseeds = [\"http://a.example/\"\n".to_owned(), 1, vec!["line 2", "array"]),
        (job(sound, "colour = 1\n"), 1, vec!["line 4", "unknown field `colour`"]),
        (
            job(sound, "[scope]\nexclude = [\"(\"]\n"),
            1,
            vec!["pattern \"(\"", "regular expression"],
        ),
        (job(sound, "[limits]\npages = 0\n"), 1, vec!["limits.pages is 0", "1 and more"]),
        (job("http://192.168.0.1/", ""), 4, vec!["192.168.0.1", "private"]),
        (job("http://127.0.0.1/", ""), 4, vec!["127.0.0.1", "loopback"]),
        (job("http://a.example:22/", ""), 4, vec!["port 22 is not 80 or 443"]),
        (job("http://u:p@a.example/", ""), 1, vec!["line 2", "user info"]),
        (job("ftp://a.example/", ""), 1, vec!["line 2", "ftp"]),
        (job(&long, ""), 1, vec!["line 2", "longer than 8192"]),
    ];
    for (text, code, parts) in cases {
        fs::write(&path, &text).expect("ours");
        let file = path.display().to_string();
        refused(&coordinator.does(&["job", "run", "--detach", &file]), code, &parts);
    }
    let none = coordinator.does(&["job", "run", "--detach", "none.toml"]);
    refused(&none, 1, &["cannot read the job file none.toml"]);
    assert!(coordinator.job().is_none(), "a refused job was kept");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = Coordinator::init(folder.path(), false);
    let agent = set_up(folder.path());
    for key in [coordinator.data.join("keys/receipts"), agent.data.join("keys/identity")] {
        fs::set_permissions(key, fs::Permissions::from_mode(0o644)).expect("ours");
    }
    refused(&coordinator.does(&["serve"]), 1, &["keys/receipts", "mode 644", "chmod go="]);
    refused(&agent.does(&["run"]), 1, &["keys/identity", "mode 644", "chmod go="]);
}

#[test]
fn what_needs_a_daemon_says_that_none_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let coordinator = Coordinator::init(folder.path(), false);
    let agent = set_up(folder.path());
    let parts = ["nothing is running", "start it first"];
    for command in [&["job", "list"][..], &["invite"], &["agents"], &["hosts"]] {
        refused(&coordinator.does(command), 3, &parts);
    }
    for command in ["status", "pause", "resume"] {
        refused(&agent.does(&[command]), 3, &parts);
    }
}

#[test]
fn an_export_overwrites_nothing_and_invents_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut coordinator = Coordinator::init(folder.path(), false);
    let out = folder.path().join("out").display().to_string();
    let unknown = ["export", "none", "--format", "jsonl", "--out", &out];
    let parts = ["no job is named none"];
    refused(&coordinator.does(&unknown), 4, &parts);
    assert!(!coordinator.data.join("index").exists(), "asking made an index");
    coordinator.serve();
    refused(&coordinator.does(&unknown), 4, &parts);
    let flags = ["--name=x", "--purpose=test", "--seed=http://a.example/"];
    coordinator.does(&[&["job", "run", "--detach"], &flags[..]].concat()).ok();
    fs::create_dir(&out).expect("a folder");
    fs::write(folder.path().join("out/precious"), "kept").expect("a file");
    let into = ["export", "x", "--format", "jsonl", "--out", &out];
    refused(&coordinator.does(&into), 1, &["exists already", "another folder"]);
    assert_eq!(fs::read_dir(&out).expect("a folder").count(), 1);
    let format = coordinator.does(&["export", "x", "--format", "paper", "--out", &out]);
    assert_eq!(format.code, Some(2), "{format:?}");
    assert!(format.stderr.contains("give warc or jsonl"), "{format:?}");
}

#[test]
fn a_read_only_folder_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().join("disk");
    let disk = match SmallDisk::mount(&at, 16) {
        Ok(disk) => disk,
        Err(why) => return say(&format!("skipped, as nothing can be mounted: {why}")),
    };
    let coordinator = Coordinator::init(&at, false);
    let agent = set_up(&at);
    disk.protect();
    refused(&coordinator.does(&["serve"]), 1, &["archive", "Read-only file system"]);
    refused(&agent.does(&["run"]), 1, &[&at.display().to_string(), "Read-only file system"]);
    let other = Coordinator::init(folder.path(), false).over(at.join("other"));
    let init = ["init", "--operator=x", "--contact=https://x.example/", "--log=a.b/c"];
    refused(&other.does(&init), 1, &["cannot make", "Read-only file system"]);
}

/// Lets the disk behind `at` fill up in the middle of a crawl until only `left` bytes are free.
fn full_disk(name: &str, at: fn(&Path) -> PathBuf, left: u64, reserve: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("pages");
    write_pages(&pages, 60, 3000);
    let site = Site::of_pages(folder.path(), &pages);
    let mut coordinator = Coordinator::init(folder.path(), true);
    let kept = folder.path().join("kept");
    fs::rename(&coordinator.data, &kept).expect("ours");
    let disk = match SmallDisk::mount(&at(&coordinator.data), 48) {
        Ok(disk) => disk,
        Err(why) => return say(&format!("{name} skipped, as nothing can be mounted: {why}")),
    };
    let data = coordinator.data.display().to_string();
    let moved = Command::new("cp").args(["-a", "-T"]).arg(&kept).arg(&data).status();
    assert!(moved.expect("cp").success());
    coordinator.reconfigure("reserve_bytes = 67108864", &format!("reserve_bytes = {reserve}"));
    coordinator.serve();
    let join = |number| Agent::join(folder.path(), number, &coordinator, &site);
    let mut agents: Vec<Agent> = (0..3).map(join).collect();
    agents.iter_mut().for_each(Agent::start);
    let job = ["job", "run", "--detach", "--name", "full"].map(str::to_owned);
    coordinator.does(&[&job, site.job_flags(30).as_slice()].concat()).ok();
    wait_for("some pages", PATIENCE, || coordinator.job().filter(|job| job.counts.pages >= 10));

    let ballast = disk.fill(left);
    wait_for("not to be ready", PATIENCE, || {
        Some(()).filter(|()| coordinator.readiness().contains("503"))
    });
    for agent in &agents {
        wait_for("agents to be told", PATIENCE, || {
            assert!(coordinator.role().ended().is_none(), "it ended: {}", coordinator.messages());
            agent.status().filter(|view| view.reason == Some(StopReason::CoordinatorFull))
        });
    }
    assert!(coordinator.role().ended().is_none(), "it ended: {}", coordinator.messages());
    let job = coordinator.job().expect("it answers");
    assert_eq!(job.state, JobState::Running);
    assert!(job.waiting_for.is_some_and(|why| why.contains("space")), "{name}");

    fs::remove_file(ballast).expect("ours");
    coordinator.wait_until_done(PATIENCE);
    assert!(coordinator.readiness().contains("200"));
    let views = coordinator.wait_for_receipts(PATIENCE);
    check_receipts(&coordinator, &views, &agents);
    assert_eq!(Books::read(&coordinator.data).accepted.len(), 61, "{name}");
    coordinator.end();
}

#[test]
fn a_full_disk_under_the_archive_is_waited_out() {
    full_disk("archive", |data| data.join("archive"), 0, 0);
}

#[test]
fn a_full_disk_under_everything_is_waited_out() {
    full_disk("everything", Path::to_path_buf, 9 << 20, 10 << 20);
}

#[test]
fn usage_mistakes_have_their_own_code() {
    for (role, arguments) in [("coordinator", ["job", "fly"]), ("agent", ["run", "--quickly"])] {
        assert_eq!(run(role, &arguments).code, Some(2));
    }
}
