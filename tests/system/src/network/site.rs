//! The demo's site, as a process of its own.

use super::process::Role;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The site's host name for plain HTTP.
pub const SITE_HOST: &str = "site.sward.test";
const SECURE_HOST: &str = "secure.sward.test";
const ADDRESS: &str = "127.7.7.1";
/// Where the demo has the mirror that its colluders see.
const MIRROR: &str = "127.66.4.1";

#[derive(Debug, Deserialize)]
struct Ready {
    http: u16,
    acceptable: usize,
}

/// A running site.
#[derive(Debug)]
pub struct Site {
    ready: Ready,
    authority: PathBuf,
    _role: Role,
}

impl Site {
    /// Generated pages: see the demo.
    #[must_use]
    pub fn generated(folder: &Path, seed: u64) -> Self {
        Self::start(folder, &["--seed".to_owned(), seed.to_string()])
    }

    /// The files of a folder.
    #[must_use]
    pub fn of_pages(folder: &Path, pages: &Path) -> Self {
        Self::start(folder, &["--pages".to_owned(), pages.display().to_string()])
    }

    fn start(folder: &Path, more: &[String]) -> Self {
        let authority = folder.join("site-authority.pem");
        let first = ["--authority".to_owned(), authority.display().to_string()];
        let arguments = [&first, more].concat();
        let mut role = Role::start("site", &arguments, &folder.join("site.log"));
        let ready = serde_json::from_str(&role.ready()).expect("the site's own JSON");
        Self { ready, authority, _role: role }
    }

    /// How many pages an undisturbed crawl accepts.
    #[must_use]
    pub const fn acceptable(&self) -> usize {
        self.ready.acceptable
    }

    /// A URL of the plain host.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{SITE_HOST}:{}{path}", self.ready.http)
    }

    /// What an agent's setup needs to find it, or its false mirror.
    pub(super) fn agent_flags(&self, mirror: bool) -> Vec<String> {
        let (mut flags, address) = (Vec::new(), if mirror { MIRROR } else { ADDRESS });
        for host in [SITE_HOST, SECURE_HOST] {
            flags.extend(["--developer-name".to_owned(), format!("{host}={address}")]);
        }
        flags.extend(["--developer-root".to_owned(), self.authority.display().to_string()]);
        flags
    }

    /// What a job on it needs, besides its name: from the home page as far as links lead.
    #[must_use]
    pub fn job_flags(&self, delay_ms: u64) -> Vec<String> {
        let flags = [
            "--purpose",
            "system test",
            "--seed",
            &self.url("/"),
            "--host",
            SITE_HOST,
            "--host",
            SECURE_HOST,
            "--depth",
            "1000",
            "--delay-ms",
            &delay_ms.to_string(),
        ];
        flags.map(str::to_owned).to_vec()
    }
}

/// Writes `count` pages of some `bytes` bytes each into `folder`. Page 0 leads to none of the others but the next one and
/// the folder's own listing to all.
///
/// # Panics
/// Where they cannot be written.
pub fn write_pages(folder: &Path, count: usize, bytes: usize) {
    std::fs::create_dir_all(folder).expect("a folder");
    for page in 0..count {
        let next = (page + 1) % count;
        let line = format!("<p>Line of page {page}, which is like no line of another.</p>\n");
        let text = line.repeat(bytes / line.len() + 1);
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><title>Page {page}</title></head><body>\n{text}\
             <a href=\"/page-{next}.html\">next</a></body></html>\n"
        );
        std::fs::write(folder.join(format!("page-{page}.html")), html).expect("a page");
    }
}
