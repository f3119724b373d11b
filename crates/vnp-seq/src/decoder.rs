//! Decoders of compressed inputs.

mod bz2;
pub(crate) mod ending;
pub(crate) mod fault;
mod gzip;
mod xz;

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use self::bz2::Bzip2;
use self::ending::{Ending, warn_incomplete};
use self::gzip::Gzip;
use self::xz::Xz;
use crate::compression::{Compression, PREFIX_BYTES, detect};
use crate::error::Error;
use crate::foreign::open_file;
use crate::lookahead::Lookahead;

/// Opens a file for reading its decompressed content: for formats that other crates parse.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened, [`Error::Unsupported`] if it is neither a file nor a pipe. Reading a truncated or damaged stream ends in an I/O error.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("table.tsv");
/// std::fs::write(&path, "id\tlabel\n")?;
/// let mut text = String::new();
/// std::io::Read::read_to_string(&mut vnp_seq::open_decompressed(&path)?, &mut text)?;
/// assert_eq!(text, "id\tlabel\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn open_decompressed(path: &Path) -> Result<Box<dyn Read + Send>, Error> {
    let io = |cause| Error::Io { path: path.to_owned(), cause };
    let mut file = open_file(path, path)?;
    let mut prefix = Vec::new();
    file.by_ref().take(PREFIX_BYTES).read_to_end(&mut prefix).map_err(io)?;
    let compression = detect(&prefix);
    let (text, ending) =
        decoder(path, compression, Box::new(Cursor::new(prefix).chain(file))).map_err(io)?;
    Ok(Box::new(WarnsAtEnd { text, ending, path: path.to_owned() }))
}

/// A reader of the decompressed `source`, which warnings call `path`, and how it ended.
pub(crate) fn decoder(
    path: &Path,
    compression: Compression,
    source: Box<dyn Read + Send>,
) -> io::Result<(Box<dyn Read + Send>, Ending)> {
    let ending = Ending::default();
    let text: Box<dyn Read + Send> = match compression {
        Compression::Plain => source,
        Compression::Gzip | Compression::Bgzf => {
            Box::new(Gzip::new(Lookahead::new(source), ending.clone()))
        }
        Compression::Bzip2 => Box::new(Bzip2::new(Lookahead::new(source), path.to_owned())),
        Compression::Xz => Box::new(Xz::new(Lookahead::new(source))),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(source)?),
    };
    Ok((text, ending))
}

/// Decompressed text that warns at its end if it may be truncated.
struct WarnsAtEnd {
    text: Box<dyn Read + Send>,
    ending: Ending,
    path: PathBuf,
}

impl Read for WarnsAtEnd {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.text.read(buf)?;
        if count == 0 && self.ending.is_incomplete() {
            warn_incomplete(&self.path);
        }
        Ok(count)
    }
}
