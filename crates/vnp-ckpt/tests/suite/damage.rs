//! Whatever happens to a file's bytes, the reader says so.

use proptest::prelude::*;
use vnp_ckpt::ErrorKind;

use crate::support::{decode, decode_as, encode, kind_in_file, sample};

/// The file must be refused as damaged, or as too new where the version's own bytes are hit.
#[track_caller]
fn check_refused(bytes: &[u8], what: &str) {
    match decode(bytes) {
        Err(error) if error.is_corrupted() || error.is_incompatible() => {}
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn every_flipped_bit() {
    let whole = encode(&sample());
    for index in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[index] ^= 1 << bit;
            check_refused(&bytes, &format!("bit {bit} of byte {index}"));
        }
    }
}

#[test]
fn every_byte_value_at_every_place() {
    let whole = encode(&sample());
    for index in 0..whole.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xc1, 0xff] {
            let mut bytes = whole.clone();
            bytes[index] = byte;
            if byte != whole[index] {
                check_refused(&bytes, &format!("{byte} at {index}"));
            }
        }
    }
}

#[test]
fn every_truncation() {
    let whole = encode(&sample());
    for length in 0..whole.len() {
        let Err(ErrorKind::Truncated { found_bytes, .. }) = kind_in_file(decode(&whole[..length]))
        else {
            panic!("cut at {length}: {:?}", decode(&whole[..length]))
        };
        assert_eq!(found_bytes, length as u64);
    }
}

#[test]
fn bytes_after_the_end() {
    let whole = encode(&sample());
    for surplus in [1, 63, 64, 65, 4096] {
        for byte in [0, 0xff] {
            let bytes = [&*whole, &vec![byte; surplus]].concat();
            let Err(ErrorKind::Surplus { expected_bytes, found_bytes, .. }) =
                kind_in_file(decode(&bytes))
            else {
                panic!("{surplus} bytes after the end were read over")
            };
            assert_eq!(found_bytes - expected_bytes, surplus as u64);
        }
    }
}

#[test]
fn the_name_of_what_is_damaged() {
    let whole = encode(&sample());
    let section_at = |from_end: usize| {
        let mut bytes = whole.clone();
        let index = bytes.len() - from_end;
        bytes[index] ^= 1;
        match kind_in_file(decode(&bytes)) {
            Err(ErrorKind::DigestMismatch { section, .. }) => section,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(section_at(64), "status");
    assert_eq!(section_at(128), "embedding");
    assert_eq!(section_at(192), "ids");
    assert_eq!(section_at(whole.len() - 64), "header");
    assert_eq!(section_at(whole.len() - 40), "preamble");
}

#[test]
fn a_file_that_shrinks_while_it_is_read() {
    let whole = encode(&sample());
    let length = whole.len() as u64;
    let cut = &whole[..whole.len() - 1];
    let read = kind_in_file(decode_as(cut, length, &Default::default()));
    let Err(ErrorKind::Truncated { .. }) = read else { panic!("{read:?}") };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    /// Pieces overwritten, cut out, doubled, moved: never a panic, never other contents.
    #[test]
    fn mutations(steps in prop::collection::vec(
        (0_u8..5, any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<[u8; 9]>()),
        1..5,
    )) {
        let original = sample();
        let whole = encode_once();
        let mut bytes = whole.to_vec();
        for (kind, at, to, new) in steps {
            if bytes.is_empty() {
                break;
            }
            let (at, to) = (at.index(bytes.len()), to.index(bytes.len()));
            let (low, high) = (at.min(to), at.max(to));
            match kind {
                0 => bytes[at] = new[0],
                1 => bytes.truncate(at),
                2 => { bytes.drain(low..high); }
                3 => { let piece = bytes[low..high].to_vec(); bytes.splice(at..at, piece); }
                _ => { let end = (at + new.len()).min(bytes.len()); bytes.splice(at..end, new); }
            }
        }
        match decode(&bytes) {
            Ok(read) => prop_assert!(read == original && bytes == whole),
            Err(error) => prop_assert!(error.is_corrupted() || error.is_incompatible()),
        }
    }
}

fn encode_once() -> &'static [u8] {
    static WHOLE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    WHOLE.get_or_init(|| encode(&sample()))
}
