//! Seeded random numbers, the same on every machine: xoshiro256++ seeded by SplitMix64.

/// A generator for one purpose: different labels give independent streams of one seed.
#[derive(Debug, Clone)]
pub struct Rng([u64; 4]);

impl Rng {
    /// The generator for a seed and a purpose.
    #[must_use]
    pub fn new(seed: u64, label: &str) -> Self {
        // FNV-1a of the label keeps the streams apart.
        let mut state = label.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(std::array::from_fn(|_| split_mix(&mut state)))
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        let (b1, a1) = (b ^ c, a ^ d);
        self.0 = [a1, b1, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// An integer uniform in 0..count; count is far below 2^32, so that the bias of the product is
    /// negligible.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next_u64()) * count as u128) >> 64) as usize
    }

    /// A normal number of mean 0 and variance 1 (Box-Muller, one of the pair).
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * self.uniform()).cos()) as f32
    }

    /// One of the items, each with the probability of its share of all weights; `None` without items.
    pub fn choose<'a, T>(&mut self, items: &'a [T], weight: impl Fn(&T) -> f64) -> Option<&'a T> {
        let mut left = self.uniform() * items.iter().map(&weight).sum::<f64>();
        let chosen = items.iter().find(|item| {
            left -= weight(item);
            left < 0.0
        });
        chosen.or(items.last())
    }

    /// One of the items, given with the running sums of their weights; `None` without items.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [(f64, T)]) -> Option<&'a T> {
        let (total, last) = items.last()?;
        let at = self.uniform() * total;
        let index = items.partition_point(|(sum, _)| *sum <= at);
        Some(items.get(index).map_or(last, |(_, item)| item))
    }

    /// Brings the items into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outputs of the authors' C code (Blackman and Vigna) for the state 1, 2, 3, 4.
    #[test]
    fn numbers_are_those_of_xoshiro256_plus_plus() {
        let mut rng = Rng([1, 2, 3, 4]);
        for expected in [
            41_943_041,
            58_720_359,
            3_588_806_011_781_223,
            3_591_011_842_654_386,
            9_228_616_714_210_784_205,
            9_973_669_472_204_895_162,
            14_011_001_112_246_962_877,
            12_406_186_145_184_390_807,
            15_849_039_046_786_891_736,
            10_450_023_813_501_588_000,
        ] {
            assert_eq!(rng.next_u64(), expected);
        }
    }

    /// The outputs of the author's C code (Vigna) for the seed 1234567.
    #[test]
    fn seeds_are_spread_by_split_mix() {
        let mut state = 1_234_567;
        for expected in [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ] {
            assert_eq!(split_mix(&mut state), expected);
        }
    }

    /// Computed apart from this code: FNV-1a of the label (0x85944171f73967e8), SplitMix64 from it
    /// for the state, then xoshiro256++.
    #[test]
    fn a_label_is_hashed_by_fnv_1a() {
        let mut rng = Rng::new(0, "foobar");
        for expected in [
            0xf9dc_f210_688a_11eb_u64,
            0x6b11_2cd1_aa51_b45b,
            0xde16_682a_4fd9_0d3d,
            0x4b44_3685_5775_8b32,
        ] {
            assert_eq!(rng.next_u64(), expected);
        }
    }

    #[test]
    fn streams_repeat_and_differ_by_label() {
        let draw = |label| {
            let mut rng = Rng::new(1, label);
            [rng.next_u64(), rng.next_u64()]
        };
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
    }

    #[test]
    fn numbers_have_the_moments_they_should() {
        let mut rng = Rng::new(1, "moments");
        let count = 20_000;
        let (mut sum, mut squares, mut uniform) = (0.0, 0.0, 0.0);
        for _ in 0..count {
            let x = f64::from(rng.normal());
            sum += x;
            squares += x * x;
            uniform += rng.uniform();
        }
        let mean = |sum: f64| sum / f64::from(count);
        assert!(mean(sum).abs() < 0.03 && (mean(squares) - 1.0).abs() < 0.05);
        assert!((mean(uniform) - 0.5).abs() < 0.01);
    }

    #[test]
    fn items_are_picked_by_their_weight() {
        let items = [(10.0, 'a'), (13.0, 'b')];
        let mut rng = Rng::new(1, "test");
        let drawn = (0..13_000).filter(|_| rng.pick(&items) == Some(&'b')).count();
        assert!((2_700..3_300).contains(&drawn), "{drawn}");
        assert_eq!(rng.pick::<char>(&[]), None);
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<_> = (0..100).collect();
        Rng::new(1, "shuffle").shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
