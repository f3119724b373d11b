//! Loading, storing and elementary functions of vectors of 16 f32.
#![allow(
    unsafe_code,
    reason = "vector loads and stores take pointers; each is bounded by its slice"
)]

#[allow(clippy::wildcard_imports, reason = "the intrinsics of this file")]
use std::arch::x86_64::*;

pub(crate) const LANES: usize = 16;

/// The type of a lane: a number, or 32 bits with another meaning.
pub(crate) trait Lane: Copy {}

impl Lane for f32 {}

impl Lane for u32 {}

/// The values from `start` on; none if the slice ends before it, as that of a short row does.
#[inline]
pub(crate) fn after<T>(values: &[T], start: usize) -> &[T] {
    values.get(start..).unwrap_or_default()
}

/// The first values of a slice; zeros beyond its end.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn load<T: Lane>(values: &[T]) -> __m512 {
    if values.len() >= LANES {
        // SAFETY: the slice has 16 values.
        unsafe { _mm512_loadu_ps(values.as_ptr().cast()) }
    } else {
        // SAFETY: the mask leaves out what lies beyond the slice.
        unsafe { _mm512_maskz_loadu_ps(mask(values.len()), values.as_ptr().cast()) }
    }
}

/// Writes to the first values of a slice; lanes beyond its end are dropped.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn store<T: Lane>(values: &mut [T], x: __m512) {
    if values.len() >= LANES {
        // SAFETY: the slice has 16 values.
        unsafe { _mm512_storeu_ps(values.as_mut_ptr().cast(), x) }
    } else {
        // SAFETY: the mask leaves out what lies beyond the slice.
        unsafe { _mm512_mask_storeu_ps(values.as_mut_ptr().cast(), mask(values.len()), x) }
    }
}

/// As [`store`], past the caches if the slice is aligned and long enough. Until the thread calls
/// `_mm_sfence`, no other may read what was written.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn stream(values: &mut [f32], x: __m512) {
    if values.len() >= LANES && values.as_ptr().cast::<__m512>().is_aligned() {
        // SAFETY: the slice has 16 values, and is aligned.
        unsafe { _mm512_stream_ps(values.as_mut_ptr(), x) }
    } else {
        store(values, x);
    }
}

/// The bits of the largest magnitude of each lane so far: those of NaN are above those of infinity,
/// and these above all others.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn larger(largest: __m512i, x: __m512) -> __m512i {
    let magnitude = _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(i32::MAX));
    _mm512_max_epu32(largest, magnitude)
}

/// The first `count` of 16 lanes.
#[inline]
pub(crate) fn mask(count: usize) -> __mmask16 {
    if count >= LANES { 0xffff } else { (1 << count) - 1 }
}

/// `x / 2 * (1 + erf(x / sqrt 2))`, within 2e-6 absolutely: the error function by the rational
/// approximation of Eigen and XLA, exactly -1 and 1 beyond 4. NaN maps to NaN.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn gelu(x: __m512) -> __m512 {
    const P: [f32; 6] = [
        2.770_681_5e-8,
        -2.101_024e-6,
        -5.692_506_5e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const Q: [f32; 4] = [-2.133_740_5e-4, -1.682_827e-3, -7.373_329e-3, -1.426_474e-2];
    let z = _mm512_mul_ps(x, _mm512_set1_ps(std::f32::consts::FRAC_1_SQRT_2));
    // With this order of operands a NaN passes both bounds.
    let bounded = _mm512_max_ps(_mm512_set1_ps(-4.0), _mm512_min_ps(_mm512_set1_ps(4.0), z));
    let square = _mm512_mul_ps(bounded, bounded);
    let mut p = _mm512_set1_ps(-2.726_142_3e-10);
    for c in P {
        p = _mm512_fmadd_ps(p, square, _mm512_set1_ps(c));
    }
    let mut q = _mm512_set1_ps(-1.456_607_2e-5);
    for c in Q {
        q = _mm512_fmadd_ps(q, square, _mm512_set1_ps(c));
    }
    // One step of Newton's method takes the estimate of 1 / q from 14 bits to f32.
    let estimate = _mm512_rcp14_ps(q);
    let error = _mm512_fnmadd_ps(q, estimate, _mm512_set1_ps(1.0));
    let inverse = _mm512_fmadd_ps(estimate, error, estimate);
    let erf = _mm512_mul_ps(_mm512_mul_ps(bounded, p), inverse);
    let one = _mm512_set1_ps(1.0);
    let beyond = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(_mm512_abs_ps(z), _mm512_set1_ps(4.0));
    let sign =
        _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(z), _mm512_set1_epi32(i32::MIN)));
    let signed_one =
        _mm512_castsi512_ps(_mm512_or_si512(_mm512_castps_si512(one), _mm512_castps_si512(sign)));
    let erf = _mm512_mask_mov_ps(erf, beyond, signed_one);
    _mm512_mul_ps(_mm512_mul_ps(_mm512_set1_ps(0.5), x), _mm512_add_ps(one, erf))
}

/// `e^x` for `x <= 0`, within 2e-7 relatively (Cephes' polynomial); practically zero below -87.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn exp_of_negative(x: __m512) -> __m512 {
    const P: [f32; 5] = [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];
    const LN_2_HIGH: f32 = 0.693_359_4;
    let bounded = _mm512_max_ps(_mm512_set1_ps(-87.0), _mm512_min_ps(_mm512_setzero_ps(), x));
    let n = _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(
        _mm512_mul_ps(bounded, _mm512_set1_ps(std::f32::consts::LOG2_E)),
    );
    let r = _mm512_fnmadd_ps(n, _mm512_set1_ps(LN_2_HIGH), bounded);
    let r = _mm512_fmadd_ps(n, _mm512_set1_ps(LN_2_HIGH - std::f32::consts::LN_2), r);
    let mut p = _mm512_set1_ps(1.987_569_1e-4);
    for c in P {
        p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(c));
    }
    let one = _mm512_set1_ps(1.0);
    let power = _mm512_add_ps(_mm512_fmadd_ps(_mm512_mul_ps(p, r), r, r), one);
    _mm512_scalef_ps(power, n)
}
