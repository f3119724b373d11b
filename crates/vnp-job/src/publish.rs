//! Files and directories that get their names only when they are complete and durable.
//!
//! The order is always: write under a temporary name in the same directory, flush to disk, rename,
//! flush the directory. A crash at any point leaves either the earlier file or the new one.

mod descriptor;
mod digest;
mod encoding;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use vnp_ckpt::temporaries::{TemporaryFile, TemporaryName, Unlockable};
use vnp_escape::escaped_path;

use crate::error::{Error, io_at};
use crate::spool::SPOOLED_NAME;
use digest::Hashing;
use encoding::Encoder;

pub use digest::FileDigest;
pub use encoding::Compression;

/// How the name of a file begins while it is written; [`JobDirectory`](crate::JobDirectory) removes
/// what a killed process left under such a name.
pub const UNPUBLISHED: &str = ".vnp-unpublished-";

/// Files and directories of such names.
pub(crate) const UNPUBLISHED_NAME: TemporaryName = TemporaryName::new(UNPUBLISHED);
/// The name of a directory in its temporary one.
const NEW: &str = "new";
/// The mode of files that the user's group may read as any other: the umask decides.
const PUBLIC: u32 = 0o666;

/// A file that is being written under a temporary name next to its place, invisible until
/// published.
///
/// A place that is not a regular file, such as `/dev/stdout`, is written to directly.
///
/// ```
/// # fn main() -> Result<(), vnp_job::Error> {
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("table.tsv");
/// let mut output = vnp_job::publish::Output::create(path.clone())?;
/// output.line("id\tscore")?;
/// output.row("a\t0.5")?;
/// let complete = output.finish()?;
/// assert!(!path.exists());
/// assert_eq!(complete.publish()?.rows, 1);
/// assert!(path.exists());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Output {
    writer: Encoder<Hashing<Destination>>,
    path: PathBuf,
    rows: u64,
}

#[derive(Debug)]
enum Destination {
    Temporary(TemporaryFile),
    /// `None` once its reader has closed it.
    Special(Option<std::fs::File>),
}

/// Opens a path that is not a regular file, or one that this process has open already, for writing;
/// none for every other path. What names standard output is written where that stands.
///
/// # Errors
/// [`Error::Io`]
pub fn open_special(path: &Path) -> Result<Option<std::fs::File>, Error> {
    if let Some(file) = descriptor::open(path).map_err(|error| io_at("open", path, &error))? {
        return Ok(Some(file));
    }
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        // Errors of writing get the path elsewhere.
        let (file, _) = fs_err::OpenOptions::new().append(true).open(path)?.into_parts();
        return Ok(Some(file));
    }
    Ok(None)
}

/// Whether [`open_special`] opens a path.
#[must_use]
pub fn is_special(path: &Path) -> bool {
    descriptor::number(path).is_some() || path.metadata().is_ok_and(|found| !found.is_file())
}

impl Output {
    /// Begins the file that will be at `path`.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn create(path: PathBuf) -> Result<Self, Error> {
        Self::create_as(path, Compression::None)
    }

    /// Begins the file that will be at `path`, stored in this way.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn create_as(path: PathBuf, compression: Compression) -> Result<Self, Error> {
        let inner = if let Some(file) = open_special(&path)? {
            Destination::Special(Some(file))
        } else {
            let temporary = UNPUBLISHED_NAME.file(parent(&path), PUBLIC);
            Destination::Temporary(temporary.map_err(|error| io_at("write", &path, &error))?)
        };
        let hashing = Hashing::new(inner);
        Ok(Self { writer: Encoder::new(hashing, compression), path, rows: 0 })
    }

    /// Writes a line and counts it as a row.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn row(&mut self, line: impl AsRef<[u8]>) -> Result<(), Error> {
        self.rows += 1;
        self.line(line)
    }

    /// Writes a line that does not count as a row, such as a header.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn line(&mut self, line: impl AsRef<[u8]>) -> Result<(), Error> {
        self.write_all(line.as_ref())?;
        Ok(self.write_all(b"\n")?)
    }

    /// Writes `rows` rows through `write`.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn rows_with(
        &mut self,
        rows: usize,
        write: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> Result<(), Error> {
        self.rows += rows as u64;
        Ok(write(self)?)
    }

    /// Counts rows that were written as a whole.
    pub fn count_rows(&mut self, rows: u64) {
        self.rows += rows;
    }

    /// Makes the contents durable, still under the temporary name.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn finish(self) -> Result<CompleteFile, Error> {
        let Self { writer, path, rows } = self;
        let hashing = writer.finish().map_err(|error| io_at("write", &path, &error))?;
        if let Destination::Temporary(file) = &hashing.inner {
            file.as_file().sync_all().map_err(|error| io_at("write", &path, &error))?;
        }
        let digest = hashing.digest(rows);
        Ok(CompleteFile { file: hashing.inner, path, digest })
    }
}

/// Errors name the file.
impl Write for Output {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.writer.write(buffer).map_err(|error| io_at("write", &self.path, &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush().map_err(|error| io_at("write", &self.path, &error))
    }
}

/// A complete and durable file that only lacks its name.
#[derive(Debug)]
pub struct CompleteFile {
    file: Destination,
    path: PathBuf,
    digest: FileDigest,
}

impl CompleteFile {
    /// Gives the file its name, in place of an earlier one.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn publish(self) -> Result<FileDigest, Error> {
        if let Destination::Temporary(file) = self.file {
            file.persist(&self.path).map_err(|error| io_at("write", &self.path, &error))?;
            sync_directory(parent(&self.path))?;
        }
        Ok(self.digest)
    }
}

/// Publishes a text as one file, in place of an earlier one.
///
/// # Errors
/// [`Error::Io`]
pub fn text(path: &Path, text: &str) -> Result<FileDigest, Error> {
    let mut output = Output::create(path.to_owned())?;
    output.write_all(text.as_bytes())?;
    output.finish()?.publish()
}

/// Publishes a whole directory: `write` fills a temporary one next to it and flushes each file, and each
/// directory below, that it makes; the directory then takes the place of `path`, which `clear_way` has
/// emptied or removed. A crash between these two steps leaves neither the old directory nor the new one:
/// it is for what can be computed again.
///
/// # Errors
/// Those of `write` and `clear_way`; [`Error::Io`].
pub fn directory<T, E: From<Error>>(
    path: &Path,
    prefix: &'static str,
    write: impl FnOnce(&Path) -> Result<T, E>,
    clear_way: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<T, E> {
    let parent = parent(path);
    let io = |error: io::Error| E::from(Error::Io(error));
    fs_err::create_dir_all(parent).map_err(io)?;
    // Removed again when anything below fails.
    let temporary = TemporaryName::new(prefix).directory(parent).map_err(io)?;
    let root = temporary.path().join(NEW);
    fs_err::create_dir(&root).map_err(io)?;
    let written = write(&root)?;
    sync_directory(&root)?;
    clear_way(path)?;
    temporary.publish(NEW, path).map_err(io)?;
    sync_directory(parent)?;
    Ok(written)
}

/// Removes what killed processes left in a directory that is not a job's; what a process holds stays.
///
/// # Errors
/// [`Error::Io`]: the directory cannot be listed.
pub fn sweep_abandoned(directory: &Path) -> Result<(), Error> {
    for name in [UNPUBLISHED_NAME, SPOOLED_NAME] {
        for removed in name.sweep(directory, Unlockable::Stays)? {
            log::debug!("{} was left by a killed process: removed", escaped_path(&removed));
        }
    }
    Ok(())
}

/// Writes a file and flushes it to disk; for files in a directory that is published as a whole.
///
/// # Errors
/// [`Error::Io`]
pub fn durable_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = fs_err::File::create(path)?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}

/// Makes the names in a directory durable, as [`vnp_ckpt::sync_directory`].
///
/// # Errors
/// [`Error::Io`]
pub fn sync_directory(directory: &Path) -> Result<(), Error> {
    Ok(vnp_ckpt::sync_directory(directory)?)
}

/// The directory in which a file lies.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl Write for Destination {
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
        assert_eq!(FileDigest::of_file(&path, 1).unwrap(), digest);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn bgzf_is_gzip_of_the_same_lines_with_an_end_mark() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tsv.gz");
        let mut output = Output::create_as(path.clone(), Compression::Bgzf).unwrap();
        let line = "x".repeat(100_000);
        output.row(&line).unwrap();
        output.row("row").unwrap();
        let digest = output.finish().unwrap().publish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!((digest.rows, digest.bytes), (2, bytes.len() as u64));
        assert_eq!(FileDigest::of_file(&path, 2).unwrap(), digest);
        assert!(bytes.ends_with(b"\x1b\0\x03\0\0\0\0\0\0\0\0\0"));
        let mut text = String::new();
        let mut reader = noodles_bgzf::io::Reader::new(bytes.as_slice());
        io::Read::read_to_string(&mut reader, &mut text).unwrap();
        assert_eq!(text, format!("{line}\nrow\n"));
    }

    #[test]
    fn a_file_that_is_dropped_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut output = Output::create(dir.path().join("a.tsv")).unwrap();
        output.row("row").unwrap();
        drop(output);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("made");
        let put = |bytes: &'static [u8]| {
            directory(
                &path,
                ".new-",
                |root| durable_file(&root.join("file"), bytes),
                |old| match old.exists() {
                    true => Ok(fs_err::remove_dir_all(old)?),
                    false => Ok(()),
                },
            )
        };
        put(b"1").unwrap();
        put(b"2").unwrap();
        assert_eq!(std::fs::read(path.join("file")).unwrap(), b"2");
        let failed: Result<(), Error> = directory(
            &path,
            ".new-",
            |_| Err(io::Error::other("no").into()),
            |_| panic!("the way was cleared for nothing"),
        );
        failed.unwrap_err();
        assert_eq!(std::fs::read(path.join("file")).unwrap(), b"2");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn results_are_as_readable_as_other_files() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let plain = dir.path().join("plain");
        std::fs::write(&plain, "").unwrap();
        let path = dir.path().join("a.tsv");
        text(&path, "x").unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&plain));
    }
}
