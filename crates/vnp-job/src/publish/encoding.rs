//! How the bytes of an output are stored: as they are, or as BGZF.

use std::io::{self, BufWriter, Write};

use noodles_bgzf as bgzf;

/// How an output is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As it is written.
    #[default]
    None,
    /// In blocks of gzip (BGZF, as `bgzip` writes it), which every reader of gzip reads, and indexes seek in.
    Bgzf,
}

/// A writer that stores what it is given in one way or the other.
#[derive(Debug)]
pub(super) enum Encoder<W: Write> {
    Plain(BufWriter<W>),
    Bgzf(bgzf::io::Writer<W>),
}

impl<W: Write> Encoder<W> {
    pub(super) fn new(inner: W, compression: Compression) -> Self {
        match compression {
            Compression::None => Self::Plain(BufWriter::with_capacity(1 << 16, inner)),
            Compression::Bgzf => Self::Bgzf(bgzf::io::Writer::new(inner)),
        }
    }

    /// Writes what is buffered, and the end mark of BGZF.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(writer) => writer.into_inner().map_err(io::IntoInnerError::into_error),
            Self::Bgzf(writer) => writer.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(writer) => writer.write(buffer),
            Self::Bgzf(writer) => writer.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(writer) => writer.flush(),
            Self::Bgzf(writer) => writer.flush(),
        }
    }
}
