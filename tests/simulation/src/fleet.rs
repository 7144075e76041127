//! The agents of a plan: keys, payees, networks, roles and clocks.

use crate::chance::{Chance, seed_for};
use crate::liar::Role;
use crate::plan::Plan;
use crate::regions;
use std::net::IpAddr;
use sward_agent_core::owner::Limits;
use sward_agent_core::session::Config;
use sward_coordinator_core::group::Whereabouts;
use sward_proto::ids::{InviteCode, Lane, Payee, PeerId};
use sward_proto::note::NoteSigner;

/// One agent as it is set up.
pub struct Member {
    /// What it is.
    pub role: Role,
    /// It is a fetcher of the operator's own.
    pub trusted: bool,
    /// From where it dials.
    pub ip: IpAddr,
    /// What is known of that place.
    pub whereabouts: Whereabouts,
    /// Its clock's error, in milliseconds.
    pub skew_ms: i64,
    /// How many times slower than others its connection is.
    pub slowness: u64,
    /// What its session is started with.
    pub config: Config,
    /// Its invite.
    pub invite: InviteCode,
}

/// The agents of a plan.
#[must_use]
pub fn draw(plan: &Plan) -> Vec<Member> {
    let mut chance = Chance::new(plan.seed, "fleet");
    (0..plan.agents).filter_map(|number| draw_one(plan, &mut chance, number)).collect()
}

fn draw_one(plan: &Plan, chance: &mut Chance, number: usize) -> Option<Member> {
    let trusted = number + plan.trusted >= plan.agents;
    let role = match number {
        _ if trusted => Role::Honest,
        _ if number < plan.conspirators => Role::Conspirator,
        _ if number < plan.conspirators + plan.sleepers => Role::Sleeper,
        _ => draw_role(plan, chance),
    };
    let shared = chance.one_in(10) && number > 0;
    let group = if shared { number - 1 } else { number };
    let payee: Payee = match role {
        _ if trusted => "operator".parse().ok()?,
        Role::Replayer => "replayers".parse().ok()?,
        Role::Colluder => format!("colluder-{number}").parse().ok()?,
        Role::Honest
        | Role::Forger
        | Role::Sleeper
        | Role::Conspirator
        | Role::Lazy
        | Role::Swapper => format!("payee-{group}").parse().ok()?,
    };
    let network = if chance.one_in(15) && number > 1 && !trusted { number - 2 } else { number };
    let [.., high, low] = u64::try_from(network).ok()?.to_be_bytes();
    let last = u8::try_from(number % 200).ok()? + 1;
    let ip: IpAddr = match role {
        Role::Colluder => [203, 0, 113, last].into(),
        Role::Honest
        | Role::Forger
        | Role::Sleeper
        | Role::Conspirator
        | Role::Replayer
        | Role::Lazy
        | Role::Swapper => [30, high, low, last].into(),
    };
    let key = seed_for(plan.seed, &format!("agent {number}"));
    let unnamed = NoteSigner::from_seed("agent".parse().ok()?, &key);
    let peer = PeerId::from_public_key(*unnamed.verifier_key().public_key()).ok()?;
    let signer = NoteSigner::from_seed(peer.to_string().parse().ok()?, &key);
    let invite = seed_for(plan.seed, &format!("invite {number}"));
    let invite = InviteCode::from_random(*invite.first_chunk()?);
    let limits = Limits { parallel: 1 + chance.index(4), ..Limits::default() };
    let skew = chance.between(0, 120_000).cast_signed() - 60_000;
    let config = Config {
        peer,
        signer,
        lane: Lane(0),
        payee,
        invite: Some(invite.clone()),
        limits,
        developer: false,
        software: "simulation".to_owned(),
        seed: key,
    };
    let slowness = if chance.one_in(12) { 8 } else { 1 };
    let whereabouts = regions::whereabouts(plan, number);
    Some(Member { role, trusted, ip, whereabouts, skew_ms: skew, slowness, config, invite })
}

fn draw_role(plan: &Plan, chance: &mut Chance) -> Role {
    if plan.liars == 0 || !chance.one_in(plan.liars) {
        return Role::Honest;
    }
    match chance.below(6) {
        0 | 1 => Role::Forger,
        2 => Role::Replayer,
        3 => Role::Colluder,
        4 => Role::Lazy,
        _ => Role::Swapper,
    }
}
