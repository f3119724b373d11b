//! The writer of safetensors files, for tools that know no other container.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::stream::{Sink, commit};
use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::header::preamble::ALIGNMENT;
use crate::header::{Encoding, Header, Section};
use crate::limits::{self, Limits};
use crate::tensor::dtype::Dtype;
use crate::value::Value;
use crate::value::json::Json;
use crate::version::CHECKPOINT_VERSION;

/// The tensors that hold the ids: all texts one after the other, and where each starts.
pub(crate) const ID_TEXT: &str = "ids.text";
pub(crate) const ID_OFFSETS: &str = "ids.offsets";

/// The key next to the tensors.
pub(crate) const METADATA: &str = "__metadata__";

/// Saves a checkpoint as a safetensors file under `path`, in the place of the existing file.
///
/// Tensors keep their names; everything else is in the file's metadata under keys that
/// start with `vnp.`, so that this crate reads the same checkpoint from the file again:
/// `docs/FORMAT.md` has the table. The bytes depend on the checkpoint alone.
///
/// The file gets under its name as with [`atomic_save`](crate::atomic_save); tensors are written
/// from where they lie.
///
/// ```
/// use vnp_ckpt::{Checkpoint, Limits, Tensor, export_safetensors, load_with_compatibility};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("head.safetensors");
/// let checkpoint = Checkpoint::builder("weights")
///     .free_tensor("hidden_layer.weight", Tensor::from_f32([1, 2], vec![0.5, -0.5])?)
///     .build()?;
/// export_safetensors(&path, &checkpoint)?;
/// assert_eq!(load_with_compatibility(&path, &Limits::default())?, checkpoint);
/// # Ok::<(), vnp_ckpt::Error>(())
/// ```
///
/// # Errors
/// As [`atomic_save`](crate::atomic_save); [`ErrorKind::Inconsistent`] for a tensor with a name that
/// the format needs itself: `__metadata__`, and where there are rows `ids.text` and `ids.offsets`.
pub fn export_safetensors(path: &Path, checkpoint: &Checkpoint) -> Result<(), Error> {
    let plan = Plan::new(checkpoint).map_err(|kind| kind.in_file(path))?;
    commit(path, plan.file_bytes, |out| plan.write(out))
}

/// A checkpoint, and the file that it becomes.
struct Plan<'c> {
    checkpoint: &'c Checkpoint,
    entries: Vec<Entry<'c>>,
    /// In JSON, padded.
    header: Vec<u8>,
    file_bytes: u64,
}

/// A tensor of the file.
struct Entry<'c> {
    name: &'c str,
    dtype: Dtype,
    shape: Vec<usize>,
    length: u64,
    body: Body<'c>,
}

/// Where the bytes of a tensor come from.
enum Body<'c> {
    Bytes(&'c [u8]),
    IdText,
    IdOffsets,
}

impl<'c> Plan<'c> {
    /// Lays the file out. Refuses a file that the default limits would refuse to read.
    fn new(checkpoint: &'c Checkpoint) -> Result<Self, ErrorKind> {
        let entries = entries_of(checkpoint)?;
        let header = checkpoint.header();
        let metadata = Metadata(header).texts().map_err(|error| not_json(&error))?;
        let table = Table { metadata: &metadata, entries: &entries };
        let mut header = serde_json::to_vec(&table).map_err(|error| not_json(&error))?;
        // The first tensor is aligned, and so are all that follow it: the longest elements lead.
        let start = (header.len() as u64 + 8).next_multiple_of(ALIGNMENT);
        header.resize(start as usize - 8, b' ');
        let limits = Limits::default();
        limits::check("header_bytes", limits.header_bytes, header.len() as u64)?;
        let lengths = entries.iter().map(|entry| entry.length);
        let file_bytes = lengths.fold(start, u64::saturating_add);
        limits::check("total_bytes", limits.total_bytes, file_bytes)?;
        Ok(Self { checkpoint, entries, header, file_bytes })
    }

    fn write(&self, out: &mut Sink<'_>) -> io::Result<()> {
        out.write_all(&(self.header.len() as u64).to_le_bytes())?;
        out.write_all(&self.header)?;
        let ids = self.checkpoint.ids();
        for entry in &self.entries {
            match entry.body {
                Body::Bytes(bytes) => out.write_all(bytes)?,
                Body::IdText => ids.iter().try_for_each(|id| out.write_all(id.as_bytes()))?,
                Body::IdOffsets => write_offsets(out, ids)?,
            }
        }
        Ok(())
    }
}

/// The tensors of the file in the order in which they lie there.
fn entries_of(checkpoint: &Checkpoint) -> Result<Vec<Entry<'_>>, ErrorKind> {
    let mut entries = Vec::new();
    let ids = checkpoint.ids();
    if !ids.is_empty() {
        let length = ids.iter().map(|id| id.len() as u64).sum::<u64>();
        let limits = Limits::default();
        limits::check("id_bytes", limits.id_bytes, length)?;
        entries.push(Entry {
            name: ID_OFFSETS,
            dtype: Dtype::I64,
            shape: vec![ids.len() + 1],
            length: (ids.len() as u64 + 1) * 8,
            body: Body::IdOffsets,
        });
        entries.push(Entry {
            name: ID_TEXT,
            dtype: Dtype::U8,
            shape: vec![length as usize],
            length,
            body: Body::IdText,
        });
    }
    for (name, tensor) in checkpoint.tensors() {
        if name == METADATA || entries.iter().take(2).any(|entry| entry.name == name) {
            let expected = "one that safetensors files do not need themselves";
            return Err(ErrorKind::inconsistent("name of a tensor", expected, format!("`{name}`")));
        }
        entries.push(Entry {
            name,
            dtype: tensor.dtype(),
            shape: tensor.shape().to_vec(),
            length: tensor.bytes().len() as u64,
            body: Body::Bytes(tensor.bytes()),
        });
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.dtype.size_bytes()));
    Ok(entries)
}

fn write_offsets(out: &mut impl Write, ids: &[String]) -> io::Result<()> {
    let mut offset = 0_u64;
    let mut out = BufWriter::new(out);
    out.write_all(&offset.to_le_bytes())?;
    for id in ids {
        offset += id.len() as u64;
        out.write_all(&offset.to_le_bytes())?;
    }
    out.flush()
}

fn not_json(error: &serde_json::Error) -> ErrorKind {
    ErrorKind::inconsistent("header", "one that JSON can hold", error.to_string())
}

/// The description of a checkpoint, as the texts that safetensors metadata may hold.
struct Metadata<'h>(&'h Header);

impl Metadata<'_> {
    fn texts(&self) -> serde_json::Result<Vec<(&'static str, String)>> {
        let header = self.0;
        let map =
            |map: &std::collections::BTreeMap<String, Value>| Json(&Value::Map(map.clone())).text();
        let mut producer = header.producer_unknown.clone();
        producer.insert("name".to_owned(), header.producer.name.as_str().into());
        producer.insert("version".to_owned(), header.producer.version.as_str().into());
        let sections = header.sections.iter().map(section_value).collect();
        Ok(vec![
            ("vnp.version", CHECKPOINT_VERSION.to_owned()),
            ("vnp.status", header.status.to_string()),
            ("vnp.kind", header.kind.clone()),
            ("vnp.rows", serde_json::to_string(&[header.rows.start, header.rows.end])?),
            ("vnp.created", header.created.clone()),
            ("vnp.producer", map(&producer)?),
            ("vnp.sections", Json(&Value::List(sections)).text()?),
            ("vnp.metadata", map(&header.metadata)?),
            ("vnp.unknown", map(&header.unknown)?),
        ])
    }
}

/// The properties of a section that the table of tensors does not have.
fn section_value(section: &Section) -> Value {
    let mut map = section.unknown.clone();
    map.insert("name".to_owned(), section.name.as_str().into());
    if let Encoding::Tensor { per_row, .. } = section.encoding {
        map.insert("per_row".to_owned(), per_row.into());
    }
    Value::Map(map)
}

/// The header of the file.
struct Table<'p> {
    metadata: &'p [(&'static str, String)],
    entries: &'p [Entry<'p>],
}

impl Serialize for Table<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + self.entries.len()))?;
        map.serialize_entry(METADATA, &Texts(self.metadata))?;
        let mut begin = 0;
        for entry in self.entries {
            let end = begin + entry.length;
            map.serialize_entry(entry.name, &TableEntry(entry, [begin, end]))?;
            begin = end;
        }
        map.end()
    }
}

struct Texts<'p>(&'p [(&'static str, String)]);

impl Serialize for Texts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, text)| (key, text)))
    }
}

struct TableEntry<'p>(&'p Entry<'p>, [u64; 2]);

impl Serialize for TableEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("dtype", dtype_name(self.0.dtype))?;
        map.serialize_entry("shape", &self.0.shape)?;
        map.serialize_entry("data_offsets", &self.1)?;
        map.end()
    }
}

/// The name of a type in safetensors files.
pub(crate) const fn dtype_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F32 => "F32",
        Dtype::F16 => "F16",
        Dtype::Bf16 => "BF16",
        Dtype::F64 => "F64",
        Dtype::I64 => "I64",
        Dtype::I32 => "I32",
        Dtype::I16 => "I16",
        Dtype::I8 => "I8",
        Dtype::U8 => "U8",
        Dtype::Bool => "BOOL",
    }
}
