use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, named};
use crate::options::Input;
use crate::stop::StopFlag;

/// Start of a copied stream's file name, which messages about the input will show.
pub(crate) const STREAM: &str = "standard-input-";
/// Bytes copied between two looks at the stop flag.
const STEP_BYTES: usize = 1 << 20;

/// The inputs of a session as files that can be read again. Streams, and files that are pipes, are
/// copied into a scratch directory; the copies go with this value, because a session that resumes
/// is given its stream again.
#[derive(Debug)]
pub(crate) struct Spool {
    paths: Vec<PathBuf>,
    _copies: Vec<tempfile::NamedTempFile>,
}

impl Spool {
    /// `None` when a stop was asked for.
    pub(crate) fn of(
        inputs: Vec<Input>,
        scratch: &Path,
        stop: &StopFlag,
    ) -> Result<Option<Self>, Error> {
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
            let Some(copy) = copy(&mut stream, scratch, stop)? else { return Ok(None) };
            paths.push(copy.path().to_owned());
            copies.push(copy);
        }
        Ok(Some(Self { paths, _copies: copies }))
    }

    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }
}

/// Whether a path is something that can be read only once, such as a shell's `<(…)`.
fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

fn copy(
    stream: &mut dyn Read,
    scratch: &Path,
    stop: &StopFlag,
) -> Result<Option<tempfile::NamedTempFile>, Error> {
    let mut copy = tempfile::Builder::new()
        .prefix(STREAM)
        .tempfile_in(scratch)
        .map_err(|error| named(scratch, &error))?;
    let mut buffer = vec![0; STEP_BYTES];
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(0) => return Ok(Some(copy)),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error.into()),
        };
        if stop.requested().is_some() {
            return Ok(None);
        }
        copy.write_all(buffer.get(..count).unwrap_or_default())
            .map_err(|error| named(copy.path(), &error))?;
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
        let spool = Spool::of(inputs(), dir.path(), &stop).unwrap().unwrap();
        let [file, copy] = spool.paths() else { panic!("{spool:?}") };
        assert_eq!(file, Path::new("a.fa"));
        assert_eq!(std::fs::read(copy).unwrap(), b">x\nACGT\n");
        drop(spool);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        stop.request(15);
        assert!(Spool::of(inputs(), dir.path(), &stop).unwrap().is_none());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
