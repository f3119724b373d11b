//! The reader of native files, version 1.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::container::{BoxedPieces, Container, Input, Integrity, Origin};
use super::payload::Source;
use crate::digest::Digest;
use crate::header::layout;
use crate::header::preamble::{PREAMBLE_BYTES, Preamble};
use crate::header::{Encoding, Header, Section};
use crate::tensor::block::Block;
use crate::{Checkpoint, Error, Limits, Tensor};

mod mapped;
mod pieces;
mod texts;

use pieces::NativePieces;
use texts::Texts;

/// Reads everything before the first payload of a file of `actual_bytes`.
pub(crate) fn open<R: Read>(
    mut reader: R,
    path: &Path,
    actual_bytes: u64,
    limits: &Limits,
) -> Result<(Header, Source<R>), Error> {
    let preamble = Preamble::read(&mut reader, path, actual_bytes, limits)?;
    let mut source = Source::new(reader, path, PREAMBLE_BYTES, preamble.file_bytes);
    // The preamble has compared this length with the file and the limits.
    let mut bytes = vec![0; usize::try_from(preamble.header_bytes).unwrap_or_default()];
    source.fill(&mut bytes)?;
    if Digest::of(&bytes) != preamble.header_digest {
        let section = "header".to_owned();
        return Err(Error::DigestMismatch { path: path.to_owned(), section });
    }
    let header = Header::decode(&bytes, path, &preamble.version(), limits)?;
    layout::check_read(&header, path, source.position(), preamble.file_bytes, limits)?;
    source.padding()?;
    Ok((header, source))
}

/// A native file whose header was read.
pub(crate) struct NativeFile<R> {
    header: Header,
    source: Source<R>,
}

impl<R: Input> NativeFile<R> {
    pub(crate) fn open(reader: R, origin: Origin<'_>) -> Result<Self, Error> {
        let (header, source) = open(reader, origin.path, origin.length_bytes, origin.limits)?;
        Ok(Self { header, source })
    }

    fn no_such(&self, place: usize, expected: &str) -> Error {
        Error::Inconsistent {
            path: Some(self.source.path().to_owned()),
            subject: format!("section {place}"),
            expected: expected.to_owned(),
            found: "none".to_owned(),
        }
    }
}

impl<R: Input + 'static> Container for NativeFile<R> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn integrity(&self) -> Integrity {
        Integrity::Digests
    }

    fn ids(&mut self) -> Result<Vec<String>, Error> {
        let Some(section @ Section { encoding: Encoding::Strings { count }, .. }) =
            self.header.sections.first()
        else {
            return Err(self.no_such(0, "the ids"));
        };
        self.source.seek(section)?;
        let block = self.source.block(section)?;
        self.source.padding()?;
        Texts::check(block.bytes(), section, *count, self.source.path())?.to_strings()
    }

    fn tensor(&mut self, place: usize) -> Result<Tensor, Error> {
        let Some(section @ Section { encoding: Encoding::Tensor { dtype, shape, .. }, .. }) =
            self.header.sections.get(place)
        else {
            return Err(self.no_such(place, "a tensor"));
        };
        self.source.seek(section)?;
        let tensor = self.source.tensor(section, *dtype, shape)?;
        self.source.padding()?;
        Ok(tensor)
    }

    fn verify(&mut self) -> Result<(), Error> {
        let Some(section) = self.header.sections.first() else {
            return Err(self.no_such(0, "the ids"));
        };
        self.source.seek(section)?;
        verify(&self.header, &mut self.source)
    }

    fn scan(&mut self, each: &mut dyn FnMut(usize, &[u8])) -> Result<Vec<String>, Error> {
        let ids = self.ids()?;
        for (place, section) in self.header.sections.iter().enumerate().skip(1) {
            self.source.scan(section, |bytes| each(place, bytes))?;
            self.source.padding()?;
        }
        Ok(ids)
    }

    fn map(self: Box<Self>, pages: Arc<Block>) -> Result<Checkpoint, Error> {
        mapped::load(self.header, self.source.path(), &pages)
    }

    fn pieces(self: Box<Self>, rows: u64) -> Result<BoxedPieces, Error> {
        NativePieces::verify(self.header, self.source, rows)
            .map(|pieces| Box::new(pieces) as BoxedPieces)
    }
}

/// Reads the payloads and compares their digests.
pub(crate) fn verify<R: Read>(header: &Header, source: &mut Source<R>) -> Result<(), Error> {
    for section in &header.sections {
        source.skip(section)?;
        source.padding()?;
    }
    Ok(())
}
