//! Filling fresh memory while a second thread faults its pages in.

use std::sync::mpsc;
use std::thread;

/// From this length on a thread that touches it ahead is worth its start.
pub(super) const TOUCHED_BYTES: usize = 8 << 20;

/// How much is handed out to be filled at a time: a huge page.
pub(super) const PIECE_BYTES: usize = 2 << 20;

/// No system has smaller pages.
const PAGE_BYTES: usize = 4 << 10;

/// Hands out all of `bytes`, in order and in pieces, to be filled. A second thread runs ahead and
/// touches the memory: the system zeroes pages when they are first touched, which takes as long as
/// reading a file into them.
pub(crate) fn fill_ahead<E>(
    bytes: &mut [u8],
    mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let helps = thread::available_parallelism().is_ok_and(|threads| threads.get() > 1);
    if helps && bytes.len() >= TOUCHED_BYTES {
        let filled = thread::scope(|scope| {
            let pieces = bytes.chunks_mut(PIECE_BYTES);
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
    bytes.chunks_mut(PIECE_BYTES).try_for_each(fill)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::block::Block;

    #[track_caller]
    fn check(bytes: usize) {
        let mut block = Block::zeroed(bytes).unwrap();
        let mut count = 0_usize;
        let filled = fill_ahead(block.bytes_mut(), |piece| {
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
        check(0);
        check(1);
        check(PIECE_BYTES + 1);
        check(TOUCHED_BYTES + 1);
    }

    #[test]
    fn filling_ends_with_the_first_error() {
        let mut block = Block::zeroed(TOUCHED_BYTES * 2).unwrap();
        let mut pieces = 0;
        let filled = fill_ahead(block.bytes_mut(), |_| {
            pieces += 1;
            if pieces == 3 { Err("third") } else { Ok(()) }
        });
        assert_eq!((filled, pieces), (Err("third"), 3));
    }
}
