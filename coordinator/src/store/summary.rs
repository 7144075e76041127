//! What an index should hold, in 32 bytes.
//!
//! Decides how a loss is noticed that sled lets through: how often it was changed, number of entries, and a sum over all
//! of them that each change moves on by its own part alone. Guards against accidents, not against a forger.

/// What all entries but its own come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Summary {
    /// How many batches made it what it is.
    pub(super) batches: u64,
    /// The number of the last commit that is in it; later ones may be there in part.
    pub(super) merged: u64,
    /// How many entries it has.
    pub(super) entries: u64,
    /// The sum of their hashes, modulo 2^64.
    pub(super) sum: u64,
}

/// Length of an encoded summary, in bytes.
pub(super) const SUMMARY_BYTES: usize = 32;

impl Summary {
    /// Counts an entry in.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.wrapping_add(1);
        self.sum = self.sum.wrapping_add(hash(key, value));
    }

    /// Counts an entry out.
    pub(super) fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(hash(key, value));
    }

    /// Four big-endian numbers, as declared.
    pub(super) fn to_bytes(self) -> [u8; SUMMARY_BYTES] {
        let mut bytes = [0; SUMMARY_BYTES];
        let numbers = [self.batches, self.merged, self.entries, self.sum];
        for (eight, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            eight.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    /// The inverse of [`Self::to_bytes`]; `None` for another length.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (batches, rest) = bytes.split_first_chunk::<8>()?;
        let (merged, rest) = rest.split_first_chunk::<8>()?;
        let (entries, rest) = rest.split_first_chunk::<8>()?;
        let sum = <[u8; 8]>::try_from(rest).ok()?;
        Some(Self {
            batches: u64::from_be_bytes(*batches),
            merged: u64::from_be_bytes(*merged),
            entries: u64::from_be_bytes(*entries),
            sum: u64::from_be_bytes(sum),
        })
    }
}

/// Two CRC-32 over key and value, in either order, as one of them twice would be no more than 32 bits; then mixed,
/// because CRCs are linear and so is their sum, which would make exchanges between entries cancel out. The mixer is
/// MurmurHash3's 64-bit finaliser.
fn hash(key: &[u8], value: &[u8]) -> u64 {
    let crc = |first: &[u8], second: &[u8]| {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&(key.len() as u64).to_le_bytes()); // where the key ends
        crc.update(first);
        crc.update(second);
        u64::from(crc.finalize())
    };
    let mut mixed = crc(key, value) << 32 | crc(value, key);
    mixed = (mixed ^ mixed >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed = (mixed ^ mixed >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ mixed >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[(&[u8], &[u8])]) -> Summary {
        let mut summary = Summary::default();
        for (key, value) in entries {
            summary.add(key, value);
        }
        summary
    }

    #[test]
    fn any_other_contents_have_another_summary() {
        let whole = of(&[(b"Sa", b"1"), (b"Sb", b"2")]);
        assert_eq!(whole, of(&[(b"Sb", b"2"), (b"Sa", b"1")]), "order does not count");
        let others: [&[(&[u8], &[u8])]; 6] = [
            &[(b"Sa", b"1")],
            &[(b"Sa", b"2"), (b"Sb", b"1")],
            &[(b"Sa1", b""), (b"Sb", b"2")],
            &[(b"S", b"a1"), (b"Sb", b"2")],
            &[(b"Sa", b"1"), (b"Sb", b"3")],
            &[(b"Sa", b"1"), (b"Sb", b"2"), (b"Sc", b"")],
        ];
        for other in others {
            assert_ne!(whole, of(other), "{other:?}");
        }
    }

    #[test]
    fn removing_undoes_adding_and_the_bytes_read_back() {
        let mut summary = of(&[(b"Sa", b"1"), (b"Sb", b"2")]);
        summary.remove(b"Sb", b"2");
        summary.merged = 7;
        assert_eq!(summary, Summary { merged: 7, ..of(&[(b"Sa", b"1")]) });
        assert_eq!(Summary::from_bytes(&summary.to_bytes()), Some(summary));
        assert_eq!(Summary::from_bytes(&[0; SUMMARY_BYTES + 1]), None);
    }
}
