//! The first 64 bytes: magic, version, lengths, digests.

use crate::digest::Digest;
use crate::error::kind::ErrorKind;
use crate::gate;
use crate::limits::{self, Limits};
use crate::version::Version;

/// Sections start at multiples of this, and so does the header.
pub(crate) const ALIGNMENT: u64 = 64;

/// Length of the preamble.
pub(crate) const PREAMBLE_BYTES: u64 = 64;

/// The first bytes of a native file: a byte above 127, the name, and every way to end a line, so that a transfer as text shows.
pub const MAGIC: [u8; 8] = *b"\x89VNP\r\n\x1a\n";

/// Number of bytes that the preamble's own digest covers.
const COVERED_BYTES: usize = 48;

/// The smallest multiple of the alignment that is not below `offset`.
pub(crate) fn align(offset: u64) -> Option<u64> {
    offset.checked_next_multiple_of(ALIGNMENT)
}

/// The numbers of a preamble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preamble {
    pub(crate) major: u16,
    pub(crate) minor: u16,
    pub(crate) header_bytes: u64,
    pub(crate) file_bytes: u64,
    pub(crate) header_digest: Digest,
}

impl Preamble {
    pub(crate) fn version(&self) -> Version {
        Version::new(self.major.into(), self.minor.into(), 0)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PREAMBLE_BYTES as usize);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.major.to_le_bytes());
        bytes.extend_from_slice(&self.minor.to_le_bytes());
        bytes.extend_from_slice(&0_u32.to_le_bytes());
        bytes.extend_from_slice(&self.header_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.file_bytes.to_le_bytes());
        bytes.extend_from_slice(self.header_digest.as_bytes());
        let digest = Digest::of(&bytes);
        bytes.extend_from_slice(digest.as_bytes());
        bytes
    }

    /// Decodes the first bytes of a file of `actual_bytes`: the version is decided before anything
    /// after it is inspected.
    pub(crate) fn decode(
        bytes: &[u8],
        actual_bytes: u64,
        limits: &Limits,
    ) -> Result<Self, ErrorKind> {
        if !bytes.iter().zip(MAGIC).all(|(&found, expected)| found == expected) {
            return Err(ErrorKind::NotACheckpoint { mistaken: None });
        }
        let truncated =
            |expected_bytes, found_bytes| ErrorKind::Truncated { expected_bytes, found_bytes };
        let found_bytes = actual_bytes.min(bytes.len() as u64);

        let rest = &mut &*bytes;
        let gated = (|| Some((take::<8>(rest)?, u16_of(rest)?, u16_of(rest)?)))();
        let Some((_, major, minor)) = gated else {
            return Err(truncated(PREAMBLE_BYTES, found_bytes));
        };
        let version = gate::admit(Version::new(major.into(), minor.into(), 0))?;

        let numbers =
            (|| Some((u32_of(rest)?, u64_of(rest)?, u64_of(rest)?, take(rest)?, take(rest)?)))();
        let Some((flags, header_bytes, file_bytes, header_digest, digest)) = numbers else {
            return Err(truncated(PREAMBLE_BYTES, found_bytes));
        };
        let (covered, _) = bytes.split_at(COVERED_BYTES);
        if Digest::of(covered) != Digest::from_bytes(digest) {
            let section = "preamble".to_owned();
            return Err(ErrorKind::DigestMismatch { section });
        }
        if version < Version::new(1, 0, 0) {
            return Err(Version::malformed(&format!("{major}.{minor}")));
        }
        if flags != 0 {
            return Err(inconsistent("flags of the preamble", 0, flags.into()));
        }
        limits::check("total_bytes", limits.total_bytes, file_bytes)
            .and_then(|()| limits::check("header_bytes", limits.header_bytes, header_bytes))?;
        if actual_bytes < file_bytes {
            return Err(truncated(file_bytes, actual_bytes));
        }
        if actual_bytes > file_bytes {
            let (expected_bytes, found_bytes) = (file_bytes, actual_bytes);
            return Err(ErrorKind::Surplus { expected_bytes, found_bytes });
        }
        let room = file_bytes.saturating_sub(PREAMBLE_BYTES);
        if header_bytes > room {
            return Err(inconsistent("length of the header", room, header_bytes));
        }
        let header_digest = Digest::from_bytes(header_digest);
        Ok(Self { major, minor, header_bytes, file_bytes, header_digest })
    }
}

fn inconsistent(subject: &str, expected: u64, found: u64) -> ErrorKind {
    ErrorKind::inconsistent(subject, format!("at most {expected}"), found.to_string())
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = bytes.split_first_chunk()?;
    *bytes = tail;
    Some(*head)
}

fn u16_of(bytes: &mut &[u8]) -> Option<u16> {
    take(bytes).map(u16::from_le_bytes)
}

fn u32_of(bytes: &mut &[u8]) -> Option<u32> {
    take(bytes).map(u32::from_le_bytes)
}

fn u64_of(bytes: &mut &[u8]) -> Option<u64> {
    take(bytes).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE_BYTES: u64 = 256;

    fn sample(major: u16, minor: u16) -> Preamble {
        let header_digest = Digest::of(b"header");
        Preamble { major, minor, header_bytes: 100, file_bytes: FILE_BYTES, header_digest }
    }

    fn read(bytes: &[u8]) -> Result<Preamble, ErrorKind> {
        Preamble::decode(bytes, FILE_BYTES, &Limits::default())
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = sample(1, 0).encode();
        assert_eq!(bytes.len() as u64, PREAMBLE_BYTES);
        assert_eq!(read(&bytes).unwrap(), sample(1, 0));
    }

    #[track_caller]
    fn check_gate(major: u16, minor: u16, expected: Option<&str>) {
        let found = match read(&sample(major, minor).encode()) {
            Err(ErrorKind::TooNew { found, current, .. }) if current == Version::CURRENT => {
                Some(found.to_string())
            }
            Err(ErrorKind::MalformedVersion { found, .. }) => Some(format!("malformed {found}")),
            Err(other) => panic!("{major}.{minor}: {other}"),
            Ok(_) => None,
        };
        assert_eq!(found.as_deref(), expected, "{major}.{minor}");
    }

    #[test]
    fn gate() {
        check_gate(1, 0, None);
        check_gate(1, 1, Some("1.1"));
        check_gate(2, 0, Some("2.0"));
        check_gate(5, 0, Some("5.0"));
        check_gate(10, 0, Some("10.0"));
        check_gate(u16::MAX, u16::MAX, Some("65535.65535"));
        check_gate(0, 9, Some("malformed 0.9"));
    }

    #[test]
    fn a_newer_file_is_refused_by_its_first_twelve_bytes() {
        let mut bytes = sample(2, 0).encode();
        bytes.truncate(12);
        let Err(ErrorKind::TooNew { .. }) = read(&bytes) else { panic!("the gate came too late") };
        bytes.resize(64, 0xff);
        let Err(ErrorKind::TooNew { .. }) = read(&bytes) else { panic!("the gate came too late") };
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let whole = sample(1, 0).encode();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            match (bit / 8, read(&bytes)) {
                (0..8, Err(ErrorKind::NotACheckpoint { .. }))
                | (8..12, Err(ErrorKind::TooNew { .. }))
                | (8..64, Err(ErrorKind::DigestMismatch { .. })) => {}
                (byte, other) => panic!("bit {bit} in byte {byte}: {other:?}"),
            }
        }
    }

    #[test]
    fn every_cut_is_seen() {
        let whole = sample(1, 0).encode();
        for length in 0..whole.len() {
            let Err(ErrorKind::Truncated { expected_bytes: 64, found_bytes, .. }) =
                read(&whole[..length])
            else {
                panic!("a cut at {length} was not seen")
            };
            assert_eq!(found_bytes, length as u64);
        }
    }

    #[test]
    fn lengths_are_bounded_by_the_file_and_the_limits() {
        let long = Preamble { header_bytes: FILE_BYTES, ..sample(1, 0) };
        let Err(ErrorKind::Inconsistent { .. }) = read(&long.encode()) else { panic!("no room") };
        let huge = Preamble { header_bytes: 1 << 60, ..sample(1, 0) };
        let Err(ErrorKind::LimitExceeded { limit: "header_bytes", .. }) = read(&huge.encode())
        else {
            panic!("a huge header was let in")
        };
        let huge = Preamble { file_bytes: 1 << 60, ..sample(1, 0) };
        let Err(ErrorKind::LimitExceeded { limit: "total_bytes", .. }) = read(&huge.encode())
        else {
            panic!("a huge file was let in")
        };
        let longer = Preamble { file_bytes: FILE_BYTES + 64, ..sample(1, 0) };
        let Err(ErrorKind::Truncated { .. }) = read(&longer.encode()) else {
            panic!("not truncated")
        };
        let shorter = Preamble { file_bytes: FILE_BYTES - 64, ..sample(1, 0) };
        let Err(ErrorKind::Surplus { .. }) = read(&shorter.encode()) else { panic!("no surplus") };
    }
}
