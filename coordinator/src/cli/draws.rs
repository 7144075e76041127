//! `draws`: how leases are drawn, and the seeds of rounds that are over.

use super::{Failure, Printer};
use crate::config::{Config, Layout};
use crate::keys::Keys;
use crate::run::now;
use clap::Args;
use serde::Serialize;
use sward_proto::draw::{DrawPlan, ROUNDS, Round, RoundSeed, SeedChain};

/// Shows how leases are drawn, and publishes the seed of a round that is over.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sward-coordinator draws\n  sward-coordinator --json draws --round 12"
)]
pub(super) struct Draws {
    /// The round whose seed is wanted, from 1.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=i64::from(ROUNDS)))]
    round: Option<u32>,
}

#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    plan: DrawPlan,
    /// The round that lasts.
    round: Option<Round>,
    /// What was asked for.
    seed: Option<RoundSeed>,
}

impl Draws {
    pub(super) fn run(self, layout: &Layout, printer: Printer) -> Result<(), Failure> {
        let config = Config::load(layout)?;
        let chain = SeedChain::grow(&Keys::load(layout)?.draws);
        let plan = config.draws.plan(&chain);
        let now = now();
        let round = plan.round(now);
        if let Some(wanted) = self.round.filter(|wanted| !plan.is_over(Round(*wanted), now)) {
            let why = format!("round {wanted} is not over: its seed is still a secret");
            return Err(Failure::refused(why));
        }
        let seed = self.round.map(|wanted| chain.seed(Round(wanted)));
        printer.print("draws", &Shown { plan, round, seed }, |shown| match shown.seed {
            Some(seed) => seed.seed.to_string(),
            None => format!(
                "anchor {}\nbegan at {} s, {} s a round, now in round {}",
                shown.plan.anchor.0,
                shown.plan.began.as_secs(),
                shown.plan.round_seconds,
                shown.round.map_or_else(|| "none".to_owned(), |round| round.0.to_string())
            ),
        })
    }
}
