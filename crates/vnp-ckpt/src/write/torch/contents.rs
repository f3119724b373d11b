//! The assignment of a checkpoint's contents to the values of a PyTorch file.
//!
//! The top level is what the Python tools write, so that they continue from it: ids, data, version,
//! status. Their form has no room for everything, so the key `vnp` next to it holds the rest,
//! and holds the tensors that have no place of their own.

use std::io::{self, Write};

use super::pickle::tensor::Storage;
use super::pickle::{Memo, Pickler};
use crate::checkpoint::Checkpoint;
use crate::error::kind::ErrorKind;
use crate::header::{Encoding, Section};
use crate::tensor::Tensor;
use crate::tensor::dtype::Dtype;
use crate::version::CHECKPOINT_VERSION;

/// The version of the dict under the key `vnp`.
pub(crate) const FORMAT: u8 = 1;

/// Keys of the top level that no tensor of this name can have.
const TAKEN: [&str; 4] = ["ids", "version", "status", "vnp"];

/// A checkpoint, and the place of each of its tensors.
pub(crate) struct Contents<'c> {
    checkpoint: &'c Checkpoint,
    /// The key of the ids.
    ids: &'static str,
    entries: Vec<Entry<'c>>,
}

struct Entry<'c> {
    section: &'c Section,
    tensor: &'c Tensor,
    destination: Destination,
}

/// Where a tensor goes.
#[derive(Clone, Copy, Debug)]
enum Destination {
    /// `data`: for each row a dict with its id and a list of floats.
    Floats,
    /// `data`: a tensor for each row, all of them views of one storage.
    Rows(Storage),
    /// Under its own name.
    Top(Storage),
    /// Under `vnp`.
    Inside(Storage),
}

impl<'c> Contents<'c> {
    /// Refuses shapes that PyTorch cannot count.
    pub(crate) fn new(checkpoint: &'c Checkpoint) -> Result<Self, ErrorKind> {
        let tensors = || {
            let sections = checkpoint.header().sections.iter().skip(1);
            sections.zip(checkpoint.tensors().map(|(_, tensor)| tensor))
        };
        let main = tensors().find_map(|(section, tensor)| main_of(checkpoint, section, tensor));
        let ids = main.map_or("ids", |(ids, ..)| ids);
        let mut stored = 0;
        let entries = tensors().map(|(section, tensor)| {
            check_shape(section, tensor)?;
            let mut storage = || {
                stored += 1;
                Storage { key: stored - 1, dtype: tensor.dtype(), len: tensor.len() }
            };
            let destination = match main {
                Some((_, name, form)) if name == section.name => match form {
                    Form::Floats => Destination::Floats,
                    Form::Rows => Destination::Rows(storage()),
                    Form::Whole => Destination::Top(storage()),
                },
                Some(_) => Destination::Inside(storage()),
                None if TAKEN.contains(&section.name.as_str()) => Destination::Inside(storage()),
                None => Destination::Top(storage()),
            };
            Ok(Entry { section, tensor, destination })
        });
        let entries = entries.collect::<Result<_, ErrorKind>>()?;
        Ok(Self { checkpoint, ids, entries })
    }

    /// The bytes of the storages, in the order of their keys.
    pub(crate) fn storages(&self) -> impl Iterator<Item = &'c [u8]> {
        let stored = |entry: &&Entry<'_>| !matches!(entry.destination, Destination::Floats);
        self.entries.iter().filter(stored).map(|entry| entry.tensor.bytes())
    }

    /// Writes the pickle; the number of its values.
    pub(crate) fn pickle(&self, out: impl Write) -> io::Result<u64> {
        let mut pickler = Pickler::new(out)?;
        pickler.dict(|pickler| {
            pickler.text(self.ids)?;
            let ids = self.write_ids(pickler)?;
            for entry in &self.entries {
                self.write_data(pickler, entry, &ids)?;
            }
            pickler.text("version")?;
            pickler.text(CHECKPOINT_VERSION)?;
            pickler.text("status")?;
            pickler.text(self.checkpoint.status().name())?;
            pickler.text("vnp")?;
            pickler.dict(|pickler| self.write_rest(pickler))
        })?;
        let (mut out, values) = pickler.finish()?;
        out.flush()?;
        Ok(values)
    }

    /// Writes the ids, and remembers them where they come again.
    fn write_ids<W: Write>(&self, pickler: &mut Pickler<W>) -> io::Result<Vec<Memo>> {
        let again =
            self.entries.iter().any(|entry| matches!(entry.destination, Destination::Floats));
        let mut memos = Vec::new();
        pickler.list(self.checkpoint.ids().iter(), |pickler, id| {
            pickler.text(id)?;
            if again {
                memos.push(pickler.put()?);
            }
            Ok(())
        })?;
        Ok(memos)
    }

    fn write_data<W: Write>(
        &self,
        pickler: &mut Pickler<W>,
        entry: &Entry<'_>,
        ids: &[Memo],
    ) -> io::Result<()> {
        let shape = entry.tensor.shape();
        let width = shape.get(1).copied().unwrap_or_default();
        match entry.destination {
            Destination::Inside(_) => Ok(()),
            Destination::Top(storage) => {
                pickler.text(&entry.section.name)?;
                pickler.tensor(storage, 0, shape)
            }
            Destination::Rows(storage) => {
                pickler.text("data")?;
                pickler.list(0..self.checkpoint.ids().len(), |pickler, row| {
                    pickler.tensor(storage, row * width, &[width])
                })
            }
            Destination::Floats => {
                let values = entry.tensor.as_f32().map_err(io::Error::other)?;
                let row = |row: usize| values.get(row * width..(row + 1) * width);
                let too_few = || io::Error::other("fewer rows than ids");
                pickler.text("data")?;
                pickler.list(ids.iter().enumerate(), |pickler, (index, id)| {
                    pickler.dict(|pickler| {
                        pickler.shared_text("label")?;
                        pickler.get(*id)?;
                        pickler.shared_text("mean_representation")?;
                        pickler.floats(row(index).ok_or_else(too_few)?)
                    })
                })
            }
        }
    }

    fn write_rest<W: Write>(&self, pickler: &mut Pickler<W>) -> io::Result<()> {
        let header = self.checkpoint.header();
        pickler.text("format")?;
        pickler.int(FORMAT)?;
        pickler.text("kind")?;
        pickler.text(&header.kind)?;
        pickler.text("rows")?;
        pickler.list([header.rows.start, header.rows.end].into_iter(), Pickler::int)?;
        pickler.text("created")?;
        pickler.text(&header.created)?;
        pickler.text("producer")?;
        pickler.dict(|pickler| {
            pickler.text("name")?;
            pickler.text(&header.producer.name)?;
            pickler.text("version")?;
            pickler.text(&header.producer.version)?;
            pickler.entries(&header.producer_unknown)
        })?;
        pickler.text("metadata")?;
        pickler.map(&header.metadata)?;
        pickler.text("unknown")?;
        pickler.map(&header.unknown)?;
        if let Some(ids) = header.sections.first().filter(|ids| !ids.unknown.is_empty()) {
            pickler.text("ids")?;
            pickler.dict(|pickler| pickler.entries(&ids.unknown))?;
        }
        pickler.text("tensors")?;
        pickler
            .dict(|pickler| self.entries.iter().try_for_each(|entry| write_entry(pickler, entry)))
    }
}

fn write_entry<W: Write>(pickler: &mut Pickler<W>, entry: &Entry<'_>) -> io::Result<()> {
    let Entry { section, tensor, destination } = entry;
    pickler.text(&section.name)?;
    pickler.dict(|pickler| {
        pickler.shared_text("dtype")?;
        pickler.shared_text(tensor.dtype().name())?;
        pickler.shared_text("shape")?;
        pickler.list(tensor.shape().iter(), |pickler, &size| pickler.size(size))?;
        pickler.shared_text("per_row")?;
        pickler.truth(matches!(section.encoding, Encoding::Tensor { per_row: true, .. }))?;
        match destination {
            Destination::Inside(storage) => {
                pickler.shared_text("tensor")?;
                pickler.tensor(*storage, 0, tensor.shape())?;
            }
            Destination::Top(_) => {
                pickler.shared_text("at")?;
                pickler.text(&section.name)?;
            }
            Destination::Floats | Destination::Rows(_) => {
                pickler.shared_text("at")?;
                pickler.text("data")?;
            }
        }
        pickler.entries(&section.unknown)
    })
}

/// How the rows of a tensor become `data`.
#[derive(Clone, Copy)]
enum Form {
    Floats,
    Rows,
    Whole,
}

/// The key of the ids, the name of the tensor that becomes `data`, and how, where this is that
/// tensor in a checkpoint of a kind that the Python tools know.
fn main_of<'c>(
    checkpoint: &Checkpoint,
    section: &'c Section,
    tensor: &Tensor,
) -> Option<(&'static str, &'c str, Form)> {
    let per_row = matches!(section.encoding, Encoding::Tensor { per_row: true, .. });
    let (ids, form) = match (checkpoint.kind(), section.name.as_str()) {
        ("nucleotide", "embedding") if tensor.dtype() == Dtype::F32 => ("nucleotide", Form::Floats),
        // Without rows there is nothing that would name the storage.
        ("protein", "embedding") if checkpoint.rows().is_empty() => ("proteins", Form::Floats),
        ("protein", "embedding") => ("proteins", Form::Rows),
        ("merged", "data") => ("ids", Form::Whole),
        _ => return None,
    };
    let fits = per_row && (tensor.shape().len() == 2 || matches!(form, Form::Whole));
    fits.then_some((ids, section.name.as_str(), form))
}

/// PyTorch counts with 63 bits.
fn check_shape(section: &Section, tensor: &Tensor) -> Result<(), ErrorKind> {
    let elements = tensor.shape().iter().map(|&size| size.max(1) as u64);
    if elements.fold(1, u64::saturating_mul) > i64::MAX as u64 {
        let subject = format!("shape of tensor `{}`", section.name);
        let expected = "a product that PyTorch can count, below 2^63";
        return Err(ErrorKind::inconsistent(subject, expected, format!("{:?}", tensor.shape())));
    }
    Ok(())
}
