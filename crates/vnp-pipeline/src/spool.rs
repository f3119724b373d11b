use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::directory::UNPUBLISHED;
use crate::error::Error;
use crate::options::Input;

/// The inputs of a session as files that can be read again. Streams, and files that are pipes, are
/// copied below the checkpoints; the copies go with this value, because a session that resumes is
/// given its stream again.
#[derive(Debug)]
pub(crate) struct Spool {
    paths: Vec<PathBuf>,
    _copies: Vec<tempfile::NamedTempFile>,
}

impl Spool {
    pub(crate) fn of(inputs: Vec<Input>, checkpoints: &Path) -> Result<Self, Error> {
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
            let copy = copy(&mut stream, checkpoints)?;
            paths.push(copy.path().to_owned());
            copies.push(copy);
        }
        Ok(Self { paths, _copies: copies })
    }

    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }
}

/// Whether a path is something that can be read only once, such as a shell's `<(…)`.
fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

fn copy(stream: &mut dyn Read, checkpoints: &Path) -> Result<tempfile::NamedTempFile, Error> {
    let copy =
        tempfile::Builder::new().prefix(UNPUBLISHED).suffix(".stdin").tempfile_in(checkpoints)?;
    let mut writer = BufWriter::new(copy.as_file());
    std::io::copy(stream, &mut writer)?;
    writer.flush()?;
    drop(writer);
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_becomes_a_file_for_as_long_as_the_session() {
        let dir = tempfile::tempdir().unwrap();
        let inputs = vec![Input::File("a.fa".into()), Input::Stream(Box::new(&b">x\nACGT\n"[..]))];
        let spool = Spool::of(inputs, dir.path()).unwrap();
        let [file, copy] = spool.paths() else { panic!("{spool:?}") };
        assert_eq!(file, Path::new("a.fa"));
        assert_eq!(std::fs::read(copy).unwrap(), b">x\nACGT\n");
        drop(spool);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
