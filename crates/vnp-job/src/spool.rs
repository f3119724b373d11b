//! Inputs that can be read only once, copied so that a job can read them again.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use vnp_ckpt::temporaries::{TemporaryFile, TemporaryName};

use crate::error::{Error, Refusal, io_at};
use crate::stop::StopFlag;

/// How the name of a copied stream begins, which messages about the input will show.
pub(crate) const SPOOLED: &str = "standard-input-";
/// Copies of such names.
pub(crate) const SPOOLED_NAME: TemporaryName = TemporaryName::new(SPOOLED);
/// The mode of a copy: what a user pipes in is not for others to read.
const PRIVATE: u32 = 0o600;
/// Bytes that are read at most at a time.
const STEP_BYTES: usize = 1 << 20;
/// How long a stop may go unseen while a stream gives nothing.
const PATIENCE: Duration = Duration::from_millis(100);

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

/// Opens an input that can be read once: a stream, or a file that is not a regular one. It refuses what
/// the job cannot read, by the first bytes, so that nothing else is copied.
pub type OpenStream = fn(Input) -> Result<Box<dyn Read + Send>, Refusal>;

/// One input of a session as a file that can be read again. A stream, or a file that is a pipe, is copied
/// into a scratch directory; the copy goes with this value, because a session that resumes is given its
/// stream again.
#[derive(Debug)]
pub struct SpooledInput {
    path: PathBuf,
    name: PathBuf,
    _copy: Option<TemporaryFile>,
}

impl SpooledInput {
    /// Copies into `scratch` what can be read only once.
    ///
    /// # Errors
    /// [`Error::Input`] when `open` refuses it; [`Error::Io`]; [`Error::Interrupted`] when a stop was
    /// requested meanwhile.
    pub fn new(
        input: Input,
        open: OpenStream,
        scratch: &Path,
        stop: &StopFlag,
    ) -> Result<Self, Error> {
        let name = match &input {
            Input::File(path) => path.clone(),
            Input::Stream(_) => "standard input".into(),
        };
        let stream = match input {
            Input::File(path) if !is_special(&path) => return Ok(Self { path, name, _copy: None }),
            stream => read_elsewhere(stream, open)?,
        };
        let copy = copy(&stream, &name, scratch, stop)?;
        Ok(Self { path: copy.path().to_owned(), name, _copy: Some(copy) })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What messages call the input, also one that was copied.
    #[must_use]
    pub fn name(&self) -> &Path {
        &self.name
    }
}

/// The inputs of a session, each as a [`SpooledInput`].
#[derive(Debug)]
pub struct Spool {
    paths: Vec<PathBuf>,
    names: Vec<PathBuf>,
    _inputs: Vec<SpooledInput>,
}

impl Spool {
    /// Copies into `scratch` what can be read only once.
    ///
    /// # Errors
    /// Those of [`SpooledInput::new`].
    pub fn new(
        inputs: Vec<Input>,
        open: OpenStream,
        scratch: &Path,
        stop: &StopFlag,
    ) -> Result<Self, Error> {
        let inputs = inputs.into_iter().map(|input| SpooledInput::new(input, open, scratch, stop));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            paths: inputs.iter().map(|input| input.path.clone()).collect(),
            names: inputs.iter().map(|input| input.name.clone()).collect(),
            _inputs: inputs,
        })
    }

    /// The files, in the order of the inputs.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// What messages call the inputs, also those that were copied.
    #[must_use]
    pub fn names(&self) -> &[PathBuf] {
        &self.names
    }
}

/// Whether a path can be read only once, such as a shell's `<(…)`, or not at all, such as a socket.
fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// What a stream gave: some bytes, none at its end, or an error.
type Piece = Result<io::Result<Vec<u8>>, Refusal>;

/// Reads a stream on a thread of its own, which may wait there for a writer that sends nothing. The thread
/// ends with the stream, with the receiver, or with the process.
fn read_elsewhere(input: Input, open: OpenStream) -> io::Result<Receiver<Piece>> {
    let (sender, pieces) = sync_channel(1);
    thread::Builder::new().name("vnp input".to_owned()).spawn(move || {
        // Also the opening: that of a named pipe waits for its writer.
        match open(input) {
            Ok(stream) => send_all(stream, &sender),
            Err(refusal) => drop(sender.send(Err(refusal))),
        }
    })?;
    Ok(pieces)
}

fn send_all(mut stream: Box<dyn Read + Send>, sender: &SyncSender<Piece>) {
    let mut buffer = vec![0; STEP_BYTES];
    loop {
        let piece = match stream.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // A reader that claims more than the buffer holds breaks its own contract.
            read => read.and_then(|count| {
                buffer.get(..count).map(<[u8]>::to_vec).ok_or(io::ErrorKind::InvalidData.into())
            }),
        };
        let is_last = !matches!(&piece, Ok(bytes) if !bytes.is_empty());
        if sender.send(Ok(piece)).is_err() || is_last {
            return;
        }
    }
}

/// Copies the stream that messages call `name`.
fn copy(
    pieces: &Receiver<Piece>,
    name: &Path,
    scratch: &Path,
    stop: &StopFlag,
) -> Result<TemporaryFile, Error> {
    let mut copy =
        SPOOLED_NAME.file(scratch, PRIVATE).map_err(|error| io_at("write", scratch, &error))?;
    loop {
        let piece = pieces.recv_timeout(PATIENCE);
        stop.check()?;
        match piece {
            Ok(bytes) => {
                let bytes =
                    bytes.map_err(Error::Input)?.map_err(|error| io_at("read", name, &error))?;
                if bytes.is_empty() {
                    return Ok(copy);
                }
                let error = |error: io::Error| io_at("copy an input into", scratch, &error);
                copy.write_all(&bytes).map_err(error)?;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other("the reader of the input has ended").into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(input: Input) -> Result<Box<dyn Read + Send>, Refusal> {
        match input {
            Input::File(path) => {
                Err(format!("{} is refused", vnp_escape::escaped_path(&path)).into())
            }
            Input::Stream(stream) => Ok(stream),
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_refused_is_not_copied() {
        let dir = tempfile::tempdir().unwrap();
        let input = Input::File("/dev/zero".into());
        let refused = SpooledInput::new(input, open, dir.path(), &StopFlag::default());
        let Err(Error::Input(refusal)) = refused else { panic!("{refused:?}") };
        assert_eq!(refusal.to_string(), "/dev/zero is refused");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_stream_becomes_a_file_for_as_long_as_the_session() {
        let dir = tempfile::tempdir().unwrap();
        let inputs = || {
            let stream = Input::Stream(Box::new(&b">x\nACGT\n"[..]));
            vec![Input::File("a.fa".into()), stream]
        };
        let stop = StopFlag::default();
        let spool = Spool::new(inputs(), open, dir.path(), &stop).unwrap();
        let [file, copy] = spool.paths() else { panic!("{spool:?}") };
        assert_eq!(file, Path::new("a.fa"));
        assert_eq!(std::fs::read(copy).unwrap(), b">x\nACGT\n");
        drop(spool);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        stop.request(15);
        let Err(Error::Interrupted(interrupted)) = Spool::new(inputs(), open, dir.path(), &stop)
        else {
            panic!("not interrupted")
        };
        assert_eq!(interrupted.signal, 15);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    /// A stream that gives a few bytes and then nothing, as a pipe whose writer waits.
    struct Idle(bool);

    impl Read for Idle {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                thread::sleep(Duration::from_secs(600));
            }
            buffer[0] = b'>';
            Ok(1)
        }
    }

    #[test]
    fn a_stop_is_seen_while_a_stream_gives_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let stop = StopFlag::default();
        let began = std::time::Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(50));
                stop.request(15);
            });
            let inputs = vec![Input::Stream(Box::new(Idle(false)))];
            let ended = Spool::new(inputs, open, dir.path(), &stop);
            assert!(matches!(ended, Err(Error::Interrupted(_))), "{ended:?}");
        });
        assert!(began.elapsed() < Duration::from_secs(60));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_error_of_a_stream_is_reported() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("no more"))
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let inputs = vec![Input::Stream(Box::new(Broken))];
        let error = Spool::new(inputs, open, dir.path(), &StopFlag::default()).unwrap_err();
        assert_eq!(error.to_string(), "failed to read `standard input`: no more");
    }
}
