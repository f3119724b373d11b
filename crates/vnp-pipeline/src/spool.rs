use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::directory::UNPUBLISHED;
use crate::error::Error;
use crate::options::Input;

/// The inputs of a session as files. Streams are copied below the checkpoints and the copies go
/// with this value: a session that resumes is given its stream again.
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
            match input {
                Input::File(path) => paths.push(path),
                Input::Stream(mut stream) => {
                    let copy = copy(&mut stream, checkpoints)?;
                    paths.push(copy.path().to_owned());
                    copies.push(copy);
                }
            }
        }
        Ok(Self { paths, _copies: copies })
    }

    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }
}

fn copy(stream: &mut dyn Read, checkpoints: &Path) -> Result<tempfile::NamedTempFile, Error> {
    let copy = tempfile::Builder::new().prefix(UNPUBLISHED).suffix(".stdin").tempfile_in(checkpoints)?;
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
        let inputs = vec![
            Input::File("a.fa".into()),
            Input::Stream(Box::new(&b">x\nACGT\n"[..])),
        ];
        let spool = Spool::of(inputs, dir.path()).unwrap();
        let [file, copy] = spool.paths() else { panic!("{spool:?}") };
        assert_eq!(file, Path::new("a.fa"));
        assert_eq!(std::fs::read(copy).unwrap(), b">x\nACGT\n");
        drop(spool);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
