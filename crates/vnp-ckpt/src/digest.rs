//! XXH3 digests of 128 bits: they find damage, they do not prove who wrote a file.

use std::fmt;

use twox_hash::XxHash3_128;

/// An XXH3-128 digest in its canonical byte order: what `xxhash.xxh3_128(data).digest()` gives in
/// Python, and what `xxhsum -H2` prints in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Digest([u8; Self::BYTES]);

impl Digest {
    /// Length of a digest.
    pub const BYTES: usize = 16;

    /// The digest of `data`.
    #[must_use]
    pub fn of(data: &[u8]) -> Self {
        Self(XxHash3_128::oneshot(data).to_be_bytes())
    }

    /// The digest's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    pub(crate) const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Digests data that arrives in pieces.
#[derive(Default)]
pub(crate) struct Hasher(XxHash3_128);

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hasher").finish_non_exhaustive()
    }
}

impl Hasher {
    pub(crate) fn new() -> Self {
        Self(XxHash3_128::new())
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        self.0.write(data);
    }

    pub(crate) fn finish(&self) -> Digest {
        Digest(self.0.finish_128().to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_of_the_reference_implementation() {
        // XXH128 of no bytes with seed 0, from the specification of xxHash.
        assert_eq!(Digest::of(b"").to_string(), "99aa06d3014798d86001c324468d497f");
    }

    #[test]
    fn pieces_give_the_digest_of_the_whole() {
        let data: Vec<u8> = (0..5000_u32).map(|i| (i % 251) as u8).collect();
        for size in [1, 7, 240, 241, 1024, 4999] {
            let mut hasher = Hasher::new();
            data.chunks(size).for_each(|piece| hasher.update(piece));
            assert_eq!(hasher.finish(), Digest::of(&data), "{size}");
        }
    }
}
