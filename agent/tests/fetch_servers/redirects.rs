//! Where redirects and names may lead, and where they may not.

use crate::site::{
    Answer, Site, failure, fetch, fetch_with, html, moved, names, page, request_for, response,
    settings,
};
use std::sync::{Arc, RwLock};
use sward_agent::fetch::{FetchSettings, Fetcher, FetcherError};
use sward_agent_core::guard::{Guard, GuardConfig};
use sward_proto::outcome::FailureCode;

/// `/N` leads to `/N-1`, and `/0` is a page.
async fn chain() -> Site {
    Site::new(|path| match path.trim_start_matches('/').parse::<usize>() {
        Ok(0) | Err(_) => Answer::Keep(html("<p>the end")),
        Ok(n) => Answer::Keep(moved(302, &format!("{}", n - 1), b"moved")),
    })
    .await
}

fn requests(site: &Site) -> usize {
    site.seen.requests.lock().expect("not poisoned").len()
}

#[tokio::test]
async fn five_redirects_within_a_host_are_followed_and_recorded() {
    let site = chain().await;
    let fetched = fetch(&site.url("/5")).await;
    let seen = response(&fetched);
    let hops: Vec<String> = seen.hops.iter().map(|hop| hop.url.to_string()).collect();
    let paths = ["/5", "/4", "/3", "/2", "/1"].map(|path| site.url(path));
    assert_eq!(hops, paths);
    assert!(seen.hops.iter().all(|hop| hop.status == 302));
    assert_eq!((seen.status, seen.final_url.to_string()), (200, site.url("/0")));
    let urls: Vec<String> = fetched.exchanges.iter().map(|e| e.url.to_string()).collect();
    assert_eq!(urls, [&paths[..], &[site.url("/0")]].concat());
    let bodies = fetched.exchanges.iter().map(|exchange| exchange.body.as_slice());
    assert_eq!(
        bodies.collect::<Vec<_>>(),
        [&b"moved"[..], b"moved", b"moved", b"moved", b"moved", b""]
    );
    let heads: usize = fetched.exchanges.iter().map(|e| e.response_head.len()).sum();
    assert_eq!(seen.wire_bytes, (heads + 5 * "moved".len() + "<p>the end".len()) as u64);
}

#[tokio::test]
async fn the_sixth_redirect_and_a_loop_end_the_fetch() {
    let site = chain().await;
    let fetched = fetch(&site.url("/6")).await;
    assert_eq!(failure(&fetched).0, FailureCode::Redirect);
    assert_eq!((requests(&site), fetched.exchanges.len()), (6, 6));

    let site =
        Site::new(|path| Answer::Keep(moved(301, if path == "/a" { "/b" } else { "/a" }, b"")))
            .await;
    let fetched = fetch(&site.url("/a")).await;
    assert_eq!(failure(&fetched).0, FailureCode::Redirect);
    assert!(failure(&fetched).1.starts_with("redirect_loop: "), "{:?}", failure(&fetched));
    assert_eq!(requests(&site), 2);
}

#[tokio::test]
async fn a_redirect_to_another_host_ends_the_fetch_with_its_target() {
    let other = Site::always(Answer::Keep(html("<p>other"))).await;
    let to = format!("http://www.a.example:{}/x#y", other.address.port());
    let target = to.replace("#y", "");
    let site = Site::always(Answer::Keep(moved(308, &to, b"gone"))).await;
    let mut settings = settings();
    settings.names = names(&[("www.a.example", &["127.0.0.1"])]);
    let fetched = fetch_with(settings, request_for(&site.url("/"))).await;
    let seen = response(&fetched);
    assert_eq!((seen.status, seen.hops.len(), seen.raw_bytes), (308, 0, 4));
    assert_eq!(seen.redirect_target.as_ref().map(ToString::to_string), Some(target));
    assert_eq!(seen.final_url.to_string(), site.url("/"));
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused_and_nothing_is_dialled() {
    let victim = Site::always(Answer::Keep(html("<p>router"))).await;
    let port = victim.address.port();
    for to in [
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://[::127.0.0.1]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://[::]:{port}/"),
        "http://169.254.169.254/latest".to_owned(),
        "http://router.local/".to_owned(),
    ] {
        let site = Site::always(Answer::Keep(moved(302, &to, b""))).await;
        let fetched = fetch(&site.url("/")).await;
        assert_eq!(failure(&fetched).0, FailureCode::Guard, "{to}");
        assert_eq!(requests(&site), 1);
        let literal = fetch(&to).await;
        assert_eq!(failure(&literal).0, FailureCode::Guard, "{to}");
    }
    assert_eq!(victim.connections(), 0);
}

#[tokio::test]
async fn a_name_with_one_bad_answer_is_refused_and_nothing_is_dialled() {
    let site = Site::always(Answer::Keep(html("<p>here"))).await;
    let mut settings = settings();
    settings.names = names(&[
        ("good.example", &["127.0.0.1"]),
        ("mixed.example", &["127.0.0.1", "10.0.0.1"]),
        ("mapped.example", &["::ffff:127.0.0.1"]),
        ("outside.example", &["93.184.216.34"]),
        ("none.example", &[]),
    ]);
    let port = site.address.port();
    let fetcher = Fetcher::new(settings).expect("a fetcher");
    for (name, code, word) in [
        ("mixed.example", FailureCode::Guard, "address: address 10.0.0.1 "),
        ("mapped.example", FailureCode::Guard, "address: address ::ffff:127.0.0.1 "),
        // In developer mode the port of a name is judged with its answers.
        ("outside.example", FailureCode::Guard, "port: "),
        ("none.example", FailureCode::Dns, "no_address: "),
    ] {
        let request = request_for(&format!("http://{name}:{port}/"));
        let fetched = fetcher.fetch(request, |_| Ok(())).await;
        let (found, detail) = failure(&fetched);
        assert!(found == code && detail.starts_with(word), "{name}: {found}: {detail}");
    }
    assert_eq!(site.connections(), 0);
    let request = request_for(&format!("http://good.example:{port}/"));
    let fetched = fetcher.fetch(request, |_| Ok(())).await;
    assert_eq!((response(&fetched).status, site.connections()), (200, 1));
}

#[tokio::test]
async fn the_caller_is_asked_for_each_url_before_it_is_requested() {
    let site = chain().await;
    let fetcher = Fetcher::new(settings()).expect("a fetcher");
    let stop = site.url("/1");
    let asked = RwLock::new(Vec::new());
    let may_fetch = |url: &sward_proto::canonical_url::CanonicalUrl| {
        asked.write().expect("not poisoned").push(url.to_string());
        let detail = format!("vetoed\n{}", "é".repeat(200));
        if url.as_str() == stop { Err((FailureCode::OptOut, detail)) } else { Ok(()) }
    };
    let fetched = fetcher.fetch(request_for(&site.url("/3")), may_fetch).await;
    let (code, detail) = failure(&fetched);
    assert_eq!(code, FailureCode::OptOut);
    assert!(detail.starts_with("vetoed é") && detail.len() <= 256, "{detail}");
    assert_eq!(*asked.read().expect("not poisoned"), ["/3", "/2", "/1"].map(|path| site.url(path)));
    assert_eq!(requests(&site), 2);
}

#[tokio::test]
async fn the_body_of_a_redirect_is_kept_up_to_its_bound_and_never_fails_a_fetch() {
    let long = vec![b'x'; 20_000];
    let exact = vec![b'x'; 8 << 10];
    let broken = page("302 x", "Location: /\r\nContent-Encoding: br\r\n", b"?");
    for (answer, kept, is_cut) in [
        (moved(302, "/", &long), 8 << 10, true),
        (moved(302, "/", &exact), 8 << 10, false),
        (broken, 0, true),
    ] {
        let answer = move |path: &str| {
            if path == "/" { Answer::Keep(html("<p>end")) } else { Answer::Keep(answer.clone()) }
        };
        let site = Site::new(answer).await;
        let fetched = fetch(&site.url("/from")).await;
        assert_eq!(response(&fetched).status, 200);
        let exchange = &fetched.exchanges[0];
        assert_eq!((exchange.body.len(), exchange.body_truncated), (kept, is_cut));
    }
}

#[tokio::test]
async fn redirects_that_make_a_statement_too_long_for_the_wire_are_a_failure() {
    let path = |n: usize| format!("/{n}{}", "a".repeat(8100));
    let names: String = (0..20).map(|n| format!("x-{n}-{}: 1\r\n", "n".repeat(200))).collect();
    let site = Site::new(move |at| {
        let n: usize = at.get(1..2).and_then(|n| n.parse().ok()).unwrap_or_default();
        if n > 0 {
            return Answer::Keep(moved(302, &path(n - 1), b""));
        }
        let headers = format!("Location: http://b.example{}\r\n{names}", path(0));
        Answer::Keep(page("302 x", &headers, b""))
    })
    .await;
    let fetched = fetch(&site.url(&path(5))).await;
    assert_eq!(failure(&fetched).0, FailureCode::TooLarge);
    let short = fetch(&site.url(&path(1))).await;
    assert!(response(&short).redirect_target.is_some());
}

#[tokio::test]
async fn names_and_roots_are_for_developer_mode_only() {
    let plain = || {
        settings();
        let guard = Guard::new(GuardConfig::default());
        FetchSettings::new(crate::site::USER_AGENT.into(), Arc::new(RwLock::new(guard)))
    };
    assert!(Fetcher::new(plain()).is_ok());
    let with_names = FetchSettings { names: names(&[("a.example", &["127.0.0.1"])]), ..plain() };
    assert!(matches!(Fetcher::new(with_names), Err(FetcherError::DeveloperOnly("names"))));
    let with_roots = FetchSettings { extra_roots: vec![vec![1]], ..plain() };
    assert!(matches!(Fetcher::new(with_roots), Err(FetcherError::DeveloperOnly("extra_roots"))));
    let unsendable = FetchSettings { user_agent: "a\nb".into(), ..plain() };
    assert!(matches!(Fetcher::new(unsendable), Err(FetcherError::UserAgent(_))));
    let site = Site::always(Answer::Keep(html("<p>x"))).await;
    let fetched = fetch_with(plain(), request_for(&site.url("/"))).await;
    assert_eq!((failure(&fetched).0, site.connections()), (FailureCode::Guard, 0));
}

#[tokio::test]
async fn where_nobody_listens_there_is_no_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let fetched = fetch(&format!("http://{address}/")).await;
    assert_eq!(failure(&fetched).0, FailureCode::Connect);
}

#[tokio::test]
async fn fetches_at_one_time_look_up_each_its_own_name() {
    let site = Site::always(Answer::Keep(html("<p>here"))).await;
    let mut settings = settings();
    settings.names = names(&[
        ("good.example", &["127.0.0.1"]),
        ("fine.example", &["127.0.0.1"]),
        ("bad.example", &["10.0.0.1"]),
    ]);
    let fetcher = Fetcher::new(settings).expect("a fetcher");
    let port = site.address.port();
    let tasks = ["good", "bad", "fine"].into_iter().cycle().take(30).map(|name| {
        let (fetcher, url) = (fetcher.clone(), format!("http://{name}.example:{port}/"));
        let fetch = async move { fetcher.fetch(request_for(&url), |_| Ok(())).await };
        (name, tokio::spawn(fetch))
    });
    for (name, task) in tasks.collect::<Vec<_>>() {
        let fetched = task.await.expect("no panic");
        if name == "bad" {
            assert_eq!(failure(&fetched).0, FailureCode::Guard);
        } else {
            assert_eq!(response(&fetched).status, 200);
        }
    }
}
