//! Seeded pseudo-random numbers: the inputs of a bench must be the same every time.

use std::ops::RangeInclusive;

/// A generator (xorshift64) whose stream depends on its name alone.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(name: &str) -> Self {
        // FNV-1a; the state must not be 0.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut draw = Self(hash | 1);
        // Some steps spread the bits of a short name.
        for _ in 0..8 {
            draw.next();
        }
        draw
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Uniform in the range.
    pub(crate) fn within(&mut self, range: &RangeInclusive<usize>) -> usize {
        let count = (range.end() - range.start() + 1) as u64;
        // The upper half of the state, whose bits are more random; count is far below 2^32.
        range.start() + (((self.next() >> 32) * count) >> 32) as usize
    }

    /// Uniform in `0.0..1.0`.
    pub(crate) fn fraction(&mut self) -> f32 {
        // 24 bits: a float below 1.
        (self.next() >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// One of the letters.
    pub(crate) fn letter(&mut self, letters: &[u8]) -> char {
        let last = letters.len().saturating_sub(1);
        letters.get(self.within(&(0..=last))).copied().map_or('?', char::from)
    }

    /// Uniform values of mean 0 and this standard deviation. Each number drawn gives four of them,
    /// as networks have billions.
    pub(crate) fn values(&mut self, count: usize, deviation: f32) -> Vec<f32> {
        let scale = deviation * 12_f32.sqrt() / 65536.0;
        let mut values = Vec::with_capacity(count.next_multiple_of(4));
        while values.len() < count {
            let bits = self.next().to_le_bytes();
            values.extend(
                bits.as_chunks()
                    .0
                    .iter()
                    .map(|two: &[u8; 2]| (f32::from(u16::from_le_bytes(*two)) - 32767.5) * scale),
            );
        }
        values.truncate(count);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ_by_name() {
        let draw = |name| Draw::new(name).next();
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
    }

    #[test]
    fn every_length_is_drawn_and_no_other() {
        let mut draw = Draw::new("lengths");
        let mut found: Vec<_> = (0..1000).map(|_| draw.within(&(3..=7))).collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, [3, 4, 5, 6, 7]);
    }

    #[test]
    fn values_have_their_deviation() {
        let values = Draw::new("values").values(10_001, 0.5);
        let mean = |sum: f32| sum / 10_001.0;
        assert_eq!(values.len(), 10_001);
        assert!(mean(values.iter().sum()).abs() < 0.02);
        let deviation = mean(values.iter().map(|x| x * x).sum()).sqrt();
        assert!((deviation - 0.5).abs() < 0.02, "{deviation}");
    }
}
