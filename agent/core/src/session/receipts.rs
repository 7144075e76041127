//! Receipts: checked against the chain and the agent's own tally before they are signed.

use super::{Asked, Session};
use crate::output::Change;
use sward_proto::ids::Seq;
use sward_proto::note::{SignedNote, VerifierKey};
use sward_proto::receipt::{self, ReceiptBody};
use sward_proto::wire::request::AgentRequest;

impl Session {
    /// Signs a receipt that holds, or keeps one that does not as evidence.
    pub(super) fn offered_receipt(&mut self, note: String) {
        match self.check_receipt(&note) {
            Ok(signed) => {
                // Stored with the next turn's changes, ahead of the message: a signature that is out is never forgotten.
                self.account.receipt = signed.clone();
                let objection = String::new();
                self.changes.push(Change::Receipt { note: signed.clone(), objection });
                self.changes.push(Change::Account(Box::new(self.account.clone())));
                let request = AgentRequest::Countersign { note: signed };
                self.ask(Asked::Countersign, request);
            }
            Err(objection) => self.changes.push(Change::Receipt { note, objection }),
        }
    }

    fn check_receipt(&self, note: &str) -> Result<String, String> {
        let key: VerifierKey =
            self.account.vkey.parse().map_err(|error| format!("coordinator's key: {error}"))?;
        let signed = SignedNote::parse(note.as_bytes()).map_err(|error| error.to_string())?;
        let body = receipt::admitted(&signed, &key).map_err(|error| error.to_string())?;
        if body.agent != self.config.peer || body.lane != self.config.lane {
            return Err("it is another agent's".to_owned());
        }
        match self.newest_receipt() {
            Some(mine) if mine == body => return Ok(self.account.receipt.clone()),
            Some(mine) if mine.seq == body.seq => {
                return Err("two receipts with one number: fraud evidence".to_owned());
            }
            Some(mine) => receipt::follows(&mine, &body).map_err(|error| error.to_string())?,
            None if body.seq == Seq(1) => {}
            None => return Err(format!("the chain begins with number {}", body.seq)),
        }
        if body.tasks > self.account.taken {
            let taken = self.account.taken;
            return Err(format!("it counts {} results, {taken} were handed in", body.tasks));
        }
        let signed = receipt::countersign(signed, &self.config.signer);
        Ok(signed.map_err(|error| error.to_string())?.encode())
    }

    /// The newest receipt that this agent signed.
    #[must_use]
    pub fn newest_receipt(&self) -> Option<ReceiptBody> {
        let note = SignedNote::parse(self.account.receipt.as_bytes()).ok()?;
        ReceiptBody::parse(note.text()).ok()
    }
}
