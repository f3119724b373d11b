//! The peak rate of this machine in f32: fused multiply-adds, and a large matrix product.

use std::hint::black_box;
use std::time::{Duration, Instant};

use pulp::{Arch, Simd, WithSimd};
use rayon::ThreadPool;

use super::product;
use crate::clock::thread_seconds;

/// Operations a second of all threads of a pool at once, a multiply-add counting as two.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peak {
    /// Multiply-adds of f32 on registers alone.
    pub(crate) fma: f64,
    /// A large product of the `gemm` crate, one per thread.
    pub(crate) gemm: f64,
}

/// How long each of the two is measured.
const TIME: Duration = Duration::from_millis(100);
/// Multiply-adds that do not wait for each other: latency times units is 8 to 10, and AVX2 has
/// 16 registers for them and two operands.
const CHAINS: usize = 12;
/// Rows and columns of the product.
const SIDE: usize = 768;

/// Measures both, on every thread of the pool.
pub(crate) fn measure(pool: &ThreadPool) -> Peak {
    let fma = pool.broadcast(|_| best(|| Arch::new().dispatch(Burst { steps: 10_000 })));
    let gemm = pool.broadcast(|_| {
        let [left, right] = [0.5, 0.25].map(|value| vec![value; SIDE * SIDE]);
        let mut output = vec![0.0; SIDE * SIDE];
        best(|| {
            product::square(SIDE, &mut output, &left, &right);
            2.0 * (SIDE as f64).powi(3)
        })
    });
    Peak { fma: fma.iter().sum(), gemm: gemm.iter().sum() }
}

/// The best rate of bursts that return their number of operations. Other programs do not count, as
/// the time is the thread's own, nor does a burst that begins with cold caches.
fn best(mut burst: impl FnMut() -> f64) -> f64 {
    let start = Instant::now();
    let mut best = 0.0_f64;
    while start.elapsed() < TIME {
        let mut operations = 0.0;
        let seconds = thread_seconds(|| operations = burst());
        best = best.max(operations / seconds);
    }
    best
}

struct Burst {
    steps: usize,
}

impl WithSimd for Burst {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        // x = 0.999 x + 0.001 stays near 1, far from overflow and subnormal numbers.
        let [factor, term] = black_box([0.999, 0.001]).map(|value| simd.splat_f32s(value));
        let mut sums = [term; CHAINS];
        for _ in 0..self.steps {
            for sum in &mut sums {
                *sum = simd.mul_add_f32s(*sum, factor, term);
            }
        }
        for sum in sums {
            black_box(simd.reduce_sum_f32s(sum));
        }
        (self.steps * CHAINS * S::F32_LANES * 2) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than a scalar unit could do: in optimised code a burst runs in vector registers.
    #[test]
    fn a_peak_is_measured() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let Peak { fma, gemm } = measure(&pool);
        assert!(fma.is_finite() && fma > 1e6 && gemm.is_finite() && gemm > 1e6);
    }
}
