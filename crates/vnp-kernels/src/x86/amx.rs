//! Products on AMX tiles: 16 x 16 sums in f32 of 16 x 32 by 32 x 16 values in bf16.
//!
//! A call works on 32 rows and 32 columns, four tiles of sums. The tile registers are configured
//! once for a whole product ([`Micro::enter`]), so that nothing but these blocks touches them
//! between: the compiler never uses them by itself.
//!
//! In f32 a value is the sum of three bf16, each the rounded rest of those before it, 24 bits in
//! all. Of the nine products of two such sums the three smallest are below 2^-26 of the whole,
//! less than f32 sees of a product, and are left out. A weight that came as f16 is the sum of two
//! bf16, which saves a third of the memory and a sixth of the work, and changes nothing.
#![allow(unsafe_code, reason = "tile instructions are assembly; bounds are checked above it")]
#![allow(clippy::wildcard_imports, reason = "the vocabulary of this file")]

use std::arch::asm;
use std::arch::x86_64::*;

use half::bf16;

use super::bf16::to_bf16;
use super::lanes::{LANES, load};
use super::multiply::{COLUMNS, Micro, Panels};

const ROWS: usize = 32;
const STEP: usize = 32;
/// Values of a tile: 16 rows of 64 bytes.
const TILE: usize = 16 * 32;

/// bf16 on tiles.
pub(crate) struct AmxBf16;

/// f32 on tiles, as sums of three bf16.
pub(crate) struct AmxF32;

/// The same where every weight is the sum of two: those that came as f16 are.
pub(crate) struct AmxF16;

impl Micro for AmxBf16 {
    type Element = u16;
    const ROWS: usize = ROWS;
    const STEP: usize = STEP;
    const BLOCK: usize = 640;
    const TERMS: usize = 1;
    const WEIGHT_TERMS: usize = 1;

    fn pack_weight(value: f32, k: usize, column: usize, block: &mut [u16]) {
        pack_weight::<1>(value, k, column, block);
    }

    unsafe fn pack_row(row: &[f32], at: usize, tile: &mut [u16]) {
        // SAFETY: the caller has AVX-512 BF16.
        unsafe { pack_row::<1>(row, at, tile) }
    }

    unsafe fn run(a: &[u16], b: &[u16], sums: &mut [f32], first: bool) {
        let steps = (b.len() / (2 * TILE)).min(a.len() / (2 * TILE));
        if steps == 0 || sums.len() < ROWS * COLUMNS {
            return;
        }
        // SAFETY: the caller has AMX and called `enter`. Each step reads two tiles of `a` and of
        // `b`, which are there; `sums` has 32 rows of 32.
        unsafe {
            begin(sums, first);
            asm!(
                "2:",
                "tileloadd tmm4, [{a} + {row}*1]",
                "tileloadd tmm6, [{b} + {row}*1]",
                "tileloadd tmm7, [{b} + {row}*1 + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                ".irp at,4096,4160,4224,4288,4352,4416,4480,4544",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm5, [{a} + {row}*1 + 1024]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                ".irp at,4608,4672,4736,4800,4864,4928,4992,5056",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm2, tmm5, tmm6",
                ".irp at,5120,5184,5248,5312,5376,5440,5504,5568",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm3, tmm5, tmm7",
                ".irp at,5632,5696,5760,5824,5888,5952,6016,6080",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "add {a}, 2048",
                "add {b}, 2048",
                "dec {steps}",
                "jnz 2b",
                a = inout(reg) a.as_ptr() => _,
                b = inout(reg) b.as_ptr() => _,
                steps = inout(reg) steps => _,
                row = in(reg) 64_usize,
                options(nostack, readonly),
            );
            end(sums);
        }
    }

    unsafe fn enter() {
        // SAFETY: the caller has AMX.
        unsafe { configure() }
    }

    unsafe fn leave() {
        // SAFETY: the caller has AMX.
        unsafe { release() }
    }
}

impl Micro for AmxF32 {
    type Element = u16;
    const ROWS: usize = ROWS;
    const STEP: usize = STEP;
    const BLOCK: usize = 320;
    const TERMS: usize = 3;
    const WEIGHT_TERMS: usize = 3;

    fn pack_weight(value: f32, k: usize, column: usize, block: &mut [u16]) {
        pack_weight::<3>(value, k, column, block);
    }

    unsafe fn pack_row(row: &[f32], at: usize, tile: &mut [u16]) {
        // SAFETY: the caller has AVX-512 BF16.
        unsafe { pack_row::<3>(row, at, tile) }
    }

    unsafe fn run(a: &[u16], b: &[u16], sums: &mut [f32], first: bool) {
        let steps = (b.len() / (6 * TILE)).min(a.len() / (6 * TILE));
        if steps == 0 || sums.len() < ROWS * COLUMNS {
            return;
        }
        // SAFETY: the caller has AMX and called `enter`. Each step reads six tiles of `a` and of
        // `b`, which are there; `sums` has 32 rows of 32. A step is, with the terms of a value
        // named high, middle, low: hl, hm, mm, mh, hh, lh, so that from one product to the next
        // one operand stays in its registers, and the other is loaded as soon as its are free.
        unsafe {
            begin(sums, first);
            asm!(
                "2:",
                "tileloadd tmm4, [{a} + {row}*1]",
                "tileloadd tmm6, [{b} + {row}*1 + 4096]",
                "tileloadd tmm5, [{a} + {row}*1 + 1024]",
                "tileloadd tmm7, [{b} + {row}*1 + 5120]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                ".irp at,12288,12352,12416,12480",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm2, tmm5, tmm6",
                ".irp at,12544,12608,12672,12736",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm6, [{b} + {row}*1 + 2048]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                ".irp at,12800,12864,12928,12992",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm3, tmm5, tmm7",
                ".irp at,13056,13120,13184,13248",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm7, [{b} + {row}*1 + 3072]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                ".irp at,13312,13376,13440,13504",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm1, tmm4, tmm7",
                ".irp at,13568,13632,13696,13760",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm4, [{a} + {row}*1 + 2048]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                ".irp at,13824,13888,13952,14016",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm3, tmm5, tmm7",
                ".irp at,14080,14144,14208,14272",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm5, [{a} + {row}*1 + 3072]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                ".irp at,14336,14400,14464,14528",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm2, tmm5, tmm6",
                ".irp at,14592,14656,14720,14784",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm6, [{b} + {row}*1]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                ".irp at,14848,14912,14976,15040",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm3, tmm5, tmm7",
                ".irp at,15104,15168,15232,15296",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm7, [{b} + {row}*1 + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                ".irp at,15360,15424,15488,15552",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm1, tmm4, tmm7",
                ".irp at,15616,15680,15744,15808",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm4, [{a} + {row}*1]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                ".irp at,15872,15936,16000,16064",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm3, tmm5, tmm7",
                ".irp at,16128,16192,16256,16320",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm5, [{a} + {row}*1 + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                ".irp at,16384,16448,16512,16576",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm1, tmm4, tmm7",
                ".irp at,16640,16704,16768,16832",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm4, [{a} + {row}*1 + 4096]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                ".irp at,16896,16960,17024,17088",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm3, tmm5, tmm7",
                ".irp at,17152,17216,17280,17344",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm5, [{a} + {row}*1 + 5120]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                ".irp at,17408,17472,17536,17600",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm1, tmm4, tmm7",
                ".irp at,17664,17728,17792,17856",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm2, tmm5, tmm6",
                ".irp at,17920,17984,18048,18112",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm3, tmm5, tmm7",
                ".irp at,18176,18240,18304,18368",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "add {a}, 6144",
                "add {b}, 6144",
                "dec {steps}",
                "jnz 2b",
                a = inout(reg) a.as_ptr() => _,
                b = inout(reg) b.as_ptr() => _,
                steps = inout(reg) steps => _,
                row = in(reg) 64_usize,
                options(nostack, readonly),
            );
            end(sums);
        }
    }

    unsafe fn enter() {
        // SAFETY: the caller has AMX.
        unsafe { configure() }
    }

    unsafe fn leave() {
        // SAFETY: the caller has AMX.
        unsafe { release() }
    }
}

impl Micro for AmxF16 {
    type Element = u16;
    const ROWS: usize = ROWS;
    const STEP: usize = STEP;
    const BLOCK: usize = 320;
    const TERMS: usize = 3;
    const WEIGHT_TERMS: usize = 2;

    fn pack_weight(value: f32, k: usize, column: usize, block: &mut [u16]) {
        pack_weight::<2>(value, k, column, block);
    }

    unsafe fn pack_row(row: &[f32], at: usize, tile: &mut [u16]) {
        // SAFETY: the caller has AVX-512 BF16.
        unsafe { pack_row::<3>(row, at, tile) }
    }

    unsafe fn run(a: &[u16], b: &[u16], sums: &mut [f32], first: bool) {
        let steps = (b.len() / (4 * TILE)).min(a.len() / (6 * TILE));
        if steps == 0 || sums.len() < ROWS * COLUMNS {
            return;
        }
        // SAFETY: as above; a step reads four tiles of `b` and is hm, mm, mh, hh, lh.
        unsafe {
            begin(sums, first);
            asm!(
                "2:",
                "tileloadd tmm4, [{a} + {row}*1]",
                "tileloadd tmm6, [{b} + {row}*1 + 2048]",
                "tileloadd tmm5, [{a} + {row}*1 + 1024]",
                "tileloadd tmm7, [{b} + {row}*1 + 3072]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                ".irp at,12288,12352,12416,12480,12544",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm1, tmm4, tmm7",
                ".irp at,12608,12672,12736,12800,12864",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm4, [{a} + {row}*1 + 2048]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                ".irp at,12928,12992,13056,13120,13184",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm3, tmm5, tmm7",
                ".irp at,13248,13312,13376,13440,13504",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm5, [{a} + {row}*1 + 3072]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                ".irp at,13568,13632,13696,13760,13824",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm2, tmm5, tmm6",
                ".irp at,13888,13952,14016,14080,14144",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm6, [{b} + {row}*1]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                ".irp at,14208,14272,14336,14400,14464",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm3, tmm5, tmm7",
                ".irp at,14528,14592,14656,14720,14784",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm7, [{b} + {row}*1 + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                ".irp at,14848,14912,14976,15040,15104",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm1, tmm4, tmm7",
                ".irp at,15168,15232,15296,15360,15424",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm4, [{a} + {row}*1]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                ".irp at,15488,15552,15616,15680,15744",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm3, tmm5, tmm7",
                ".irp at,15808,15872,15936,16000,16064",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm5, [{a} + {row}*1 + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                ".irp at,16128,16192,16256,16320,16384",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm1, tmm4, tmm7",
                ".irp at,16448,16512,16576,16640,16704",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm4, [{a} + {row}*1 + 4096]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                ".irp at,16768,16832,16896,16960,17024",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm3, tmm5, tmm7",
                ".irp at,17088,17152,17216,17280,17344",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tileloadd tmm5, [{a} + {row}*1 + 5120]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                ".irp at,17408,17472,17536,17600,17664",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm1, tmm4, tmm7",
                ".irp at,17728,17792,17856,17920,17984",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm2, tmm5, tmm6",
                ".irp at,18048,18112,18176,18240,18304",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "tdpbf16ps tmm3, tmm5, tmm7",
                ".irp at,18368",
                "prefetcht0 [{a} + \\at]",
                ".endr",
                "add {a}, 6144",
                "add {b}, 4096",
                "dec {steps}",
                "jnz 2b",
                a = inout(reg) a.as_ptr() => _,
                b = inout(reg) b.as_ptr() => _,
                steps = inout(reg) steps => _,
                row = in(reg) 64_usize,
                options(nostack, readonly),
            );
            end(sums);
        }
    }

    unsafe fn enter() {
        // SAFETY: the caller has AMX.
        unsafe { configure() }
    }

    unsafe fn leave() {
        // SAFETY: the caller has AMX.
        unsafe { release() }
    }
}

/// Repacks weights of three terms as two, unless a third is not zero.
pub(crate) fn narrowed(panels: &Panels<AmxF32>) -> Option<Panels<AmxF16>> {
    panels.repacked(6 * TILE, |three| {
        let (two, third) = three.split_at_checked(4 * TILE)?;
        third.iter().all(|bits| *bits == 0).then_some(two)
    })
}

/// Places the terms of a weight: steps of 32 inputs, then terms, then two tiles of 16 columns, in
/// which two inputs of a column stand next to each other.
fn pack_weight<const TERMS: usize>(value: f32, k: usize, column: usize, block: &mut [u16]) {
    let (step, k) = (k / STEP, k % STEP);
    let mut rest = value;
    for term in 0..TERMS {
        let rounded = bf16::from_f32(rest);
        rest -= rounded.to_f32();
        let tile = (step * TERMS + term) * 2 + column / 16;
        let place = tile * TILE + k / 2 * 32 + column % 16 * 2 + k % 2;
        if let Some(place) = block.get_mut(place) {
            *place = rounded.to_bits();
        }
    }
}

/// Places the terms of a row: steps of 32 inputs, then terms, then two tiles of 16 rows.
#[target_feature(enable = "avx512f,avx512bf16")]
fn pack_row<const TERMS: usize>(row: &[f32], at: usize, tile: &mut [u16]) {
    let steps = tile.chunks_exact_mut(2 * TERMS * TILE).zip(row.chunks(STEP));
    for (tile, row) in steps {
        for (half, row) in row.chunks(LANES).enumerate() {
            let mut rest = load(row);
            for term in 0..TERMS {
                let rounded = to_bf16(rest);
                let wide = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(rounded));
                rest = _mm512_sub_ps(rest, _mm512_castsi512_ps(wide));
                let place = (term * 2 + at / 16) * TILE + at % 16 * 32 + half * LANES;
                if let Some(place) = tile.get_mut(place..place + LANES) {
                    // SAFETY: 16 values are there.
                    unsafe { _mm256_storeu_si256(place.as_mut_ptr().cast(), rounded) }
                }
            }
        }
    }
}

/// The layout of a tile configuration (Intel SDM, "LDTILECFG").
#[repr(C, align(64))]
struct Config {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_a_row: [u16; 16],
    rows: [u8; 16],
}

/// Eight tiles of 16 rows of 64 bytes.
static CONFIG: Config = Config {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    bytes_a_row: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// # Safety
/// The CPU has AMX, and this process may use it.
unsafe fn configure() {
    // SAFETY: reads the 64 bytes of a valid configuration.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const CONFIG, options(nostack, readonly)) }
}

/// # Safety
/// As [`configure`].
unsafe fn release() {
    // SAFETY: gives back the tile registers, which nobody else uses.
    unsafe { asm!("tilerelease", options(nostack, nomem)) }
}

/// Zeroes the four tiles of sums, or loads them.
///
/// # Safety
/// As [`configure`], after it; `sums` holds 32 x 32 values.
unsafe fn begin(sums: &[f32], first: bool) {
    if first {
        // SAFETY: the registers are configured.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                options(nostack, nomem)
            );
        }
    } else {
        // SAFETY: four tiles of 16 rows of 64 bytes, rows 128 bytes apart.
        unsafe {
            asm!(
                "tileloadd tmm0, [{c} + {row}*1]",
                "tileloadd tmm1, [{c} + {row}*1 + 64]",
                "tileloadd tmm2, [{c} + {row}*1 + 2048]",
                "tileloadd tmm3, [{c} + {row}*1 + 2112]",
                c = in(reg) sums.as_ptr(),
                row = in(reg) 128_usize,
                options(nostack, readonly)
            );
        }
    }
}

/// Stores the four tiles of sums.
///
/// # Safety
/// As [`begin`].
unsafe fn end(sums: &mut [f32]) {
    // SAFETY: as in `begin`.
    unsafe {
        asm!(
            "tilestored [{c} + {row}*1], tmm0",
            "tilestored [{c} + {row}*1 + 64], tmm1",
            "tilestored [{c} + {row}*1 + 2048], tmm2",
            "tilestored [{c} + {row}*1 + 2112], tmm3",
            c = in(reg) sums.as_mut_ptr(),
            row = in(reg) 128_usize,
            options(nostack)
        );
    }
}
