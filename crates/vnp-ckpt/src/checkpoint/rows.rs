//! A checkpoint row by row.

use std::ops::Range;

use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::header::{Encoding, Section};
use crate::rows::RowRange;
use crate::tensor::Tensor;
use crate::tensor::element::Element;

/// One row: its id and its slice of every row tensor.
///
/// ```
/// use vnp_ckpt::{Checkpoint, RowRange, Tensor};
///
/// let checkpoint = Checkpoint::builder("scores")
///     .rows(RowRange::new(8, 10))
///     .ids(vec!["a".into(), "b".into()])
///     .tensor("scores", Tensor::from_f32([2, 2], vec![0.25, 0.75, 1.0, 0.0])?)
///     .tensor("status", Tensor::from_u8([2], vec![0, 1])?)
///     .build()?;
/// let row = checkpoint.iter_rows().last().unwrap();
/// assert_eq!((row.number(), row.id()), (9, "b"));
/// assert_eq!(row.values::<f32>("scores")?, [1.0, 0.0]);
/// assert_eq!(row.values::<u8>("status")?, [1]);
/// # Ok::<(), vnp_ckpt::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Row<'c> {
    checkpoint: &'c Checkpoint,
    /// Counted from the checkpoint's first row.
    index: usize,
}

impl<'c> Row<'c> {
    /// Which row of the stage it is: the first is the start of
    /// [`Checkpoint::rows`](crate::Checkpoint::rows).
    #[must_use]
    pub fn number(&self) -> u64 {
        self.checkpoint.rows().start + self.index as u64
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &'c str {
        self.checkpoint.ids().get(self.index).map_or("", String::as_str)
    }

    /// Its elements of the row tensor of this name, in row-major order: for a tensor
    /// `[rows, a, b]` they are `a * b`.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchTensor`] when no row tensor has this name; [`ErrorKind::WrongDtype`] when it
    /// holds another type.
    pub fn values<T: Element>(&self, name: &str) -> Result<&'c [T], Error> {
        let tensor = self.checkpoint.row_tensor(name)?;
        Ok(self.row_of(tensor.values::<T>()?))
    }

    /// The bytes of its elements, whatever they are: little-endian, in row-major order.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchTensor`] when no row tensor has this name.
    pub fn bytes(&self, name: &str) -> Result<&'c [u8], Error> {
        let tensor = self.checkpoint.row_tensor(name)?;
        Ok(self.row_of(tensor.bytes()))
    }

    /// Its part of the elements or bytes of a row tensor.
    #[expect(clippy::indexing_slicing, reason = "a row tensor has as many rows as there are ids")]
    fn row_of<T>(&self, all: &'c [T]) -> &'c [T] {
        let row = all.len() / self.checkpoint.ids().len();
        &all[self.index * row..(self.index + 1) * row]
    }
}

/// The rows of a checkpoint, in order: made by
/// [`Checkpoint::iter_rows`](crate::Checkpoint::iter_rows).
#[derive(Clone, Debug)]
#[must_use = "an iterator does nothing until it is asked"]
pub struct Rows<'c> {
    checkpoint: &'c Checkpoint,
    indices: Range<usize>,
}

impl<'c> Rows<'c> {
    fn row(&self, index: usize) -> Row<'c> {
        Row { checkpoint: self.checkpoint, index }
    }
}

impl<'c> Iterator for Rows<'c> {
    type Item = Row<'c>;

    fn next(&mut self) -> Option<Row<'c>> {
        self.indices.next().map(|index| self.row(index))
    }

    fn nth(&mut self, n: usize) -> Option<Row<'c>> {
        self.indices.nth(n).map(|index| self.row(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.indices.size_hint()
    }
}

impl DoubleEndedIterator for Rows<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.indices.next_back().map(|index| self.row(index))
    }
}

impl ExactSizeIterator for Rows<'_> {}

impl Checkpoint {
    /// The rows one by one, each with its id and its slice of every row tensor.
    pub fn iter_rows(&self) -> Rows<'_> {
        Rows { checkpoint: self, indices: 0..self.ids().len() }
    }

    /// At most `length` rows from the row with this index on, without free tensors.
    pub(crate) fn slice(&self, start: u64, length: u64) -> Result<Self, ErrorKind> {
        let rows = self.rows();
        let end = start.saturating_add(length).min(rows.len());
        let wrong = |what: &str| {
            let found = "fewer, or no memory for them";
            ErrorKind::inconsistent(what, format!("rows {start}..{end}"), found)
        };
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let range = range.map(|(start, end)| start..end).ok_or_else(|| wrong("rows"))?;
        let ids = self.ids().get(range.clone()).ok_or_else(|| wrong("ids"))?.to_vec();
        let mut header = self.header().clone();
        header.rows = RowRange::new(rows.start + start, rows.start + end);
        header.sections.retain_mut(|section| match &mut section.encoding {
            Encoding::Strings { count } => {
                *count = range.len() as u64;
                true
            }
            Encoding::Tensor { shape, per_row, .. } => {
                shape.first_mut().into_iter().for_each(|first| *first = range.len());
                *per_row
            }
        });
        let sections = self.header().sections.iter().skip(1);
        let per_row = sections.zip(self.tensors()).filter(|(section, _)| is_per_row(section));
        let tensors = per_row
            .map(|(_, (name, tensor))| tensor.slice(range.clone()).ok_or_else(|| wrong(name)))
            .collect::<Result<_, _>>()?;
        Ok(Self::from_parts(header, ids, tensors))
    }

    /// The row tensor of this name.
    fn row_tensor(&self, name: &str) -> Result<&Tensor, Error> {
        let sections = self.header().sections.iter().skip(1);
        let mut tensors = sections.zip(self.tensors());
        tensors
            .find(|(section, _)| section.name == name && is_per_row(section))
            .map(|(_, (_, tensor))| tensor)
            .ok_or_else(|| ErrorKind::NoSuchTensor { name: name.to_owned() }.into())
    }
}

fn is_per_row(section: &Section) -> bool {
    matches!(section.encoding, Encoding::Tensor { per_row: true, .. })
}
