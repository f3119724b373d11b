//! Memory that tensors share: taken without ever aborting, and aligned for every type.

use std::io;
use std::ops::Range;
use std::sync::mpsc;
use std::thread;

use memmap2::MmapMut;

pub(crate) mod mapped;

use super::cast::{bytes_of, bytes_of_mut};
use mapped::MappedFile;

/// From this length on a block is mapped, in huge pages where the system has them: taking a page
/// fault for each 4 KiB costs more than reading the file.
const MAPPED_BYTES: usize = 1 << 20;

/// From this length on a thread that touches it ahead is worth its start.
const TOUCHED_BYTES: usize = 8 << 20;

/// How much is handed out to be filled at a time: a huge page.
const PIECE_BYTES: usize = 2 << 20;

/// No system has smaller pages.
const PAGE_BYTES: usize = 4 << 10;

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

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Heap { units, bytes } => bytes_of(units).get(..*bytes).unwrap_or_default(),
            Self::Anonymous(map) => map,
            Self::File(map) => map.bytes(),
        }
    }

    /// Its bytes, to be written; none of a file.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Heap { units, bytes } => {
                bytes_of_mut(units).get_mut(..*bytes).unwrap_or_default()
            }
            Self::Anonymous(map) => map,
            Self::File(_) => &mut [],
        }
    }

    /// Hands out all of it, in order and in pieces, to be filled. A second thread runs ahead and
    /// touches the memory: the system zeroes pages when they are first touched, which takes as
    /// long as reading a file into them.
    pub(crate) fn fill<E>(
        &mut self,
        mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let helps = thread::available_parallelism().is_ok_and(|threads| threads.get() > 1);
        if helps && self.bytes().len() >= TOUCHED_BYTES {
            let filled = thread::scope(|scope| {
                let pieces = self.bytes_mut().chunks_mut(PIECE_BYTES);
                let (sender, receiver) = mpsc::channel();
                let toucher = thread::Builder::new().spawn_scoped(scope, move || {
                    for piece in pieces {
                        piece.iter_mut().step_by(PAGE_BYTES).for_each(|byte| *byte = 0);
                        if sender.send(piece).is_err() {
                            break;
                        }
                    }
                });
                toucher.is_ok().then(|| receiver.into_iter().try_for_each(&mut fill))
            });
            if let Some(filled) = filled {
                return filled;
            }
        }
        self.bytes_mut().chunks_mut(PIECE_BYTES).try_for_each(fill)
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

    #[track_caller]
    fn check_fill(bytes: usize) {
        let mut block = Block::zeroed(bytes).unwrap();
        let mut count = 0_usize;
        let filled = block.fill(|piece| {
            for byte in piece {
                *byte = (count % 251) as u8;
                count += 1;
            }
            Ok::<(), ()>(())
        });
        assert_eq!((filled, count), (Ok(()), bytes));
        assert!(block.bytes().iter().enumerate().all(|(i, &byte)| byte == (i % 251) as u8));
    }

    #[test]
    fn blocks_are_filled_in_order() {
        check_fill(0);
        check_fill(1);
        check_fill(PIECE_BYTES + 1);
        check_fill(TOUCHED_BYTES + 1);
    }

    #[test]
    fn filling_ends_with_the_first_error() {
        let mut block = Block::zeroed(TOUCHED_BYTES * 2).unwrap();
        let mut pieces = 0;
        let filled = block.fill(|_| {
            pieces += 1;
            if pieces == 3 { Err("third") } else { Ok(()) }
        });
        assert_eq!((filled, pieces), (Err("third"), 3));
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
