//! A file whose header has been read, and whose payloads have not.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vnp_escape::escaped_path;

use super::container::{BoxedPieces, Container, Integrity};
use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::header::{Encoding, Header, Section};
use crate::tensor::Tensor;
use crate::tensor::block::{Block, mapped::MappedFile};

/// An open checkpoint file: its header has been read, its payloads are read on request.
///
/// Made by [`Checkpoint::open`]. Of a native file and most PyTorch files that took a time that
/// does not depend on the size of its tensors.
///
/// ```
/// use vnp_ckpt::{Checkpoint, Limits, RowRange, Tensor, atomic_save};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("part.vnp");
/// # let checkpoint = Checkpoint::builder("scores")
/// #     .rows(RowRange::new(0, 1))
/// #     .ids(vec!["read1_chunk_1F1".into()])
/// #     .tensor("scores", Tensor::from_f32([1, 2], vec![0.25, 0.75])?)
/// #     .build()?;
/// # atomic_save(&path, &checkpoint)?;
/// let mut file = Checkpoint::open(&path, &Limits::default())?;
/// assert_eq!(file.header().rows, RowRange::new(0, 1));
/// let scores = file.tensor("scores")?.expect("it is there");
/// assert_eq!(scores.as_f32()?, [0.25, 0.75]);
/// assert!(file.tensor("embedding")?.is_none());
/// # Ok::<(), vnp_ckpt::Error>(())
/// ```
pub struct CheckpointFile {
    container: Box<dyn Container>,
    path: PathBuf,
    /// `None` where the bytes are not a file of their own.
    file: Option<MappableFile>,
}

/// A handle of the very file that is read.
pub(crate) struct MappableFile {
    pub(crate) file: File,
    /// Its length when it was opened.
    pub(crate) length_bytes: u64,
}

impl CheckpointFile {
    pub(crate) fn new(
        container: Box<dyn Container>,
        path: &Path,
        file: Option<MappableFile>,
    ) -> Self {
        Self { container, path: path.to_owned(), file }
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        self.container.header()
    }

    /// The header itself, for a caller that needs nothing else.
    #[must_use]
    pub fn into_header(self) -> Header {
        self.container.into_header()
    }

    /// The kind of checksums that protect its payloads.
    #[must_use]
    pub fn integrity(&self) -> Integrity {
        self.container.integrity()
    }

    /// Reads the ids, one per row, and compares their checksums.
    ///
    /// # Errors
    /// As [`load_with_compatibility`](crate::load_with_compatibility).
    pub fn ids(&mut self) -> Result<Vec<String>, Error> {
        self.container.ids().map_err(|kind| kind.in_file(&self.path))
    }

    /// Reads the tensor of this name and compares its checksums; the rest of the file is not
    /// read. `None` when there is none.
    ///
    /// # Errors
    /// As [`load_with_compatibility`](crate::load_with_compatibility).
    pub fn tensor(&mut self, name: &str) -> Result<Option<Tensor>, Error> {
        let sections = &self.header().sections;
        let index = sections.iter().position(|section| {
            section.name == name && matches!(section.encoding, Encoding::Tensor { .. })
        });
        let tensor = index.map(|index| self.container.tensor(index)).transpose();
        tensor.map_err(|kind| kind.in_file(&self.path))
    }

    /// Reads everything that something proves and compares, keeping nothing.
    ///
    /// # Errors
    /// As [`load_with_compatibility`](crate::load_with_compatibility); ids and tensors are not
    /// inspected.
    pub fn verify(&mut self) -> Result<(), Error> {
        self.container.verify().map_err(|kind| kind.in_file(&self.path))
    }

    /// Reads everything a piece at a time, comparing checksums, in bounded memory: the
    /// ids, and of a native file a few hundred kilobytes. Each piece of a tensor, an integer
    /// of elements, is given to `each` with its section, in order, **before** the whole of it
    /// is known to be right: results computed from the pieces are void when this fails. The section is
    /// given without its unknown fields.
    ///
    /// ```
    /// use vnp_ckpt::{Checkpoint, Encoding, Limits};
    /// # use vnp_ckpt::{RowRange, Tensor, atomic_save};
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("part.vnp");
    /// # let checkpoint = Checkpoint::builder("scores")
    /// #     .rows(RowRange::new(0, 1))
    /// #     .ids(vec!["read1_chunk_1F1".into()])
    /// #     .tensor("scores", Tensor::from_f32([1, 2], vec![0.25, f32::NAN])?)
    /// #     .build()?;
    /// # atomic_save(&path, &checkpoint)?;
    /// let mut all_finite = true;
    /// let ids = Checkpoint::open(&path, &Limits::default())?.scan(|section, bytes| {
    ///     if let Encoding::Tensor { dtype, .. } = section.encoding {
    ///         all_finite &= dtype.first_non_finite(bytes).is_none();
    ///     }
    /// })?;
    /// assert_eq!((ids.len(), all_finite), (1, false));
    /// # Ok::<(), vnp_ckpt::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`load_with_compatibility`](crate::load_with_compatibility).
    pub fn scan(&mut self, mut each: impl FnMut(&Section, &[u8])) -> Result<Vec<String>, Error> {
        self.announce();
        // Without fields that no caller knows, which may be many.
        let sections = self.header().sections.iter().map(|section| Section {
            name: section.name.clone(),
            encoding: section.encoding.clone(),
            unknown: BTreeMap::new(),
            ..*section
        });
        let sections: Vec<_> = sections.collect();
        let scanned = self.container.scan(&mut |index, bytes| {
            if let Some(section) = sections.get(index) {
                each(section, bytes);
            }
        });
        scanned.map_err(|kind| kind.in_file(&self.path))
    }

    /// Reads everything and compares all checksums.
    ///
    /// # Errors
    /// As [`load_with_compatibility`](crate::load_with_compatibility).
    pub fn load(self) -> Result<Checkpoint, Error> {
        self.announce();
        let Self { container, path, .. } = self;
        container.load().map_err(|kind| kind.in_file(&path))
    }

    /// Reads everything and compares all checksums, without a copy: the tensors of a native
    /// file are the file's own pages, which the system takes back where memory is short. So a
    /// file may be larger than memory, and several processes share one copy of it. The tensors of
    /// other formats, and those of streams, are [loaded](Self::load).
    ///
    /// **A mapped file must not be changed in place** while the checkpoint, or a clone of one of
    /// its tensors, is there: values that were verified may become others under the reader's
    /// eyes, which is undefined behaviour, and where the file was shortened the process is stopped
    /// by a signal. This crate never changes a file in place; saving anew under the same name
    /// leaves the mapped one as it is. Where others may write into the file, or it lies on a
    /// network file system that may go away, use [`load`](Self::load).
    ///
    /// ```
    /// use vnp_ckpt::{Checkpoint, Limits};
    /// # use vnp_ckpt::{RowRange, Tensor, atomic_save};
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("part.vnp");
    /// # let checkpoint = Checkpoint::builder("scores")
    /// #     .rows(RowRange::new(0, 1))
    /// #     .ids(vec!["read1_chunk_1F1".into()])
    /// #     .tensor("scores", Tensor::from_f32([1, 2], vec![0.25, 0.75])?)
    /// #     .build()?;
    /// # atomic_save(&path, &checkpoint)?;
    /// let checkpoint = Checkpoint::open(&path, &Limits::default())?.map()?;
    /// for row in checkpoint.iter_rows() {
    ///     let scores: &[f32] = row.values("scores")?;
    ///     assert_eq!((row.id(), scores), ("read1_chunk_1F1", &[0.25, 0.75][..]));
    /// }
    /// # Ok::<(), vnp_ckpt::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`load_with_compatibility`](crate::load_with_compatibility).
    pub fn map(self) -> Result<Checkpoint, Error> {
        self.announce();
        let Self { container, path, file } = self;
        let loaded = match file {
            Some(file) => file.map().and_then(|pages| container.map(pages)),
            None => container.load(),
        };
        loaded.map_err(|kind| kind.in_file(&path))
    }

    /// Reads the rows a few at a time: each piece is a checkpoint of `rows` rows (the last one of
    /// what is left; 0 counts as 1) with their ids and row tensors, and without the free
    /// tensors. For files that do not fit into memory and must not be [mapped](Self::map).
    ///
    /// Only verified pieces are returned: a native file is read twice, the first time
    /// to compare everything with the digests, and each piece must be what it was then. In memory
    /// are the ids and one piece. Other formats are loaded as a whole first.
    ///
    /// ```
    /// use vnp_ckpt::{Checkpoint, Limits, RowRange};
    /// # use vnp_ckpt::{Tensor, atomic_save};
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("part.vnp");
    /// # let checkpoint = Checkpoint::builder("scores")
    /// #     .rows(RowRange::new(4, 7))
    /// #     .ids(vec!["a".into(), "b".into(), "c".into()])
    /// #     .tensor("scores", Tensor::from_f32([3, 2], vec![0.5; 6])?)
    /// #     .build()?;
    /// # atomic_save(&path, &checkpoint)?;
    /// let mut found = Vec::new();
    /// for piece in Checkpoint::open(&path, &Limits::default())?.pieces(2)? {
    ///     let piece = piece?;
    ///     found.push(piece.rows());
    ///     for row in piece.iter_rows() {
    ///         println!("{} {:?}", row.id(), row.values::<f32>("scores")?);
    ///     }
    /// }
    /// assert_eq!(found, [RowRange::new(4, 6), RowRange::new(6, 7)]);
    /// # Ok::<(), vnp_ckpt::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`load_with_compatibility`](crate::load_with_compatibility), before the first piece or
    /// with one; after an error there are no more.
    pub fn pieces(self, rows: u64) -> Result<Pieces, Error> {
        self.announce();
        let Self { container, path, .. } = self;
        match container.pieces(rows.max(1)) {
            Ok(pieces) => Ok(Pieces { pieces, path }),
            Err(kind) => Err(kind.in_file(&path)),
        }
    }

    /// Says that the contents are about to be read, whichever way.
    fn announce(&self) {
        let name = Path::new(self.path.file_name().unwrap_or(self.path.as_os_str()));
        log::info!("Loading checkpoint v{}: {}", self.header().version, escaped_path(name));
    }
}

impl MappableFile {
    fn map(&self) -> Result<Arc<Block>, ErrorKind> {
        let pages = MappedFile::new(&self.file).map_err(ErrorKind::io)?;
        let (expected_bytes, found_bytes) = (self.length_bytes, pages.bytes().len() as u64);
        if found_bytes < expected_bytes {
            // The length was right when the file was opened: it shrank since.
            return Err(ErrorKind::Truncated { expected_bytes, found_bytes });
        }
        Ok(Arc::new(Block::File(pages)))
    }
}

/// The rows of a file, a few at a time: made by [`CheckpointFile::pieces`].
#[must_use = "pieces are read when they are asked for"]
pub struct Pieces {
    pieces: BoxedPieces,
    path: PathBuf,
}

impl Iterator for Pieces {
    type Item = Result<Checkpoint, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.pieces.next()?;
        if piece.is_err() {
            self.pieces = Box::new(std::iter::empty());
        }
        Some(piece.map_err(|kind| kind.in_file(&self.path)))
    }
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pieces").finish_non_exhaustive()
    }
}

impl fmt::Debug for CheckpointFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckpointFile")
            .field("header", self.header())
            .field("integrity", &self.integrity())
            .finish_non_exhaustive()
    }
}
