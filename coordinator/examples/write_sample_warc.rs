//! Writes one segment with every kind of record to the file named on the command line, for other tools to check:
//! `cargo run -p sward-coordinator --example write_sample_warc -- sample.warc.gz && warcio check sample.warc.gz`.

use anyhow::Context as _;
use sward_coordinator::archive::{Archive, Record, Settings, Truncated, http_head};
use sward_proto::canonical_url::CanonicalUrl;
use sward_proto::digest::Digest;
use sward_proto::timestamp::Timestamp;

fn main() -> anyhow::Result<()> {
    let path = std::env::args_os().nth(1).context("usage: write_sample_warc FILE")?;
    let dir = tempfile::tempdir()?;
    let settings = Settings {
        max_segment_bytes: 1 << 30,
        is_part_of: "sample".to_owned(),
        operator: "Example Operator <crawl@example.org>".to_owned(),
        robots: "obey (RFC 9309)".to_owned(),
    };
    let (mut archive, _) = Archive::open(dir.path(), settings)?;
    write_captures(&mut archive)?;
    archive.sync()?;
    std::fs::copy(dir.path().join("sward-00000001.warc.gz"), path)?;
    Ok(())
}

fn write_captures(archive: &mut Archive) -> anyhow::Result<()> {
    let target: CanonicalUrl = "https://example.org/caf%C3%A9?q=1".parse()?;
    let date = Timestamp::from_millis(1_795_351_234_005);
    let body = "<!doctype html><title>Café</title><p>A page.".as_bytes();
    let request =
        http_head::of_request(b"GET /caf%C3%A9?q=1 HTTP/1.1\r\nHost: example.org\r\n\r\n")?;
    let answer = b"HTTP/2 200\r\nContent-Type: text/html\r\nContent-Encoding: br\r\n\r\n";
    let head = http_head::for_storage(answer, body.len() as u64)?;
    let protocols = ["h2".to_owned(), "tls/1.3".to_owned()];
    let response = Record::Response {
        target: &target,
        date,
        ip: Some([203, 0, 113, 7].into()),
        protocols: &protocols,
        head: &head,
        body,
        truncated: None,
        payload_type: Some("text/html"),
    };
    let verdict = Record::Metadata {
        target: Some(&target),
        date,
        content_type: "application/json",
        body: br#"{"verdict":"identical"}"#,
        concurrent_to: None,
    };
    let request = Record::Request { target: &target, date, head: &request };
    let (first, _) = archive.append_group(&response, &[request, verdict])?;

    let copy: CanonicalUrl = "https://example.org/copy".parse()?;
    archive.append(&Record::Revisit {
        target: &copy,
        date,
        head: &head,
        payload_digest: Digest::of(body),
        refers_to: first.id,
        refers_to_target: &target,
        refers_to_date: date,
    })?;
    let cut: CanonicalUrl = "http://[2001:db8::1]/long".parse()?;
    archive.append(&Record::Response {
        target: &cut,
        date,
        ip: Some("2001:db8::1".parse()?),
        protocols: &[],
        head: &http_head::for_storage(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", 4)?,
        body: b"only",
        truncated: Some(Truncated::Length),
        payload_type: None,
    })?;
    Ok(())
}
