//! The one type that every reader yields and every writer takes.

use std::collections::BTreeMap;

use crate::header::{Header, IDS, Producer, Status};
use crate::rows::RowRange;
use crate::tensor::Tensor;
use crate::value::Value;
use crate::version::Version;

pub(crate) mod builder;
pub(crate) mod rows;

/// Ids, named tensors and metadata of a range of rows.
///
/// Ids and rows are counted and paired: there is one id per row, in order, and the first dimension
/// of every row tensor is the number of rows. An id may be any text, and may occur twice.
/// Two checkpoints are equal when all of that is, bit for bit; where it lay in a file does not matter.
///
/// ```
/// use vnp_ckpt::{Checkpoint, RowRange, Tensor};
///
/// let checkpoint = Checkpoint::builder("nucleotide")
///     .rows(RowRange::new(0, 2))
///     .ids(vec!["read1_chunk_1F1".into(), "read1_chunk_1R2".into()])
///     .tensor("embedding", Tensor::from_f32([2, 3], vec![0.5; 6])?)
///     .metadata("expected_length", 500)
///     .build()?;
/// assert_eq!(checkpoint.ids()[1], "read1_chunk_1R2");
/// assert_eq!(checkpoint.tensor("embedding").map(Tensor::shape), Some(&[2, 3][..]));
/// # Ok::<(), vnp_ckpt::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Its sections have names and encodings; their offsets and digests are those of the file that
    /// was read, if any, and are computed again at every save.
    header: Header,
    ids: Vec<String>,
    /// One for each section after the ids.
    tensors: Vec<Tensor>,
}

impl Checkpoint {
    /// The caller has checked the three against each other.
    pub(crate) fn from_parts(header: Header, ids: Vec<String>, tensors: Vec<Tensor>) -> Self {
        Self { header, ids, tensors }
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The version of the file it was read from; [`Version::CURRENT`] for one that was built.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.header.version
    }

    /// Whether all rows were computed.
    #[must_use]
    pub fn status(&self) -> Status {
        self.header.status
    }

    /// The kind of the rows.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.header.kind
    }

    /// Which rows of the stage these are.
    #[must_use]
    pub fn rows(&self) -> RowRange {
        self.header.rows
    }

    /// When it was written: RFC 3339, UTC.
    #[must_use]
    pub fn created(&self) -> &str {
        &self.header.created
    }

    /// The program that wrote it.
    #[must_use]
    pub fn producer(&self) -> &Producer {
        &self.header.producer
    }

    /// Further values that the program stored.
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, Value> {
        &self.header.metadata
    }

    /// Fields of the header that this version does not know; the next save keeps them.
    #[must_use]
    pub fn unknown(&self) -> &BTreeMap<String, Value> {
        &self.header.unknown
    }

    /// The ids, one per row, in order.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// The tensor of this name, row tensor or free.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors().find(|(found, _)| *found == name).map(|(_, tensor)| tensor)
    }

    /// The tensors with their names, in file order.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = (&str, &Tensor)> {
        let names = self.header.sections.iter().skip(1).map(|section| section.name.as_str());
        names.zip(&self.tensors)
    }

    /// The ids and the tensors themselves, for a caller that needs nothing else.
    #[must_use]
    pub fn into_parts(self) -> (Vec<String>, Vec<(String, Tensor)>) {
        debug_assert_eq!(self.header.sections.first().map(|ids| ids.name.as_str()), Some(IDS));
        let names = self.header.sections.into_iter().skip(1).map(|section| section.name);
        (self.ids, names.zip(self.tensors).collect())
    }
}

impl PartialEq for Checkpoint {
    fn eq(&self, other: &Self) -> bool {
        self.ids == other.ids
            && self.tensors == other.tensors
            && self.header.without_offsets() == other.header.without_offsets()
    }
}

impl Eq for Checkpoint {}
