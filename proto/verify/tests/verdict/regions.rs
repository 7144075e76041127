//! A verdict with a region's variant: recomputed, and refused where anything of it is altered that follows from the rest.

use crate::sample::{coordinator, publish, regional};
use sward_proto::digest::Digest;
use sward_proto::quorum::Layer;
use sward_proto::quorum::finding::Finding;
use sward_proto::verdict::{Bundle, Case, Fault, KnownSeeds};

/// Its name, what it does, and the field that is found wrong.
type Alteration = (&'static str, fn(&mut Case), &'static str);

fn faults(case: Case) -> Vec<Fault> {
    let bytes = publish(case).encode().expect("json");
    let bundle = Bundle::parse(&bytes).expect("a bundle");
    let key = coordinator().verifier_key();
    bundle.check(Some(&key), &mut KnownSeeds::default()).err().unwrap_or_default()
}

#[test]
fn a_variant_is_recomputed() {
    assert_eq!(faults(regional()), []);
}

/// Even where the coordinator signs it.
const REFUSED: [Alteration; 12] = [
    ("variant withdrawn", |c| c.variants.clear(), "case.variants"),
    ("variant twice", |c| c.variants.push(c.variants[0].clone()), "case.variants"),
    ("another body", |c| c.variants[0].page.payload = Digest::ZERO, "variants[0].page"),
    (
        "the page's own body",
        |c| c.variants[0].page = c.page.clone().expect("one"),
        "variants[0].page",
    ),
    ("another layer", |c| c.variants[0].layer = Layer::Canonical, "variants[0].layer"),
    ("blamed", |c| c.results[4].finding = Finding::Forged, "results[4].finding"),
    ("not credited", |c| c.results[4].finding = Finding::Regional, "results[4].finding"),
    ("a region that saw the page", |c| place(c, 4, |v| v.region = Some(0)), "results[4].finding"),
    (
        "two regions of one agent each",
        |c| place(c, 5, |v| v.region = Some(2)),
        "results[4].finding",
    ),
    ("one autonomous system", |c| place(c, 5, |v| v.asn = Some(4)), "results[4].finding"),
    ("no regions", |c| (0..6).for_each(|n| place(c, n, |v| v.region = None)), "results[4].finding"),
    (
        "labels that tell more",
        |c| (4..6).for_each(|n| place(c, n, |v| v.region = Some(7))),
        "voice.region",
    ),
];

fn place(case: &mut Case, n: usize, change: fn(&mut sward_proto::quorum::voice::Voice)) {
    change(&mut case.results[n].origin.voice);
}

#[test]
fn what_follows_of_a_variant_cannot_be_altered() {
    for (name, alter, field) in REFUSED {
        let mut altered = regional();
        alter(&mut altered);
        let found = faults(altered);
        assert!(found.iter().any(|fault| fault.field.contains(field)), "{name}: {found:?}");
    }
}

/// Which region it is, nobody else can know: the coordinator's signature alone protects the name.
#[test]
fn the_name_of_a_region_is_vouched_for() {
    let mut renamed = regional();
    renamed.variants[0].region = "SE".parse().expect("a region");
    assert_eq!(faults(renamed.clone()), []);
    let forged = Bundle { case: renamed, ..publish(regional()) };
    let found = forged.check(None, &mut KnownSeeds::default()).expect_err("another case");
    assert_eq!(found[0].field, "note");
}
