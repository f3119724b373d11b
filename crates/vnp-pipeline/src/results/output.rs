use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::directory::UNPUBLISHED;
use crate::error::{Error, named};

/// What a published file is checked against when a finished run is resumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResultDigest {
    /// Lines below the header, or FASTA records.
    pub(crate) rows: u64,
    /// Size of the file.
    pub(crate) bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub(crate) sha256: String,
}

impl ResultDigest {
    /// The size and digest of a file as it is now; `rows` is taken over.
    pub(crate) fn of_file(path: &Path, rows: u64) -> Result<Self, Error> {
        let mut hasher = Hashing { inner: io::sink(), sha256: Sha256::new(), bytes: 0 };
        io::copy(&mut fs_err::File::open(path)?, &mut hasher)?;
        Ok(hasher.digest(rows))
    }
}

/// A result file in the making: a temporary beside its place, invisible until published.
///
/// A place that is no regular file, such as `/dev/stdout`, is written to directly.
#[derive(Debug)]
pub(crate) struct Output {
    writer: BufWriter<Hashing<Target>>,
    path: PathBuf,
    rows: u64,
}

#[derive(Debug)]
enum Target {
    Temporary(NamedTempFile),
    /// `None` once its reader has seen enough.
    Special(Option<fs_err::File>),
}

impl Output {
    pub(crate) fn create(path: PathBuf) -> Result<Self, Error> {
        let special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
        let inner = if special {
            Target::Special(Some(fs_err::OpenOptions::new().write(true).open(&path)?))
        } else {
            let mut builder = tempfile::Builder::new();
            #[cfg(unix)]
            {
                // Results are for the user's group as any other file: the umask decides.
                use std::os::unix::fs::PermissionsExt;
                builder.permissions(std::fs::Permissions::from_mode(0o666));
            }
            let temporary = builder.prefix(UNPUBLISHED).tempfile_in(directory(&path));
            Target::Temporary(temporary.map_err(|error| named(&path, &error))?)
        };
        let hashing = Hashing { inner, sha256: Sha256::new(), bytes: 0 };
        Ok(Self { writer: BufWriter::with_capacity(1 << 16, hashing), path, rows: 0 })
    }

    /// Writes a line and counts it as a row.
    pub(crate) fn row(&mut self, line: &str) -> Result<(), Error> {
        self.rows += 1;
        self.line(line)
    }

    /// Writes a line that is no row, such as a header.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), Error> {
        self.write_all(line.as_bytes())
            .and_then(|()| self.write_all(b"\n"))
            .map_err(|error| named(&self.path, &error).into())
    }

    /// Writes `rows` rows through `write`.
    pub(crate) fn rows_with(
        &mut self,
        rows: usize,
        write: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> Result<(), Error> {
        self.rows += rows as u64;
        write(self).map_err(|error| named(&self.path, &error).into())
    }

    /// Makes the contents durable, still under the temporary name.
    pub(crate) fn finish(self) -> Result<Finished, Error> {
        let Self { writer, path, rows } = self;
        let hashing = writer.into_inner().map_err(|error| named(&path, error.error()))?;
        if let Target::Temporary(file) = &hashing.inner {
            file.as_file().sync_all().map_err(|error| named(&path, &error))?;
        }
        let digest = hashing.digest(rows);
        Ok(Finished { file: hashing.inner, path, digest })
    }
}

impl Write for Output {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.writer.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A complete and durable file that only lacks its name.
#[derive(Debug)]
pub(crate) struct Finished {
    file: Target,
    path: PathBuf,
    digest: ResultDigest,
}

impl Finished {
    /// Gives the file its name, in place of an earlier one.
    pub(crate) fn publish(self) -> Result<ResultDigest, Error> {
        if let Target::Temporary(file) = self.file {
            file.persist(&self.path).map_err(|error| named(&self.path, &error.error))?;
            fs_err::File::open(directory(&self.path))?.sync_all()?;
        }
        Ok(self.digest)
    }
}

#[derive(Debug)]
struct Hashing<W> {
    inner: W,
    sha256: Sha256,
    bytes: u64,
}

impl<W> Hashing<W> {
    fn digest(&self, rows: u64) -> ResultDigest {
        let sha256 = self.sha256.clone().finalize();
        let sha256 = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        ResultDigest { rows, bytes: self.bytes, sha256 }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.sha256.update(buffer.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Write for Target {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Temporary(file) => file.write(buffer),
            Self::Special(None) => Ok(buffer.len()),
            Self::Special(slot) => match slot.as_mut().map_or(Ok(0), |file| file.write(buffer)) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    *slot = None;
                    Ok(buffer.len())
                }
                written => written,
            },
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Temporary(file) => file.flush(),
            Self::Special(file) => file.as_mut().map_or(Ok(()), Write::flush),
        }
    }
}

/// The directory in which a file lies.
fn directory(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_invisible_until_published() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tsv");
        std::fs::write(&path, "old").unwrap();
        let mut output = Output::create(path.clone()).unwrap();
        output.line("header").unwrap();
        output.row("row").unwrap();
        let finished = output.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        let digest = finished.publish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"header\nrow\n");
        assert_eq!((digest.rows, digest.bytes), (1, 11));
        assert_eq!(ResultDigest::of_file(&path, 1).unwrap(), digest);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_abandoned_file_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut output = Output::create(dir.path().join("a.tsv")).unwrap();
        output.row("row").unwrap();
        drop(output);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn results_are_as_readable_as_other_files() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let plain = dir.path().join("plain");
        std::fs::write(&plain, "").unwrap();
        let path = dir.path().join("a.tsv");
        Output::create(path.clone()).unwrap().finish().unwrap().publish().unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&plain));
    }
}
