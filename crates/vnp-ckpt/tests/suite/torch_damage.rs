//! Truncations and flipped bits of files of about 50 KB: never other contents without an error.

use std::io::Write;

use fs_err as fs;
use vnp_ckpt::{Checkpoint, Limits, RowRange, Tensor};

use crate::golden::shared;
use crate::invariants::load;
use crate::kit::pickle::{Pickle, Tensor as Described};
use crate::kit::torch::{archive, numbers};
use crate::support::encode;

const FLIPS: u64 = 10_000;

/// A real merged file where it is there, and else a forged one of the same size.
fn torch_file() -> Vec<u8> {
    let merged = "golden/virnucpro-0.x/test_with_orfs/test_with_orfs_merged/output_1_merged.pt";
    if let Some(path) = shared(merged) {
        return fs::read(path).unwrap();
    }
    let (size, stride) = (vec![4, 3328], vec![3328, 1]);
    let data = Described { numel: 4 * 3328, size, stride, ..Described::good() };
    let pickle = Pickle::new(2)
        .dict(|p| p.text("ids").texts(&["a", "b", "c", "d"]).text("data").tensor(&data));
    archive(&pickle.stop(), &[("0", &numbers(4 * 3328))]).bytes()
}

fn native_file() -> Vec<u8> {
    let values = (0..4 * 3328_u16).map(f32::from).collect();
    let checkpoint = Checkpoint::builder("merged")
        .rows(RowRange::new(0, 4))
        .ids(["a", "b", "c", "d"].map(str::to_owned).to_vec())
        .tensor("data", Tensor::from_f32([4, 3328], values).unwrap());
    encode(&checkpoint.build().unwrap())
}

/// Runs `check` on every number below `count`, on both cores.
fn each(count: u64, check: impl Fn(u64) -> u64 + Sync) -> u64 {
    let half = count / 2;
    std::thread::scope(|scope| {
        let first = scope.spawn(|| (0..half).map(&check).sum::<u64>());
        let second: u64 = (half..count).map(&check).sum();
        first.join().unwrap() + second
    })
}

/// Every proper beginning of the file is refused.
fn check_truncations(whole: &[u8]) {
    assert!((45_000..60_000).contains(&whole.len()), "{}", whole.len());
    each(whole.len() as u64, |length| {
        match load(&whole[..length as usize], &Limits::default()) {
            Err(error) => assert!(error.is_corrupted(), "cut at {length}: {error:?}"),
            Ok(read) => panic!("cut at {length}: {read:?}"),
        }
        1
    });
}

/// Flips one bit at a time; how many flips changed nothing that is read.
fn check_flips(whole: &[u8]) -> u64 {
    let original = load(whole, &Limits::default()).unwrap();
    each(FLIPS, |number| {
        // SplitMix64: the same places in every run.
        let mut place = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        place = (place ^ (place >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        place = (place ^ (place >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        place = (place ^ (place >> 31)) % (whole.len() as u64 * 8);
        let mut bytes = whole.to_vec();
        bytes[place as usize / 8] ^= 1 << (place % 8);
        match load(&bytes, &Limits::default()) {
            Err(error) => {
                assert!(error.is_corrupted() || error.is_incompatible(), "{place}: {error:?}");
                0
            }
            Ok(read) => {
                assert!(read == original, "bit {place} changed what is read: {read:?}");
                1
            }
        }
    })
}

#[test]
fn every_truncation_of_a_native_file() {
    check_truncations(&native_file());
}

#[test]
fn every_truncation_of_a_pytorch_file() {
    check_truncations(&torch_file());
}

#[test]
fn flipped_bits_of_a_native_file() {
    assert_eq!(check_flips(&native_file()), 0);
}

#[test]
fn flipped_bits_of_a_pytorch_file() {
    let harmless = check_flips(&torch_file());
    let told = format!("{FLIPS} flips of a PyTorch file: {harmless} in bytes that nothing reads");
    let _ = writeln!(std::io::stderr(), "{told}");
    // Alignment, dates and the like are a small part of the file.
    assert!(harmless < FLIPS / 20, "{told}");
}
