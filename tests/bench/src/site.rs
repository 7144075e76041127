//! Folders of pages, each a site of its own, served on loopback by one nginx process.

use crate::process::Process;
use anyhow::{Context as _, Result, ensure};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Where it is served; nothing else listens there.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 7, 7, 1);
/// It may take this long to listen.
const START_TIME: Duration = Duration::from_secs(5);

/// Sites at work.
pub(crate) struct Site {
    /// The server.
    pub(crate) process: Process,
    /// The name of each.
    pub(crate) hosts: Vec<String>,
    /// The port of all.
    pub(crate) port: u16,
}

impl Site {
    /// Serves each folder under a name of its own.
    pub(crate) fn serve(nginx: &Path, pages: &[PathBuf], folder: &Path) -> Result<Self> {
        // Free a moment ago: nobody else takes ports of this address.
        let port = TcpListener::bind((ADDRESS, 0)).context("loopback")?.local_addr()?.port();
        let hosts: Vec<String> =
            (1..=pages.len()).map(|number| format!("site{number}.sward.test")).collect();
        let mut servers = String::new();
        for (host, pages) in hosts.iter().zip(pages) {
            let root = pages.canonicalize().with_context(|| pages.display().to_string())?;
            ensure!(root.join("index.html").exists(), "{}: no index.html", root.display());
            servers.push_str(&format!(
                "server {{ listen {ADDRESS}:{port}; server_name {host}; root {}; }}\n",
                root.display()
            ));
        }
        std::fs::create_dir_all(folder)?;
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration(folder, &servers))?;
        let mut command = Command::new(nginx);
        command.arg("-c").arg(&file).arg("-p").arg(folder).arg("-e").arg(folder.join("error.log"));
        let mut process = Process::start(command, &folder.join("messages.log"))?;
        let begun = Instant::now();
        while TcpStream::connect(SocketAddr::from((ADDRESS, port))).is_err() {
            process.check()?;
            ensure!(begun.elapsed() < START_TIME, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { process, hosts, port })
    }

    /// Where a crawl of it begins.
    pub(crate) fn seeds(&self) -> impl Iterator<Item = String> {
        self.hosts.iter().map(|host| format!("http://{host}:{}/index.html", self.port))
    }
}

/// One process does all, so that its processor time is the server's.
fn configuration(folder: &Path, servers: &str) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()))
        .concat();
    format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid {}/nginx.pid;\n\
         events {{ worker_connections 256; }}\n\
         http {{\naccess_log off;\nkeepalive_requests 1000000;\ndefault_type text/plain;\n\
         types {{ text/html html; }}\n{temporary}{servers}}}\n",
        folder.display()
    )
}
