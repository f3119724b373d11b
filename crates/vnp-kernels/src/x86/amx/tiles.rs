//! Tile instructions.
//!
//! A product reads, step by step, tiles of rows through `a` and tiles of weights through `b`, keeps two
//! of each in registers 4 to 7 and four tiles of sums in 0 to 3. A register is loaded again as soon
//! as its last product is issued, and what later steps read of the rows is fetched ahead.
#![allow(unsafe_code, reason = "tile instructions are assembly; bounds are checked above it")]

use std::arch::asm;

use super::{ROWS, TILE};
use crate::x86::multiply::COLUMNS;

/// Fetches four lines ahead.
macro_rules! fetch {
    () => {
        ".irp at,0,64,128,192\nprefetcht0 [{ahead} + \\at]\n.endr\nadd {ahead}, 256\n"
    };
}

/// Loads a tile from where `$from` points.
macro_rules! load {
    ($tile:literal, $from:literal, $at:literal) => {
        concat!("tileloadd tmm", $tile, ", [{", $from, "} + {row}*1 + ", $at, "]\n")
    };
}

/// Adds the product of two tiles to one of sums.
macro_rules! add {
    ($sums:literal, $a:literal, $b:literal) => {
        concat!("tdpbf16ps tmm", $sums, ", tmm", $a, ", tmm", $b, "\n", fetch!())
    };
}

/// All four products of what is in registers; then other weights.
macro_rules! then_weights {
    ($low:literal, $high:literal) => {
        concat!(
            add!(0, 4, 6),
            add!(2, 5, 6),
            load!(6, "b", $low),
            add!(1, 4, 7),
            add!(3, 5, 7),
            load!(7, "b", $high)
        )
    };
}

/// All four products of what is in registers; then other rows.
macro_rules! then_rows {
    ($low:literal, $high:literal) => {
        concat!(
            add!(0, 4, 6),
            add!(1, 4, 7),
            load!(4, "a", $low),
            add!(2, 5, 6),
            add!(3, 5, 7),
            load!(5, "a", $high)
        )
    };
}

/// All four products of what is in registers.
macro_rules! at_last {
    () => {
        concat!(add!(0, 4, 6), add!(1, 4, 7), add!(2, 5, 6), add!(3, 5, 7))
    };
}

/// A function that sets or adds to `sums`, `[32, 32]`, the products of as many steps as there are
/// in `a` and `b`.
macro_rules! product {
    (
        $(#[$doc:meta])* $name:ident,
        $a_tiles:literal tiles of rows, $b_tiles:literal of weights, $ahead:literal bytes ahead,
        $($instructions:expr),+
    ) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The CPU has AMX, and [`configure`] was called on this thread.
        pub(super) unsafe fn $name(a: &[u16], b: &[u16], sums: &mut [f32], first: bool) {
            let steps = (b.len() / ($b_tiles * TILE)).min(a.len() / ($a_tiles * TILE));
            if steps == 0 || sums.len() < ROWS * COLUMNS {
                return;
            }
            // SAFETY: as promised by the caller. The tiles of `steps` steps are there, and `sums`
            // has 32 rows of 32. A fetch ahead may be of any address.
            unsafe {
                begin(sums, first);
                asm!(
                    "2:",
                    $($instructions,)+
                    concat!("add {a}, 1024 * ", $a_tiles),
                    concat!("add {b}, 1024 * ", $b_tiles),
                    "dec {steps}",
                    "jnz 2b",
                    a = inout(reg) a.as_ptr() => _,
                    b = inout(reg) b.as_ptr() => _,
                    ahead = inout(reg) a.as_ptr().wrapping_byte_add($ahead) => _,
                    steps = inout(reg) steps => _,
                    row = in(reg) 64_usize,
                    options(nostack, readonly),
                );
                end(sums);
            }
        }
    };
}

product! {
    /// Of values of one term.
    one_by_one, 2 tiles of rows, 2 of weights, 4096 bytes ahead,
    fetch!(), fetch!(), fetch!(), fetch!(),
    load!(4, "a", 0), load!(6, "b", 0), load!(7, "b", 1024),
    add!(0, 4, 6),
    load!(5, "a", 1024),
    add!(1, 4, 7), add!(2, 5, 6), add!(3, 5, 7)
}

product! {
    /// Of rows of three terms, high, middle and low, and weights of two: hm, mm, mh, hh, lh.
    three_by_two, 6 tiles of rows, 4 of weights, 12288 bytes ahead,
    fetch!(), fetch!(), fetch!(), fetch!(),
    load!(4, "a", 0), load!(6, "b", 2048), load!(5, "a", 1024), load!(7, "b", 3072),
    then_rows!(2048, 3072),
    then_weights!(0, 1024),
    then_rows!(0, 1024),
    then_rows!(4096, 5120),
    at_last!()
}

product! {
    /// Of rows and weights of three terms: hl, hm, mm, mh, hh, lh.
    three_by_three, 6 tiles of rows, 6 of weights, 12288 bytes ahead,
    load!(4, "a", 0), load!(6, "b", 4096), load!(5, "a", 1024), load!(7, "b", 5120),
    then_weights!(2048, 3072),
    then_rows!(2048, 3072),
    then_weights!(0, 1024),
    then_rows!(0, 1024),
    then_rows!(4096, 5120),
    at_last!()
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
pub(super) unsafe fn configure() {
    // SAFETY: reads the 64 bytes of a valid configuration.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const CONFIG, options(nostack, readonly)) }
}

/// # Safety
/// As [`configure`].
pub(super) unsafe fn release() {
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
