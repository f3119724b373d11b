//! The tile registers: configuring, zeroing, storing and releasing them.
#![allow(unsafe_code, reason = "tile instructions are assembly")]

use std::arch::asm;

/// Rows of a tile register, and columns of 32 bits.
pub(super) const SIDE: usize = 16;
/// Bytes of a tile register.
pub(super) const TILE: usize = 1024;

/// The sums of registers 0 to 3, `[4, 16, 16]`, aligned to a cache line.
#[repr(C, align(64))]
pub(crate) struct Sums<T>(pub(super) [T; 4 * SIDE * SIDE]);

impl<T: Copy + Default> Default for Sums<T> {
    fn default() -> Self {
        Self([T::default(); 4 * SIDE * SIDE])
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
pub(super) unsafe fn configure() {
    // SAFETY: reads the 64 bytes of a valid configuration.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const CONFIG, options(nostack, readonly)) }
}

/// # Safety
/// As [`configure`].
pub(super) unsafe fn release() {
    // SAFETY: releases the tile registers, which only these kernels use.
    unsafe { asm!("tilerelease", options(nostack, nomem)) }
}

/// Zeroes the four tiles of sums, registers 0 to 3.
///
/// # Safety
/// As [`configure`], after it.
#[inline]
pub(super) unsafe fn zero() {
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
}

/// Stores the four tiles of sums, of 32 bits each.
///
/// # Safety
/// As [`zero`].
#[inline]
pub(super) unsafe fn store<T>(sums: &mut Sums<T>) {
    const { assert!(size_of::<T>() == 4) };
    // SAFETY: there is room for four tiles of 16 rows of 64 bytes.
    unsafe {
        asm!(
            "tilestored [{c} + {row}*1], tmm0",
            "tilestored [{c} + {row}*1 + 1024], tmm1",
            "tilestored [{c} + {row}*1 + 2048], tmm2",
            "tilestored [{c} + {row}*1 + 3072], tmm3",
            c = in(reg) sums.0.as_mut_ptr(),
            row = in(reg) 64_usize,
            options(nostack)
        );
    }
}
