//! Chance that was fixed in advance: who is drawn for a lease, and which results are checked once more.
//!
//! Decides draws from a chain of secret seeds whose end was published before the first of them. Time is cut into rounds, each
//! with a seed of its own, and a round's seed is published when the round is over: whoever has it can draw again and see
//! that nobody was picked by hand. Never decides who may be drawn.
//!
//! The chain is Lamport's (Password authentication with insecure communication, CACM 24(11), 1981): each seed is the digest
//! of the next, so that a published seed says nothing of later ones and every seed leads to the anchor.

use crate::digest::Digest;
use crate::ids::PeerId;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// Seeds in a chain: 15 years of rounds of an hour.
pub const ROUNDS: u32 = 1 << 17;

/// One seed in so many is kept; those between are computed.
const STEP: u32 = 1 << 9;

/// What begins the digests of this module, so that none is mistaken for another's.
const LINK: &[u8] = b"sward draw link v1\n";
const PLACE: &[u8] = b"sward draw place v1\n";
const BEGIN: &[u8] = b"sward draw begin v1\n";
const AUDIT: &[u8] = b"sward draw audit v1\n";
const SPOT: &[u8] = b"sward draw spot v1\n";

/// The end of a chain, published before its first draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Anchor(pub Digest);

/// A round's number, from 1 to [`ROUNDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Round(pub u32);

/// What is told of a chain before its first draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawPlan {
    /// The chain's end.
    pub anchor: Anchor,
    /// When its first round began.
    pub began: Timestamp,
    /// How long a round lasts, in seconds; at least one.
    pub round_seconds: u32,
}

impl DrawPlan {
    /// The round at a time; none before the first and after the last.
    #[must_use]
    pub fn round(&self, now: Timestamp) -> Option<Round> {
        let since = now.as_secs().checked_sub(self.began.as_secs())?;
        let round = since / u64::from(self.round_seconds.max(1)) + 1;
        u32::try_from(round).ok().filter(|round| *round <= ROUNDS).map(Round)
    }

    /// Whether a round has ended, so that its seed may be published.
    #[must_use]
    pub fn is_over(&self, round: Round, now: Timestamp) -> bool {
        let seconds = u64::from(round.0).saturating_mul(self.round_seconds.max(1).into());
        now.as_secs() >= self.began.as_secs().saturating_add(seconds)
    }
}

/// A whole chain: the coordinator's secret.
#[derive(Clone)]
pub struct SeedChain {
    /// The seeds of the rounds 0, [`STEP`], twice that and so on; that of round 0 is the anchor.
    marks: Vec<Digest>,
}

/// A round's seed. Secret while the round lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundSeed {
    /// Whose.
    pub round: Round,
    /// The seed.
    pub seed: Digest,
}

/// A place on the circle on which all peers lie in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub [u8; 32]);

fn earlier(seed: Digest) -> Digest {
    Digest::of_parts(&[LINK, &seed.0])
}

impl SeedChain {
    /// The chain that grows from `secret`.
    #[must_use]
    pub fn grow(secret: &[u8; 32]) -> Self {
        let (mut seed, mut marks) = (Digest::of_parts(&[LINK, secret]), Vec::new());
        for round in (0..=ROUNDS).rev() {
            if round.is_multiple_of(STEP) {
                marks.push(seed);
            }
            seed = earlier(seed);
        }
        marks.reverse();
        Self { marks }
    }

    /// What is published in advance.
    #[must_use]
    pub fn anchor(&self) -> Anchor {
        Anchor(self.marks.first().copied().unwrap_or_default())
    }

    /// The seed of `round`; that of the last one where the chain has no more.
    #[must_use]
    pub fn seed(&self, round: Round) -> RoundSeed {
        let round = Round(round.0.clamp(1, ROUNDS));
        let above = round.0.div_ceil(STEP);
        let mark = self.marks.get(above as usize).copied().unwrap_or_default();
        let seed = (round.0..above * STEP).fold(mark, |seed, _| earlier(seed));
        RoundSeed { round, seed }
    }
}

impl Anchor {
    /// Whether a seed belongs to the chain that ends here.
    #[must_use]
    pub fn holds(&self, seed: &RoundSeed) -> bool {
        (1..=ROUNDS).contains(&seed.round.0)
            && (0..seed.round.0).fold(seed.seed, |seed, _| earlier(seed)) == self.0
    }
}

impl RoundSeed {
    /// Where a peer lies in this round. Drawn anew in each round, so that a key cannot be made to lie well.
    #[must_use]
    pub fn place(&self, peer: &PeerId) -> Place {
        Place(Digest::of_parts(&[PLACE, &self.seed.0, peer.public_key()]).0)
    }

    /// Where draw `number` of this round begins: the first peer from there on that may be drawn, is.
    #[must_use]
    pub fn begin(&self, number: u64) -> Place {
        Place(Digest::of_parts(&[BEGIN, &self.seed.0, &number.to_be_bytes()]).0)
    }

    /// Whether a sealed result is checked once more, which happens to `per_million` in a million. `leaf` was handed in
    /// before, so that neither its agent nor the coordinator could choose.
    #[must_use]
    pub fn audits(&self, leaf: &Digest, per_million: u32) -> bool {
        self.hits(AUDIT, leaf, per_million)
    }

    /// Whether a trusted fetcher fetches the page of a sealed result too, likewise.
    #[must_use]
    pub fn spots(&self, leaf: &Digest, per_million: u32) -> bool {
        self.hits(SPOT, leaf, per_million)
    }

    fn hits(&self, what: &[u8], leaf: &Digest, per_million: u32) -> bool {
        let Digest(digest) = Digest::of_parts(&[what, &self.seed.0, &leaf.0]);
        let chance = digest.first_chunk().map_or(0, |eight| u64::from_be_bytes(*eight));
        u128::from(chance) * 1_000_000 < u128::from(per_million) << 64
    }
}

/// The least chance with which a sealed result is checked once more, in a million: one page in twenty of the most trusted
/// agent, for ever (p_min of research on validation, section B5).
pub const LEAST_AUDITED: u32 = 50_000;

/// The chance, in a million, with which a trusted fetcher fetches the page of a sealed result too, whoever sealed it: one
/// page in a hundred (r of research on validation, section B5).
pub const SPOT_CHECKED: u32 = 10_000;

/// Whether a sealed result was to be checked once more, so that it can be drawn again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditDraw {
    /// By which round's seed.
    pub round: Round,
    /// Which result.
    pub leaf: Digest,
    /// With which chance.
    pub per_million: u32,
    /// What came of it.
    pub drawn: bool,
}

impl AuditDraw {
    /// The draw for a sealed result.
    #[must_use]
    pub fn new(seed: &RoundSeed, leaf: &Digest, per_million: u32) -> Self {
        let drawn = seed.audits(leaf, per_million);
        Self { round: seed.round, leaf: *leaf, per_million, drawn }
    }

    /// Whether it is what this seed says.
    #[must_use]
    pub fn follows(&self, seed: &RoundSeed) -> bool {
        *self == Self::new(seed, &self.leaf, self.per_million)
    }

    /// The draw for a spot check of a sealed result by a trusted fetcher.
    #[must_use]
    pub fn spot(seed: &RoundSeed, leaf: &Digest) -> Self {
        let per_million = SPOT_CHECKED;
        let drawn = seed.spots(leaf, per_million);
        Self { round: seed.round, leaf: *leaf, per_million, drawn }
    }

    /// Whether it is what this seed says of a spot check.
    #[must_use]
    pub fn follows_spot(&self, seed: &RoundSeed) -> bool {
        *self == Self::spot(seed, &self.leaf)
    }
}

/// Why an agent that asked for work was passed over in a draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassedOver {
    /// It has leases enough.
    Full,
    /// It shares a payee or a network with another that fetches the same page.
    Tied,
    /// It joined within the same hour as another that fetches the same page.
    SameCohort,
    /// It dials from the autonomous system of another that fetches the same page.
    SameAsn,
    /// The page is wanted once more as one region sees it, and it is in another.
    OtherRegion,
    /// It meets another that fetches the same page too often.
    MetOften,
    /// There is nothing on the host that it could be given.
    NothingLeft,
    /// Its network, or it as a newcomer, has had its share of the day's work.
    HadItsShare,
}

/// How an agent came by its lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// In which round.
    pub round: Round,
    /// Which draw of it.
    pub number: u64,
    /// Cohorts, systems, regions and acquaintances were let pass, as nobody else could be found in time.
    pub widened: bool,
    /// Who came before it and why it was not they, in order.
    pub passed: Vec<(PeerId, PassedOver)>,
}

/// Why a draw cannot have been what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// The seed is of another round.
    #[error("the seed is of round {found:?}, the draw of {expected:?}")]
    Round {
        /// The draw's.
        expected: Round,
        /// The seed's.
        found: Round,
    },
    /// Peers are not in the order of their places.
    #[error("{0} does not lie where the draw says")]
    Order(PeerId),
}

impl Draw {
    /// Draws again: whether `winner` lies behind all who were passed over, and those in their order.
    ///
    /// # Errors
    /// [`DrawError`] with the first peer that does not.
    pub fn check(&self, seed: &RoundSeed, winner: &PeerId) -> Result<(), DrawError> {
        if seed.round != self.round {
            return Err(DrawError::Round { expected: self.round, found: seed.round });
        }
        let begin = seed.begin(self.number);
        let distance = |peer: &PeerId| {
            let place = seed.place(peer);
            (place < begin, place)
        };
        let mut before = None;
        for peer in self.passed.iter().map(|(peer, _)| peer).chain([winner]) {
            let place = Some(distance(peer));
            if place <= before {
                return Err(DrawError::Order(*peer));
            }
            before = place;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    fn peer(n: u8) -> PeerId {
        let key = SigningKey::from_bytes(&[n; 32]).verifying_key().to_bytes();
        PeerId::from_public_key(key).expect("a key")
    }

    #[test]
    fn every_seed_leads_to_the_anchor_and_to_no_other() {
        let (chain, other) = (SeedChain::grow(&[1; 32]), SeedChain::grow(&[2; 32]));
        for round in [1, 2, STEP - 1, STEP, STEP + 1, ROUNDS].map(Round) {
            let seed = chain.seed(round);
            assert!(chain.anchor().holds(&seed), "{round:?}");
            assert!(!other.anchor().holds(&seed));
            let elsewhere = RoundSeed { round: Round(round.0 ^ 1), ..seed };
            assert!(!chain.anchor().holds(&elsewhere));
        }
        assert_eq!(earlier(chain.seed(Round(8)).seed), chain.seed(Round(7)).seed);
        assert_eq!(chain.seed(Round(u32::MAX)), chain.seed(Round(ROUNDS)));
    }

    /// Both computed by Python's hashlib.
    #[test]
    fn the_chain_is_the_digest_of_the_digest_of_the_secret() {
        let chain = SeedChain::grow(&[0; 32]);
        assert_eq!(
            chain.seed(Round(ROUNDS)).seed.to_string(),
            "a7e6ce66732de704f2549a30a87104b276c1b20e5350ab515415a5faf7c7ff68"
        );
        assert_eq!(
            chain.anchor().0.to_string(),
            "b74ded7faf4a69da072fb3e5b72eee3b17ef66bdb9a1f841ba2e7354ce0bd03c"
        );
    }

    #[test]
    fn rounds_begin_with_the_plan_and_end_with_the_chain() {
        let (began, round_seconds) = (Timestamp::from_millis(5_000_000), 60);
        let plan = DrawPlan { anchor: Anchor(Digest::ZERO), began, round_seconds };
        let at = |seconds: u64| plan.round(Timestamp::from_millis(seconds * 1000));
        assert_eq!(at(4_999), None);
        assert_eq!(
            (at(5_000), at(5_059), at(5_060)),
            (Some(Round(1)), Some(Round(1)), Some(Round(2)))
        );
        let end = 5_000 + 60 * u64::from(ROUNDS);
        assert_eq!((at(end - 1), at(end)), (Some(Round(ROUNDS)), None));
        let over = |round, seconds: u64| {
            plan.is_over(Round(round), Timestamp::from_millis(seconds * 1000))
        };
        assert_eq!((over(1, 5_059), over(1, 5_060), over(2, 5_060)), (false, true, false));
        // A clock that was set back, to before the first round, gives no secret away.
        assert_eq!(
            (over(1, 4_000), over(ROUNDS, end - 1), over(ROUNDS, end)),
            (false, false, true)
        );
    }

    #[test]
    fn audits_are_as_frequent_as_asked_for() {
        let seed = SeedChain::grow(&[3; 32]).seed(Round(9));
        let share = |per_million| {
            let leaves = (0u32..20_000).map(|n| Digest::of(&n.to_be_bytes()));
            leaves.filter(|leaf| seed.audits(leaf, per_million)).count()
        };
        assert_eq!((share(0), share(1_000_000)), (0, 20_000));
        assert!((850..1150).contains(&share(50_000)), "{}", share(50_000));
        let leaves = (0u32..20_000).map(|n| Digest::of(&n.to_be_bytes()));
        let spots = leaves.map(|leaf| AuditDraw::spot(&seed, &leaf));
        let drawn: Vec<AuditDraw> = spots.filter(|spot| spot.drawn).collect();
        assert!((150..250).contains(&drawn.len()), "{}", drawn.len());
        assert!(drawn.iter().all(|spot| spot.follows_spot(&seed)));
        assert!(drawn.iter().any(|spot| !spot.follows(&seed)), "no second audit");
    }

    #[test]
    fn a_draw_can_be_drawn_again() {
        let chain = SeedChain::grow(&[4; 32]);
        let seed = chain.seed(Round(5));
        let begin = seed.begin(77);
        let mut peers: Vec<PeerId> = (1..9).map(peer).collect();
        peers.sort_by_key(|peer| (seed.place(peer) < begin, seed.place(peer)));
        let passed = vec![(peers[0], PassedOver::Tied), (peers[2], PassedOver::Full)];
        let draw = Draw { round: Round(5), number: 77, widened: false, passed };
        assert_eq!(draw.check(&seed, &peers[3]), Ok(()));
        assert_eq!(draw.check(&seed, &peers[1]), Err(DrawError::Order(peers[1])));
        let hidden = Draw { number: 78, ..draw.clone() };
        assert!(hidden.check(&seed, &peers[3]).is_err() || seed.begin(78) == begin);
        assert!(draw.check(&chain.seed(Round(6)), &peers[3]).is_err());
    }

    #[test]
    fn everybody_is_drawn_alike() {
        let chain = SeedChain::grow(&[5; 32]);
        let peers: Vec<PeerId> = (1..6).map(peer).collect();
        let mut drawn = [0; 5];
        for round in 1..=400 {
            let seed = chain.seed(Round(round));
            for number in 0..5 {
                let begin = seed.begin(number);
                let first = (0..5)
                    .min_by_key(|i| (seed.place(&peers[*i]) < begin, seed.place(&peers[*i])))
                    .expect("five");
                drawn[first] += 1;
            }
        }
        assert!(drawn.iter().all(|count| (300..500).contains(count)), "{drawn:?}");
    }
}
