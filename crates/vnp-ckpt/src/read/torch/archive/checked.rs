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

/// The same, with another core at work before the reading: it takes the pages of memory that nobody
/// has touched yet, which costs the system as much as the copy. Where there is no thread to be had,
/// all is done here.
pub(crate) fn read_behind_touching<R: Input>(
    window: &mut Window<R>,
    offset: u64,
    into: &mut [u8],
    context: Context<'_>,
) -> Result<u32, Error> {
    let mut crc = crc32fast::Hasher::new();
    let touched = thread::scope(|scope| {
        let (sender, touched) = mpsc::sync_channel::<(u64, &mut [u8])>(WAITING_STEPS);
        let pieces = steps(offset, &mut *into);
        let toucher = thread::Builder::new().name("vnp-ckpt-touch".to_owned());
        let toucher = toucher.spawn_scoped(scope, move || {
            for (offset, step) in pieces {
                step.iter_mut().step_by(PAGE_BYTES).for_each(|byte| *byte = 0);
                // The reader gave up.
                if sender.send((offset, step)).is_err() {
                    break;
                }
            }
        });
        toucher.is_ok().then(|| {
            touched.into_iter().try_for_each(|(offset, step)| {
                window.read_at(offset, step, context)?;
                crc.update(step);
                Ok(())
            })
        })
    });
    match touched {
        Some(read) => read.map(|()| crc.finalize()),
        None => read_with_crc(window, offset, into, context),
    }
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
            read_behind_touching(&mut window, 9, &mut found, context).unwrap(),
            crc32fast::hash(expected)
        );
        assert!(found == expected);
        let Err(Error::Truncated { .. }) =
            read_behind_touching(&mut window, 10, &mut found, context)
        else {
            panic!("a byte after the end was read")
        };
    }
}
