//! A folder of files, served as web servers serve one: an index for a folder, a redirect where its slash is missing.

use super::pages::Answer;
use anyhow::{Context as _, Result, ensure};
use std::path::{Component, Path, PathBuf};

/// A folder.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// The HTML files in it, relative, in order.
    html: Vec<String>,
}

impl Folder {
    pub(super) fn read(root: PathBuf) -> Result<Self> {
        let root =
            root.canonicalize().with_context(|| format!("cannot read {}", root.display()))?;
        let mut html = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder)
                .with_context(|| format!("cannot read {}", folder.display()))?
            {
                let path = entry?.path();
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else if media_type(&path) == "text/html" && path.is_file() {
                    let relative = path.strip_prefix(&root).context("outside the folder")?;
                    html.push(relative.to_string_lossy().into_owned());
                }
            }
        }
        html.sort();
        ensure!(!html.is_empty(), "{} holds no html file", root.display());
        Ok(Self { root, html })
    }

    /// How many HTML files there are; not all need be linked.
    pub(super) fn pages(&self) -> usize {
        self.html.len()
    }

    pub(super) fn answer(&self, path: &str) -> Answer {
        let path = path.split('?').next().unwrap_or_default();
        let Some(relative) = decoded(path) else { return Answer::missing() };
        let mut file = self.root.join(&relative);
        if file.is_dir() {
            if !path.ends_with('/') {
                return Answer::redirect(301, &format!("{path}/"));
            }
            file = file.join("index.html");
            if relative.as_os_str().is_empty() && !file.exists() {
                return Answer::html(self.listing());
            }
        }
        match std::fs::read(&file) {
            Ok(body) if file.starts_with(&self.root) => Answer {
                content_type: media_type(&file).to_owned(),
                body,
                ..Answer::html(String::new())
            },
            Ok(_) | Err(_) => Answer::missing(),
        }
    }

    /// A page that leads to every file, for a folder without an index of its own.
    fn listing(&self) -> String {
        let mut page = "<!doctype html><title>Files</title><body><ul>\n".to_owned();
        for path in &self.html {
            let target: String = path.split('/').map(encoded).collect::<Vec<_>>().join("/");
            page.push_str(&format!("<li><a href=\"/{target}\">{target}</a></li>\n"));
        }
        page + "</ul></body></html>\n"
    }
}

fn encoded(part: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    part.bytes().fold(String::new(), |mut text, byte| {
        if plain(byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        text
    })
}

/// A request path as a relative path, or nothing where it leaves the folder.
fn decoded(path: &str) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = after.first_chunk::<2>().and_then(|hex| std::str::from_utf8(hex).ok());
        match (*byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    let path = PathBuf::from(text.trim_start_matches('/'));
    path.components().all(|part| matches!(part, Component::Normal(_))).then_some(path)
}

fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html" | "htm") => "text/html",
        Some("xhtml") => "application/xhtml+xml",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("txt" | "inv") => "text/plain",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("xml") => "application/xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leaves_the_folder() {
        assert_eq!(decoded("/a%20b/c.html"), Some(PathBuf::from("a b/c.html")));
        assert_eq!(decoded("/../etc/passwd"), None);
        assert_eq!(decoded("/%2e%2e/etc/passwd"), None);
        assert_eq!(decoded("//etc/passwd"), Some(PathBuf::from("etc/passwd")));
    }
}
