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
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]

mod pack;
mod tiles;

use super::multiply::{Micro, Packed, Panels};
use crate::linear::Scratch;
use crate::linear::aligned::Aligned;
use pack::{pack_row, pack_weight};

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

    fn rows(scratch: &mut Scratch) -> (&mut Aligned<u16>, &mut Aligned<f32>) {
        (&mut scratch.terms, &mut scratch.sums)
    }

    fn pack_weight(value: f32, k: usize, column: usize, block: &mut [u16]) {
        pack_weight::<1>(value, k, column, block);
    }

    unsafe fn pack_row(row: &[f32], at: usize, tile: &mut [u16]) {
        // SAFETY: the caller has AVX-512 BF16.
        unsafe { pack_row::<1>(row, at, tile) }
    }

    unsafe fn run(a: &[u16], b: &[u16], sums: &mut [f32], first: bool) {
        // SAFETY: the caller has AMX and called `enter`.
        unsafe { tiles::one_by_one(a, b, sums, first) }
    }

    unsafe fn enter() {
        // SAFETY: the caller has AMX.
        unsafe { tiles::configure() }
    }

    unsafe fn leave() {
        // SAFETY: the caller has AMX.
        unsafe { tiles::release() }
    }
}

impl Micro for AmxF16 {
    type Element = u16;
    const ROWS: usize = ROWS;
    const STEP: usize = STEP;
    const BLOCK: usize = 320;
    const TERMS: usize = 3;
    const WEIGHT_TERMS: usize = 2;

    fn rows(scratch: &mut Scratch) -> (&mut Aligned<u16>, &mut Aligned<f32>) {
        (&mut scratch.terms, &mut scratch.sums)
    }

    fn pack_weight(value: f32, k: usize, column: usize, block: &mut [u16]) {
        pack_weight::<2>(value, k, column, block);
    }

    unsafe fn pack_row(row: &[f32], at: usize, tile: &mut [u16]) {
        // SAFETY: the caller has AVX-512 BF16.
        unsafe { pack_row::<3>(row, at, tile) }
    }

    unsafe fn run(a: &[u16], b: &[u16], sums: &mut [f32], first: bool) {
        // SAFETY: the caller has AMX and called `enter`.
        unsafe { tiles::three_by_two(a, b, sums, first) }
    }

    unsafe fn enter() {
        // SAFETY: the caller has AMX.
        unsafe { tiles::configure() }
    }

    unsafe fn leave() {
        // SAFETY: the caller has AMX.
        unsafe { tiles::release() }
    }
}

impl Micro for AmxF32 {
    type Element = u16;
    const ROWS: usize = ROWS;
    const STEP: usize = STEP;
    const BLOCK: usize = 320;
    const TERMS: usize = 3;
    const WEIGHT_TERMS: usize = 3;

    fn rows(scratch: &mut Scratch) -> (&mut Aligned<u16>, &mut Aligned<f32>) {
        (&mut scratch.terms, &mut scratch.sums)
    }

    fn pack_weight(value: f32, k: usize, column: usize, block: &mut [u16]) {
        pack_weight::<3>(value, k, column, block);
    }

    unsafe fn pack_row(row: &[f32], at: usize, tile: &mut [u16]) {
        // SAFETY: the caller has AVX-512 BF16.
        unsafe { pack_row::<3>(row, at, tile) }
    }

    unsafe fn run(a: &[u16], b: &[u16], sums: &mut [f32], first: bool) {
        // SAFETY: the caller has AMX and called `enter`.
        unsafe { tiles::three_by_three(a, b, sums, first) }
    }

    unsafe fn enter() {
        // SAFETY: the caller has AMX.
        unsafe { tiles::configure() }
    }

    unsafe fn leave() {
        // SAFETY: the caller has AMX.
        unsafe { tiles::release() }
    }

    /// Two terms, unless a third is not zero.
    fn narrowed(panels: &Panels<Self>) -> Option<Box<dyn Packed>> {
        let panels: Panels<AmxF16> = panels.repacked(6 * TILE, |three| {
            let (two, third) = three.split_at_checked(4 * TILE)?;
            third.iter().all(|bits| *bits == 0).then_some(two)
        })?;
        Some(Box::new(panels))
    }
}
