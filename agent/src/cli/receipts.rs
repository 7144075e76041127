//! `receipts`: what was earned, signed by both sides.

use super::status::{pending, tidings};
use super::{Failure, Printer};
use crate::config::Layout;
use crate::store::receipts;
use clap::Args;
use serde::Serialize;
use sward_proto::note::SignedNote;
use sward_proto::receipt::ReceiptBody;

/// Lists the receipts, and what is pending. Each receipt is a file that anyone can check with sward-verify.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  sward-agent receipts\n  sward-agent receipts --newest > receipt.note"
)]
pub(super) struct Receipts {
    /// Prints the newest receipt itself.
    #[arg(long)]
    newest: bool,
}

#[derive(Serialize)]
struct Receipt {
    seq: u64,
    epoch: u64,
    issued: u64,
    tasks: u64,
    bytes: u64,
    credit: u64,
    note: String,
}

impl Receipts {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let notes = receipts(layout)?;
        if self.newest {
            let newest = notes.last().ok_or_else(|| Failure::refused("there is no receipt yet"))?;
            return printer.line(newest);
        }
        let parsed: Vec<Receipt> = notes.into_iter().filter_map(parse).collect();
        let pending = if printer.json { String::new() } else { pending(&tidings(layout)?.pending) };
        printer.print("receipts", &parsed, |receipts| {
            let mut text = format!(
                "{:>6} {:>8} {:>10} {:>14} {:>16}\n",
                "seq", "epoch", "results", "bytes", "micro-units"
            );
            for receipt in receipts {
                text.push_str(&format!(
                    "{:>6} {:>8} {:>10} {:>14} {:>16}\n",
                    receipt.seq, receipt.epoch, receipt.tasks, receipt.bytes, receipt.credit
                ));
            }
            text + &pending
        })
    }
}

fn parse(note: String) -> Option<Receipt> {
    let signed = SignedNote::parse(note.as_bytes()).ok()?;
    let ReceiptBody { seq, epoch, issued, tasks, bytes, credit, .. } =
        ReceiptBody::parse(signed.text()).ok()?;
    Some(Receipt { seq: seq.0, epoch: epoch.0, issued, tasks, bytes, credit, note })
}
