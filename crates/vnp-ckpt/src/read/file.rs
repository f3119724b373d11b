//! A file whose header has been read, and whose payloads have not.

use std::fmt;

use super::container::Container;
use crate::{Checkpoint, Encoding, Error, Header, Integrity, Tensor};

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
}

impl CheckpointFile {
    pub(crate) fn new(container: Box<dyn Container>) -> Self {
        Self { container }
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

    /// Reads everything, compared with what proves it.
    ///
    /// # Errors
    /// As [`load_with_compatibility`](crate::load_with_compatibility).
    pub fn load(self) -> Result<Checkpoint, Error> {
        self.container.load()
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
