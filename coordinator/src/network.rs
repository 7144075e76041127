//! Where an address is, by files that the operator supplies: its autonomous system and its country.
//!
//! Decides nothing; reads MaxMind's DB format (version 2, which DB-IP and others write too), whole and checked before
//! anything listens. No address leaves the process for this.

use crate::config::NetworkPart;
use anyhow::{Context as _, Result, ensure};
use maxminddb::{PathElement, Reader, WithinOptions};
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::path::Path;
use sward_coordinator_core::group::{Asn, Whereabouts};
use sward_proto::region::Region;

/// Where a record has the number of its autonomous system, as in GeoLite2-ASN and DB-IP's.
const ASN: [PathElement<'_>; 1] = [PathElement::Key("autonomous_system_number")];
/// Where it has its country's code, as in GeoLite2-Country, GeoLite2-City and DB-IP's.
const COUNTRY: [PathElement<'_>; 2] = [PathElement::Key("country"), PathElement::Key("iso_code")];
/// Records of a file in which what it is for must occur.
const TRIED: usize = 10_000;

/// The files, read.
#[derive(Debug, Default)]
pub struct NetworkFiles {
    asn: Option<Reader<Vec<u8>>>,
    country: Option<Reader<Vec<u8>>>,
}

impl NetworkFiles {
    /// Reads and checks those that are configured.
    ///
    /// # Errors
    /// A file that cannot be read, is no such database, is damaged, or does not hold what it is named for.
    pub fn open(data: &Path, part: &NetworkPart) -> Result<Self> {
        let asn = part.asn.as_ref().map(|path| data.join(path));
        let asn = asn.map(|path| open::<u32>("network.asn", &path, &ASN));
        let country = part.country.as_ref().map(|path| data.join(path));
        let country = country.map(|path| open::<String>("network.country", &path, &COUNTRY));
        Ok(Self { asn: asn.transpose()?, country: country.transpose()? })
    }

    /// What they say of an address. A record that cannot be read says nothing.
    #[must_use]
    pub fn look_up(&self, ip: IpAddr) -> Whereabouts {
        let ip = ip.to_canonical();
        let asn = self.asn.as_ref().and_then(|file| find(file, ip, &ASN)).map(Asn);
        let country: Option<String> =
            self.country.as_ref().and_then(|file| find(file, ip, &COUNTRY));
        Whereabouts { asn, region: country.and_then(|code| code.parse::<Region>().ok()) }
    }
}

fn find<T: DeserializeOwned>(
    file: &Reader<Vec<u8>>,
    ip: IpAddr,
    field: &[PathElement<'_>],
) -> Option<T> {
    file.lookup(ip).ok()?.decode_path(field).ok()?
}

fn open<T: DeserializeOwned>(
    key: &str,
    path: &Path,
    field: &[PathElement<'_>],
) -> Result<Reader<Vec<u8>>> {
    let shown = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("{key}: cannot read {shown}"))?;
    let file = Reader::from_source(bytes).with_context(|| {
        format!("{key}: {shown} is no MMDB file, such as GeoLite2 or DB-IP have")
    })?;
    file.verify().with_context(|| format!("{key}: {shown} is damaged: fetch it anew"))?;
    let mut records = file.networks(WithinOptions::default())?.take(TRIED);
    let has_field = records.any(|record| {
        record.is_ok_and(|record| matches!(record.decode_path::<T>(field), Ok(Some(_))))
    });
    ensure!(
        has_field,
        "{key}: {shown} is a {} and names no {}: give the file that does",
        file.metadata().database_type,
        if key == "network.asn" { "autonomous_system_number" } else { "country.iso_code" }
    );
    Ok(file)
}
