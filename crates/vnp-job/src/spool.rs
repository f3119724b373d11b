//! Inputs that can be read only once, copied so that a job can read them again.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, io_at};
use crate::stop::StopFlag;

/// How the name of a copied stream begins, which messages about the input will show.
pub(crate) const SPOOLED: &str = "standard-input-";
/// Bytes copied between two checks of the stop flag.
const STEP_BYTES: usize = 1 << 20;

/// One input of a job.
pub enum Input {
    /// A file, plain or compressed.
    File(PathBuf),
    /// A stream that can be read once, such as standard input: it is copied below the output
    /// directory first, because a job reads its input more than once.
    Stream(Box<dyn Read + Send>),
}

impl Input {
    /// How the input is called on a command line and in tables.
    #[must_use]
    pub fn name(&self) -> OsString {
        match self {
            Self::File(path) => path.clone().into_os_string(),
            Self::Stream(_) => "-".into(),
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// The inputs of a session as files that can be read again. Streams, and files that are pipes, are
/// copied into a scratch directory; the copies go with this value, because a session that resumes
/// is given its stream again.
#[derive(Debug)]
pub struct Spool {
    paths: Vec<PathBuf>,
    _copies: Vec<tempfile::NamedTempFile>,
}

impl Spool {
    /// Copies into `scratch` what can be read only once.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Interrupted`] when a stop was requested meanwhile.
    pub fn new(inputs: Vec<Input>, scratch: &Path, stop: &StopFlag) -> Result<Self, Error> {
        let mut paths = Vec::new();
        let mut copies = Vec::new();
        for input in inputs {
            let mut stream: Box<dyn Read> = match input {
                Input::File(path) if is_pipe(&path) => Box::new(fs_err::File::open(path)?),
                Input::File(path) => {
                    paths.push(path);
                    continue;
                }
                Input::Stream(stream) => stream,
            };
            let copy = copy(&mut stream, scratch, stop)?;
            paths.push(copy.path().to_owned());
            copies.push(copy);
        }
        Ok(Self { paths, _copies: copies })
    }

    /// The files, in the order of the inputs.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }
}

/// Whether a path can be read only once, such as a shell's `<(…)`.
fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

fn copy(
    stream: &mut dyn Read,
    scratch: &Path,
    stop: &StopFlag,
) -> Result<tempfile::NamedTempFile, Error> {
    let mut copy = tempfile::Builder::new()
        .prefix(SPOOLED)
        .tempfile_in(scratch)
        .map_err(|error| io_at("write", scratch, &error))?;
    let mut buffer = vec![0; STEP_BYTES];
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(0) => return Ok(copy),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error.into()),
        };
        stop.check()?;
        // A reader that claims more than the buffer holds breaks its own contract.
        let bytes =
            buffer.get(..count).ok_or(io::ErrorKind::InvalidData).map_err(io::Error::from)?;
        copy.write_all(bytes).map_err(|error| io_at("write", copy.path(), &error))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_becomes_a_file_for_as_long_as_the_session() {
        let dir = tempfile::tempdir().unwrap();
        let inputs = || {
            let stream = Input::Stream(Box::new(&b">x\nACGT\n"[..]));
            vec![Input::File("a.fa".into()), stream]
        };
        let stop = StopFlag::default();
        let spool = Spool::new(inputs(), dir.path(), &stop).unwrap();
        let [file, copy] = spool.paths() else { panic!("{spool:?}") };
        assert_eq!(file, Path::new("a.fa"));
        assert_eq!(std::fs::read(copy).unwrap(), b">x\nACGT\n");
        drop(spool);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        stop.request(15);
        let Err(Error::Interrupted(interrupted)) = Spool::new(inputs(), dir.path(), &stop) else {
            panic!("not interrupted")
        };
        assert_eq!(interrupted.signal, 15);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
