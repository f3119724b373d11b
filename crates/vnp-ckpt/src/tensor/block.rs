//! Memory that tensors share: taken without ever aborting, and aligned for every type.

use std::io;
use std::ops::Range;

use memmap2::MmapMut;

pub(crate) mod mapped;

use super::cast::{bytes_of, bytes_of_mut};
use crate::error::kind::ErrorKind;
use mapped::MappedFile;

/// From this length on a block is mapped, in huge pages where the system has them: taking a page
/// fault for each 4 KiB costs more than reading the file.
const MAPPED_BYTES: usize = 1 << 20;

/// A piece of memory.
#[derive(Debug)]
pub(crate) enum Block {
    /// Small ones, in units of the largest alignment of an element.
    Heap { units: Vec<u64>, bytes: usize },
    /// Large ones, of pages of their own.
    Anonymous(MmapMut),
    /// The pages of a file.
    File(MappedFile),
}

impl Block {
    /// `bytes` zeros.
    ///
    /// Fails where there is no memory.
    pub(crate) fn zeroed(bytes: usize) -> io::Result<Self> {
        if bytes >= MAPPED_BYTES {
            let map = MmapMut::map_anon(bytes)?;
            // Advice: that it is not taken changes nothing but the time.
            #[cfg(target_os = "linux")]
            let _ = map.advise(memmap2::Advice::HugePage);
            return Ok(Self::Anonymous(map));
        }
        let count = bytes.div_ceil(size_of::<u64>());
        let mut units = Vec::new();
        units.try_reserve_exact(count).map_err(|_| io::ErrorKind::OutOfMemory)?;
        units.resize(count, 0);
        Ok(Self::Heap { units, bytes })
    }

    /// `bytes` zeros, for a section of a file.
    pub(crate) fn for_section(section: &str, bytes: u64) -> Result<Self, ErrorKind> {
        let length =
            usize::try_from(bytes).map_err(|_| ErrorKind::out_of_memory(section, bytes))?;
        Self::zeroed(length).map_err(|_| ErrorKind::out_of_memory(section, bytes))
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Heap { units, bytes } => bytes_of(units).split_at(*bytes).0,
            Self::Anonymous(map) => map,
            Self::File(map) => map.bytes(),
        }
    }

    /// Its bytes, to be written; none of a file.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Heap { units, bytes } => bytes_of_mut(units).split_at_mut(*bytes).0,
            Self::Anonymous(map) => map,
            Self::File(_) => &mut [],
        }
    }

    /// Whether a range lies inside and starts where an element of `size` bytes may.
    pub(crate) fn holds(&self, range: &Range<usize>, size: usize) -> bool {
        let bytes = self.bytes();
        bytes.get(range.clone()).is_some_and(|slice| (slice.as_ptr() as usize).is_multiple_of(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: usize) {
        let mut block = Block::zeroed(bytes).unwrap();
        assert_eq!((block.bytes().len(), block.bytes_mut().len()), (bytes, bytes));
        assert!(block.bytes().iter().all(|&byte| byte == 0));
        block.bytes_mut().fill(7);
        assert!(block.bytes().iter().all(|&byte| byte == 7));
        assert!(block.holds(&(0..bytes), 8));
        assert!(!block.holds(&(0..bytes + 1), 1));
    }

    #[test]
    fn blocks_of_any_length() {
        check(0);
        check(1);
        check(7);
        check(8);
        check(MAPPED_BYTES - 1);
        check(MAPPED_BYTES);
        check(MAPPED_BYTES * 3 + 1);
    }

    #[test]
    fn elements_are_aligned() {
        let block = Block::zeroed(64).unwrap();
        assert!(block.holds(&(8..16), 8) && !block.holds(&(4..12), 8) && block.holds(&(4..8), 4));
    }

    #[test]
    fn more_than_there_is_is_an_error() {
        assert!(Block::zeroed(usize::MAX / 4).is_err());
    }
}
