//! Writes the thirteen receipts of the published vectors and the keys that check them:
//! `cargo run -p sward-verify --example vectors -- DIR`.

#[path = "../../../tests/fixtures/receipts/series.rs"]
mod series;

use std::path::PathBuf;
use std::{env, fs, io};
use sward_proto::note::NoteSigner;

fn main() -> io::Result<()> {
    let usage = || io::Error::new(io::ErrorKind::InvalidInput, "usage: vectors DIR");
    let dir = PathBuf::from(env::args().nth(1).ok_or_else(usage)?);
    fs::create_dir_all(&dir)?;
    let (notes, agents) = (series::notes(), series::agents());
    assert_eq!(notes.len(), series::COUNT);
    for (number, note) in notes.iter().enumerate() {
        fs::write(dir.join(format!("{number:02}.note")), note.encode())?;
    }
    let signers = [series::coordinator()].into_iter().chain(agents);
    let vkey = |signer: NoteSigner| format!("{}\n", signer.verifier_key());
    fs::write(dir.join("vkeys"), signers.map(vkey).collect::<String>())
}
