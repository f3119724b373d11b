//! Seeded random numbers, the same on every machine: xoshiro256++ seeded by SplitMix64.

/// A generator for one purpose; different labels give independent streams of one seed.
#[derive(Debug, Clone)]
pub struct Rng([u64; 4]);

impl Rng {
    /// The generator of a seed and a purpose.
    #[must_use]
    pub fn new(seed: u64, label: &str) -> Self {
        // FNV-1a of the label keeps the streams apart.
        let mut state = label.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(std::array::from_fn(|_| split_mix(&mut state)))
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        let (b1, a1) = (b ^ c, a ^ d);
        self.0 = [a1, b1, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in 0..count; count is far below 2^32, so that the bias of the product does not matter.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next_u64()) * count as u128) >> 64) as usize
    }

    /// Mean 0, variance 1 (Box-Muller, one of the pair).
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * self.uniform()).cos()) as f32
    }

    /// One of some items, each as likely as its share of all weights; none of none.
    pub fn choose<'a, T>(&mut self, items: &'a [T], weight: impl Fn(&T) -> f64) -> Option<&'a T> {
        let mut left = self.uniform() * items.iter().map(&weight).sum::<f64>();
        let chosen = items.iter().find(|item| {
            left -= weight(item);
            left < 0.0
        });
        chosen.or(items.last())
    }

    /// A random order (Fisher and Yates).
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
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<_> = (0..100).collect();
        Rng::new(1, "shuffle").shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
