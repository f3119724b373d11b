//! The inner loop of every kernel in vector registers: 12 rows and 32 columns, whose 24 sums stay in
//! registers for all words of a block.
//!
//! It is assembly because the compiler loads every value of a row into a register first. Here most
//! values are memory operands, which makes the loop 30 instructions for 24 products instead of 38. On
//! a core whose other thread is busy, with half of the decoder, that saves a tenth of the time.
#![allow(unsafe_code, reason = "the loop reads through pointers; bounds are checked above it")]

use std::arch::asm;
use std::arch::x86_64::{__m512, __m512i, _mm512_setzero_ps};

use super::lanes::{LANES, load, store};

/// Rows of a tile.
pub(crate) const ROWS: usize = 12;
/// Columns of a tile and of a panel.
pub(crate) const COLUMNS: usize = 32;
/// Words of a row and a column per iteration of the loop.
const STEP: usize = 2;
/// Words of a piece, between which other work is done.
pub(super) const PIECE: usize = 32;

/// The sums of a tile: two vectors per row.
pub(crate) type Sums<V> = [[V; 2]; ROWS];

/// Two products of a value that both read from memory.
#[rustfmt::skip]
macro_rules! direct {
    ($product:literal, $at:literal, $low:literal, $high:literal) => {
        concat!(
            $product, " {", $low, "}, {b0}, dword ptr [{a} + ", $at, "]{{1to16}}\n",
            $product, " {", $high, "}, {b1}, dword ptr [{a} + ", $at, "]{{1to16}}\n",
        )
    };
}

/// Two products of a value that is loaded once. With some of these among the others, neither loads nor
/// decoding limit the loop.
#[rustfmt::skip]
macro_rules! loaded {
    ($product:literal, $at:literal, $low:literal, $high:literal) => {
        concat!(
            "vbroadcastss {x}, dword ptr [{a} + ", $at, "]\n",
            $product, " {", $low, "}, {b0}, {x}\n",
            $product, " {", $high, "}, {b1}, {x}\n",
        )
    };
}

/// Defines a function that adds the products of a tile and a block, and calls `between` after each
/// piece.
macro_rules! tile_product {
    ($(#[$doc:meta])* $name:ident, $features:literal, $sum:ty, $product:literal) => {
        $(#[$doc])*
        #[inline]
        #[target_feature(enable = $features)]
        pub(crate) fn $name(
            tile: &[u32],
            block: &[u32],
            sums: &mut Sums<$sum>,
            between: &mut impl FnMut(),
        ) {
            let [
                [mut c0, mut c1], [mut c2, mut c3], [mut c4, mut c5], [mut c6, mut c7],
                [mut c8, mut c9], [mut c10, mut c11], [mut c12, mut c13], [mut c14, mut c15],
                [mut c16, mut c17], [mut c18, mut c19], [mut c20, mut c21], [mut c22, mut c23],
            ] = *sums;
            debug_assert_eq!(tile.len() / ROWS, block.len() / COLUMNS);
            for (tile, block) in tile.chunks(PIECE * ROWS).zip(block.chunks(PIECE * COLUMNS)) {
                let words = (tile.len() / ROWS).min(block.len() / COLUMNS) / STEP * STEP;
                if words == 0 {
                    break;
                }
                // SAFETY: `words` words of each of the 12 rows and 32 columns are in the slices, and that
                // many are read, two per iteration; only registers are written to.
                unsafe {
                    asm!(
                        "2:",
                        "vmovups {b0}, zmmword ptr [{b}]",
                        "vmovups {b1}, zmmword ptr [{b} + 64]",
                        direct!($product, "0", "c0", "c1"),
                        direct!($product, "4", "c2", "c3"),
                        loaded!($product, "8", "c4", "c5"),
                        direct!($product, "12", "c6", "c7"),
                        direct!($product, "16", "c8", "c9"),
                        loaded!($product, "20", "c10", "c11"),
                        direct!($product, "24", "c12", "c13"),
                        direct!($product, "28", "c14", "c15"),
                        loaded!($product, "32", "c16", "c17"),
                        direct!($product, "36", "c18", "c19"),
                        direct!($product, "40", "c20", "c21"),
                        loaded!($product, "44", "c22", "c23"),
                        "vmovups {b0}, zmmword ptr [{b} + 128]",
                        "vmovups {b1}, zmmword ptr [{b} + 192]",
                        direct!($product, "48", "c0", "c1"),
                        direct!($product, "52", "c2", "c3"),
                        loaded!($product, "56", "c4", "c5"),
                        direct!($product, "60", "c6", "c7"),
                        direct!($product, "64", "c8", "c9"),
                        loaded!($product, "68", "c10", "c11"),
                        direct!($product, "72", "c12", "c13"),
                        direct!($product, "76", "c14", "c15"),
                        loaded!($product, "80", "c16", "c17"),
                        direct!($product, "84", "c18", "c19"),
                        direct!($product, "88", "c20", "c21"),
                        loaded!($product, "92", "c22", "c23"),
                        "add {a}, 96",
                        "add {b}, 256",
                        "sub {words}, 2",
                        "jnz 2b",
                        a = inout(reg) tile.as_ptr() => _,
                        b = inout(reg) block.as_ptr() => _,
                        words = inout(reg) words => _,
                        b0 = out(zmm_reg) _,
                        b1 = out(zmm_reg) _,
                        x = out(zmm_reg) _,
                        c0 = inout(zmm_reg) c0, c1 = inout(zmm_reg) c1,
                        c2 = inout(zmm_reg) c2, c3 = inout(zmm_reg) c3,
                        c4 = inout(zmm_reg) c4, c5 = inout(zmm_reg) c5,
                        c6 = inout(zmm_reg) c6, c7 = inout(zmm_reg) c7,
                        c8 = inout(zmm_reg) c8, c9 = inout(zmm_reg) c9,
                        c10 = inout(zmm_reg) c10, c11 = inout(zmm_reg) c11,
                        c12 = inout(zmm_reg) c12, c13 = inout(zmm_reg) c13,
                        c14 = inout(zmm_reg) c14, c15 = inout(zmm_reg) c15,
                        c16 = inout(zmm_reg) c16, c17 = inout(zmm_reg) c17,
                        c18 = inout(zmm_reg) c18, c19 = inout(zmm_reg) c19,
                        c20 = inout(zmm_reg) c20, c21 = inout(zmm_reg) c21,
                        c22 = inout(zmm_reg) c22, c23 = inout(zmm_reg) c23,
                        options(nostack, readonly),
                    );
                }
                between();
            }
            *sums = [
                [c0, c1], [c2, c3], [c4, c5], [c6, c7], [c8, c9], [c10, c11],
                [c12, c13], [c14, c15], [c16, c17], [c18, c19], [c20, c21], [c22, c23],
            ];
        }
    };
}

tile_product!(
    /// Adds the products of words that are f32.
    multiply_add, "avx512f", __m512, "vfmadd231ps"
);
tile_product!(
    /// Adds the products of words that are two bf16, to sums in f32.
    multiply_bf16, "avx512f,avx512bf16", __m512, "vdpbf16ps"
);
tile_product!(
    /// Adds the products of words that are two 16-bit integers, to sums of 32 bits, which wrap.
    multiply_integers, "avx512f,avx512vnni", __m512i, "vpdpwssd"
);

/// The initial sums: zeros for the first block of inputs, the sums so far for another.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn begin(sums: &[f32; ROWS * COLUMNS], first: bool) -> Sums<__m512> {
    let mut acc = [[_mm512_setzero_ps(); 2]; ROWS];
    if !first {
        for (acc, sums) in acc.iter_mut().zip(sums.as_chunks::<COLUMNS>().0) {
            let (low, high) = sums.split_at(LANES);
            *acc = [load(low), load(high)];
        }
    }
    acc
}

/// Stores the sums of a tile.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn end(acc: &Sums<__m512>, sums: &mut [f32; ROWS * COLUMNS]) {
    for ([low, high], sums) in acc.iter().zip(sums.as_chunks_mut::<COLUMNS>().0) {
        let (low_sums, high_sums) = sums.split_at_mut(LANES);
        store(low_sums, *low);
        store(high_sums, *high);
    }
}
