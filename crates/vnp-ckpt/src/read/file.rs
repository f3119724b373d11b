//! A file whose header has been read, and whose payloads have not.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use super::container::{BoxedPieces, Container, Origin};
use crate::tensor::block::{Block, mapped::MappedFile};
use crate::{Checkpoint, Encoding, Error, Header, Integrity, Section, Tensor};

/// A checkpoint file, open: what it says about itself is known, its payloads are read when they
/// are asked for.
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
    length_bytes: u64,
    /// What can be mapped: `None` where the bytes are no file of their own.
    file: Option<File>,
}

impl CheckpointFile {
    pub(crate) fn new(container: Box<dyn Container>, origin: Origin<'_>) -> Self {
        let Origin { path, length_bytes, .. } = origin;
        Self { container, path: path.to_owned(), length_bytes, file: None }
    }

    /// Adds a handle of the very file that is read.
    pub(crate) fn with_file(self, file: File) -> Self {
        Self { file: Some(file), ..self }
    }

    /// What the file says about itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        self.container.header()
    }

    /// What proves that its payloads are what was written.
    #[must_use]
    pub fn integrity(&self) -> Integrity {
        self.container.integrity()
    }

    /// Reads the ids, one a row, and compares what proves them.
    ///
    /// # Errors
    /// As [`load_with_compatibility`](crate::load_with_compatibility).
    pub fn ids(&mut self) -> Result<Vec<String>, Error> {
        self.container.ids()
    }

    /// Reads the tensor of this name and compares what proves it; the rest of the file is not
    /// read. `None` when there is none.
    ///
    /// # Errors
    /// As [`load_with_compatibility`](crate::load_with_compatibility).
    pub fn tensor(&mut self, name: &str) -> Result<Option<Tensor>, Error> {
        let sections = &self.header().sections;
        let place = sections.iter().position(|section| {
            section.name == name && matches!(section.encoding, Encoding::Tensor { .. })
        });
        place.map(|place| self.container.tensor(place)).transpose()
    }

    /// Reads everything that something proves and compares, keeping nothing.
    ///
    /// # Errors
    /// As [`load_with_compatibility`](crate::load_with_compatibility); ids and tensors are not
    /// looked into.
    pub fn verify(&mut self) -> Result<(), Error> {
        self.container.verify()
    }

    /// Reads everything a piece at a time, comparing with what proves it, in bounded memory: the
    /// ids, and of a native file a few hundred kilobytes. Each piece of a tensor, a whole number
    /// of elements, is given to `each` with its section, in order, **before** the whole of it
    /// is known to be right: what was learned from the pieces is worth nothing when this fails.
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
        let sections = self.header().sections.clone();
        self.container.scan(&mut |place, bytes| {
            if let Some(section) = sections.get(place) {
                each(section, bytes);
            }
        })
    }

    /// Reads everything, compared with what proves it.
    ///
    /// # Errors
    /// As [`load_with_compatibility`](crate::load_with_compatibility).
    pub fn load(self) -> Result<Checkpoint, Error> {
        self.announce();
        self.container.load()
    }

    /// Reads everything, compared with what proves it, without a copy: the tensors of a native
    /// file are the file's own pages, which the system takes back where memory is short. So a
    /// file may be larger than memory, and several processes share one copy of it. The tensors of
    /// other formats, and what has no file of its own, are [loaded](Self::load).
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
        let Some(file) = self.file else {
            return self.container.load();
        };
        let pages = MappedFile::new(&file)
            .map_err(|source| Error::Io { path: self.path.clone(), source })?;
        let found_bytes = pages.bytes().len() as u64;
        if found_bytes < self.length_bytes {
            // The length was right when the file was opened: it shrank since.
            let expected_bytes = self.length_bytes;
            return Err(Error::Truncated { path: self.path, expected_bytes, found_bytes });
        }
        self.container.map(Arc::new(Block::File(pages)))
    }

    /// Reads the rows a few at a time: each piece is a checkpoint of `rows` rows (the last one of
    /// what is left; 0 counts as 1) with their ids and row tensors, and without the free
    /// tensors. For files that do not fit into memory and must not be [mapped](Self::map).
    ///
    /// Nothing is given away that was not verified: a native file is read twice, the first time
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
        self.container.pieces(rows.max(1)).map(Pieces)
    }

    /// Says that the contents are about to be read, whichever way.
    fn announce(&self) {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy();
        log::info!("Loading checkpoint v{}: {name}", self.header().version);
    }
}

/// The rows of a file, a few at a time: made by [`CheckpointFile::pieces`].
#[must_use = "pieces are read when they are asked for"]
pub struct Pieces(BoxedPieces);

impl Iterator for Pieces {
    type Item = Result<Checkpoint, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.0.next()?;
        if piece.is_err() {
            self.0 = Box::new(std::iter::empty());
        }
        Some(piece)
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
