//! Inputs that can be read once, recognised by their first bytes before anything else is done with them.
#![expect(clippy::indexing_slicing, reason = "a reader returns at most the length of its buffer")]

use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::foreign::open_file;
use crate::reader::RecordReader;

/// Bytes of a stream that are inspected at most; of one that goes on with white space, the reader decides.
const INSPECTED_BYTES: usize = 1 << 20;

/// Opens a pipe whose first bytes are those of a FASTA or FASTQ text, compressed or not.
///
/// # Errors
/// [`Error::Unsupported`] for a directory, a device or a socket, [`Error::Io`] if it cannot be opened, and
/// those of [`recognised`].
pub fn open_recognised(path: &Path) -> Result<Box<dyn Read + Send>, Error> {
    recognised(path, Box::new(open_file(path, path)?))
}

/// Passes a stream on whose first bytes are those of a FASTA or FASTQ text, compressed or not. Errors call
/// it `name`. A fault of the stream that lies further in is left to its reader.
///
/// ```
/// use std::io::Read;
/// use std::path::Path;
///
/// let zip = b"PK\x03\x04".as_slice();
/// assert!(vnp_seq::recognised(Path::new("standard input"), Box::new(zip)).is_err());
/// let mut text = String::new();
/// let fasta = b">read\nACGT\n".as_slice();
/// vnp_seq::recognised(Path::new("standard input"), Box::new(fasta))?.read_to_string(&mut text)?;
/// assert_eq!(text, ">read\nACGT\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::UnknownFormat`] and [`Error::Unsupported`] if it is something else.
pub fn recognised(
    name: &Path,
    stream: Box<dyn Read + Send>,
) -> Result<Box<dyn Read + Send>, Error> {
    let recording = Recording { stream, start: Vec::new() };
    let start = Start(Arc::new(Mutex::new(recording)));
    match RecordReader::from_reader(name, Box::new(start.clone())) {
        Err(
            error @ (Error::UnknownFormat { .. } | Error::Unsupported { .. } | Error::Io { .. }),
        ) => Err(error),
        _ => Ok(Box::new(Whole { recording: start.0, position: 0 })),
    }
}

/// A stream and what was read of it. A decoder may still hold it when the stream is read on.
struct Recording {
    stream: Box<dyn Read + Send>,
    start: Vec<u8>,
}

/// The first bytes of a stream, which are recorded.
#[derive(Clone)]
struct Start(Arc<Mutex<Recording>>);

impl Read for Start {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut recording = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Recording { stream, start } = &mut *recording;
        let left = (INSPECTED_BYTES - start.len()) as u64;
        let count = stream.take(left).read(buffer)?;
        start.extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

/// A stream from its first byte on.
struct Whole {
    recording: Arc<Mutex<Recording>>,
    /// The number of recorded bytes that were read again.
    position: usize,
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut recording = self.recording.lock().unwrap_or_else(PoisonError::into_inner);
        let Recording { stream, start } = &mut *recording;
        let mut again = start.get(self.position..).unwrap_or_default();
        if again.is_empty() {
            return stream.read(buffer);
        }
        let count = again.read(buffer)?;
        self.position += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use proptest::prelude::*;

    use super::*;

    fn passed(bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
        let mut whole = Vec::new();
        let stream = recognised(Path::new("stream"), Box::new(Cursor::new(bytes)));
        stream?.read_to_end(&mut whole).map(|_| ()).unwrap();
        Ok(whole)
    }

    #[track_caller]
    fn check_refused(bytes: &[u8], expected: &str) {
        let message = passed(bytes.to_vec()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn what_is_no_sequence_text_is_refused_before_it_is_read() {
        /// Ends the test where a stream is read further than it needs to be.
        struct Endless;
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                assert!(buffer.len() <= INSPECTED_BYTES);
                buffer.fill(0);
                Ok(buffer.len())
            }
        }
        let refused = recognised(Path::new("zeros"), Box::new(Endless)).err().unwrap();
        assert!(matches!(refused, Error::UnknownFormat { found: 0, .. }), "{refused}");
        check_refused(b"BAM\x01", "a BAM file");
        check_refused(b"ACGT\n", "starts with 'A'");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"ACGT\n").unwrap();
        check_refused(&gzip.finish().unwrap(), "starts with 'A'");
    }

    proptest! {
        #[test]
        fn what_passes_is_the_whole_stream(
            start in prop_oneof![Just(""), Just(">"), Just("@"), Just("\n\n>"), Just("\x1f\u{8b}")],
            rest in proptest::collection::vec(any::<u8>(), 0..20_000),
        ) {
            let bytes = [start.as_bytes(), &rest].concat();
            if let Ok(passed) = passed(bytes.clone()) {
                prop_assert_eq!(passed, bytes);
            }
        }
    }

    #[test]
    fn white_space_without_end_is_left_to_the_reader() {
        let blanks = vec![b'\n'; INSPECTED_BYTES + 5];
        let bytes = [&blanks[..], b">a\nACGT\n"].concat();
        assert_eq!(passed(bytes.clone()).unwrap(), bytes);
        // The reader refuses it when it comes there.
        let bytes = [&blanks[..], b"BAM"].concat();
        assert_eq!(passed(bytes.clone()).unwrap(), bytes);
    }
}
