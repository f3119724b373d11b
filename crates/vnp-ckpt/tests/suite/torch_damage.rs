//! Truncations and flipped bits of files of about 50 KB: never other contents without an error.

use std::io::{Cursor, Write};

use fs_err as fs;
use vnp_ckpt::{Checkpoint, ErrorKind, Integrity, Limits, RowRange, Tensor, open_reader};

use crate::golden::shared;
use crate::invariants::load;
use crate::support::{encode, fixtures, kind_in_file};
use vnp_forge::pickle::{Pickle, Tensor as Described};
use vnp_forge::torch::{archive, numbers};

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

/// The file with one bit flipped.
fn flipped(whole: &[u8], place: u64) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    bytes[place as usize / 8] ^= 1 << (place % 8);
    bytes
}

/// Reads the file with one bit flipped, which must be refused or change nothing that is read;
/// whether it is read.
fn check_flip(what: &str, whole: &[u8], original: &Checkpoint, place: u64) -> bool {
    match load(&flipped(whole, place), &Limits::default()) {
        Ok(read) => {
            assert!(&read == original, "{what}: bit {place} changed what is read: {read:?}")
        }
        Err(error) => {
            let is_known = error.is_corrupted() || error.is_incompatible();
            assert!(is_known, "{what}: bit {place}: {error:?}");
            return false;
        }
    }
    true
}

/// Every bit of a small file of ours or of PyTorch's, flipped.
#[test]
fn every_bit_of_small_files() {
    for name in ["v1_merged.pt", "v1_esm_async.pt", "dnabert_like.pt", "views.pt", "values.pt"] {
        let whole = fs::read(fixtures().join("torch").join(name)).unwrap();
        let original = load(&whole, &Limits::default()).unwrap();
        each(whole.len() as u64 * 8, |place| check_flip(name, &whole, &original, place).into());
    }
}

/// Without CRC a changed number cannot be seen, but the file is reported as unverified.
#[test]
fn every_bit_of_files_without_crc() {
    for name in ["nocrc.pt", "legacy_nonzip.pt", "views_legacy.pt"] {
        let whole = fs::read(fixtures().join("torch").join(name)).unwrap();
        let original = load(&whole, &Limits::default()).unwrap();
        let unseen = each(whole.len() as u64 * 8, |place| {
            let bytes = flipped(&whole, place);
            let length = bytes.len() as u64;
            let file = open_reader("a".as_ref(), Cursor::new(bytes), length, &Limits::default());
            let Ok(file) = file else { return 0 };
            let integrity = file.integrity();
            let Ok(read) = file.load() else { return 0 };
            let is_other = read != original;
            assert!(!is_other || integrity == Integrity::Unverified, "{name}: bit {place}");
            u64::from(is_other)
        });
        let _ = writeln!(std::io::stderr(), "{name}: {unseen} flips change it unseen, unverified");
        assert!(unseen > 0, "{name}: is it verified?");
    }
}

#[test]
fn a_damaged_tensor_does_not_hide_the_others() {
    let mut file = archive(
        &Pickle::new(2)
            .dict(|p| p.text("a").tensor(&Described::good()).text("b").tensor(&other()))
            .stop(),
        &[("0", &numbers(12)), ("1", &numbers(4))],
    );
    file.record("data/0").crc = Some(7);
    let bytes = file.bytes();
    let length = bytes.len() as u64;
    let limits = Limits::default();
    let mut file = open_reader("a".as_ref(), Cursor::new(bytes), length, &limits).unwrap();
    assert_eq!(file.tensor("b").unwrap().unwrap().bytes(), numbers(4));
    let Err(ErrorKind::CrcMismatch { record, .. }) = kind_in_file(file.tensor("a")) else {
        panic!("undetected")
    };
    assert_eq!(record, "data/0");
    let Err(ErrorKind::CrcMismatch { .. }) = kind_in_file(file.verify()) else {
        panic!("undetected")
    };
    let Err(ErrorKind::CrcMismatch { .. }) = kind_in_file(file.load()) else {
        panic!("undetected")
    };
}

fn other() -> Described<'static> {
    Described { key: "1", numel: 4, size: vec![2, 2], stride: vec![2, 1], ..Described::good() }
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
        check_flip("file", whole, &original, place).into()
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
