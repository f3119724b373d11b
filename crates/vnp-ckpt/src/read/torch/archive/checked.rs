//! Reading bytes and computing their CRC on the way, while they are in a core's cache.

use std::sync::mpsc;
use std::thread;

use super::super::super::container::Input;
use super::super::context::Context;
use super::super::window::{STEP_BYTES, Window};
use crate::Error;

/// How many steps may wait for the next thread.
const WAITING_STEPS: usize = 8;

/// The smallest page of memory.
const PAGE_BYTES: usize = 4096;

/// Fills `into` with what lies at `offset`, without a CRC.
pub(crate) fn read_plain<R: Input>(
    window: &mut Window<R>,
    offset: u64,
    into: &mut [u8],
    context: Context<'_>,
) -> Result<(), Error> {
    steps(offset, into).try_for_each(|(offset, step)| window.read_at(offset, step, context))
}

/// Fills `into` with what lies at `offset`; the CRC.
pub(crate) fn read_with_crc<R: Input>(
    window: &mut Window<R>,
    offset: u64,
    into: &mut [u8],
    context: Context<'_>,
) -> Result<u32, Error> {
    let mut crc = crc32fast::Hasher::new();
    for (offset, step) in steps(offset, into) {
        window.read_at(offset, step, context)?;
        crc.update(step);
    }
    Ok(crc.finalize())
}

/// The same, with other cores at work before and behind the reading: one takes the pages of memory
/// that nobody has touched yet, one computes the CRC. Where there is no thread to be had, all is
/// done here.
pub(crate) fn read_beside_crc<R: Input>(
    window: &mut Window<R>,
    offset: u64,
    into: &mut [u8],
    context: Context<'_>,
) -> Result<u32, Error> {
    match read_between(window, offset, into, context)? {
        Some(crc) => Ok(crc),
        None => read_with_crc(window, offset, into, context),
    }
}

/// `None` when a thread was not to be had.
fn read_between<R: Input>(
    window: &mut Window<R>,
    offset: u64,
    into: &mut [u8],
    context: Context<'_>,
) -> Result<Option<u32>, Error> {
    thread::scope(move |scope| {
        let (send_touched, touched) = mpsc::sync_channel::<(u64, &mut [u8])>(WAITING_STEPS);
        let (send_read, read) = mpsc::sync_channel::<&[u8]>(WAITING_STEPS);
        let thread = || thread::Builder::new().name("vnp-ckpt-read".to_owned());
        let crc = thread().spawn_scoped(scope, move || {
            let mut crc = crc32fast::Hasher::new();
            read.iter().for_each(|step| crc.update(step));
            crc.finalize()
        });
        let toucher = thread().spawn_scoped(scope, move || {
            for (offset, step) in steps(offset, into) {
                step.iter_mut().step_by(PAGE_BYTES).for_each(|byte| *byte = 0);
                // The reader gave up.
                if send_touched.send((offset, step)).is_err() {
                    break;
                }
            }
        });
        let (Ok(crc), Ok(_)) = (crc, toucher) else { return Ok(None) };
        for (offset, step) in touched {
            window.read_at(offset, step, context)?;
            send_read.send(step).map_err(|_| ended(context))?;
        }
        drop(send_read);
        crc.join().map(Some).map_err(|_| ended(context))
    })
}

fn ended(context: Context<'_>) -> Error {
    let source = std::io::Error::other("the thread that computes a CRC ended");
    Error::Io { path: context.path.to_owned(), source }
}

/// Pieces that fit in a cache, each with its place.
fn steps(offset: u64, into: &mut [u8]) -> impl Iterator<Item = (u64, &mut [u8])> {
    let places = (0..).map(move |step: u64| offset.saturating_add(step * STEP_BYTES as u64));
    places.zip(into.chunks_mut(STEP_BYTES))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::*;
    use crate::Limits;

    #[test]
    fn all_three_read_the_same() {
        let limits = Limits::default();
        let context = Context { path: Path::new("a.pt"), limits: &limits };
        let file: Vec<u8> = (0..5 * STEP_BYTES + 77).map(|place| (place / 3) as u8).collect();
        let mut window = Window::new(io::Cursor::new(file.clone()), file.len() as u64);
        let expected = &file[9..];
        let mut found = vec![0; expected.len()];
        read_plain(&mut window, 9, &mut found, context).unwrap();
        assert!(found == expected);
        found.fill(0);
        assert_eq!(
            read_with_crc(&mut window, 9, &mut found, context).unwrap(),
            crc32fast::hash(expected)
        );
        assert!(found == expected);
        found.fill(0);
        assert_eq!(
            read_beside_crc(&mut window, 9, &mut found, context).unwrap(),
            crc32fast::hash(expected)
        );
        assert!(found == expected);
        let Err(Error::Truncated { .. }) = read_beside_crc(&mut window, 10, &mut found, context)
        else {
            panic!("a byte after the end was read")
        };
    }
}
