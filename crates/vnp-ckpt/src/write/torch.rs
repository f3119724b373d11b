//! The writer of PyTorch files, for the Python tools.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::stream::{Sink, commit};
use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};

pub(crate) mod archive;
pub(crate) mod contents;
pub(crate) mod pickle;

use archive::{Layout, Record, write_local};
use contents::Contents;

/// The format of the archive, for PyTorch.
const ARCHIVE_VERSION: &[u8] = b"3\n";

/// How much of a pickle is put together before it goes out.
const STEP_BYTES: usize = 64 << 10;

/// Saves a checkpoint as a PyTorch file under `path`, in the place of the existing file: a `.pt` that
/// `torch.load(path, weights_only=True)` reads.
///
/// Checkpoints of the kinds `nucleotide`, `protein` and `merged` get the top level that the Python
/// tools write and continue from; others are a dict of their ids and tensors. Everything else
/// is under the key `vnp`, so that this crate reads the same checkpoint from the file again:
/// `docs/PYTORCH.md` has the tables. The bytes depend on the checkpoint and the file's name alone.
///
/// The file gets under its name as with [`atomic_save`](crate::atomic_save); tensors are written
/// from where they lie.
///
/// ```
/// use vnp_ckpt::{Checkpoint, RowRange, Tensor, export_torch};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("output_0_DNABERT_S.pt");
/// let checkpoint = Checkpoint::builder("nucleotide")
///     .rows(RowRange::new(0, 1))
///     .ids(vec!["read1_chunk_1F1".into()])
///     .tensor("embedding", Tensor::from_f32([1, 2], vec![0.5, -0.5])?)
///     .build()?;
/// // {'nucleotide': ['read1_chunk_1F1'],
/// //  'data': [{'label': 'read1_chunk_1F1', 'mean_representation': [0.5, -0.5]}],
/// //  'version': '1.0', 'status': 'complete', 'vnp': {...}}
/// export_torch(&path, &checkpoint)?;
/// # Ok::<(), vnp_ckpt::Error>(())
/// ```
///
/// # Errors
/// As [`atomic_save`](crate::atomic_save); [`ErrorKind::Inconsistent`] for a shape that PyTorch cannot
/// count.
pub fn export_torch(path: &Path, checkpoint: &Checkpoint) -> Result<(), Error> {
    let plan = Plan::new(path, checkpoint).map_err(|kind| kind.in_file(path))?;
    commit(path, plan.file_bytes, |out| plan.write(out))
}

/// A checkpoint, and the archive that it becomes.
struct Plan<'c> {
    contents: Contents<'c>,
    layout: Layout,
    bodies: Vec<Body<'c>>,
    file_bytes: u64,
}

/// The contents of a record.
enum Body<'c> {
    Pickle,
    Bytes(&'c [u8]),
}

impl<'c> Plan<'c> {
    /// Lays the file out. Refuses a file that the default limits would refuse to read.
    fn new(path: &Path, checkpoint: &'c Checkpoint) -> Result<Self, ErrorKind> {
        let root = root_of(path);
        let contents = Contents::new(checkpoint)?;
        // The pickle is made twice: that is cheaper than to keep it, and its length and checksum
        // stand before it.
        let mut pickle = Checksum::default();
        let values = contents
            .pickle(BufWriter::with_capacity(STEP_BYTES, &mut pickle))
            .map_err(|error| not_picklable(&error))?;
        let limits = Limits::default();
        limits::check("pickle_bytes", limits.pickle_bytes, pickle.length)?;
        limits::check("pickle_nodes", limits.pickle_nodes, values)?;

        let mut named = vec![("data.pkl".to_owned(), Body::Pickle)];
        named.push(("byteorder".to_owned(), Body::Bytes(b"little")));
        let storages = contents.storages().enumerate();
        named.extend(storages.map(|(key, bytes)| (format!("data/{key}"), Body::Bytes(bytes))));
        named.push(("version".to_owned(), Body::Bytes(ARCHIVE_VERSION)));
        limits::check("records", limits.records, named.len() as u64)?;
        let (mut records, mut bodies) = (Vec::new(), Vec::new());
        for (name, body) in named {
            let (length, crc) = match body {
                Body::Pickle => (pickle.length, pickle.crc.clone().finalize()),
                Body::Bytes(bytes) => (bytes.len() as u64, crc32fast::hash(bytes)),
            };
            records.push(Record { name: format!("{root}/{name}"), length, crc });
            bodies.push(body);
        }
        let layout = Layout::new(records);
        let file_bytes = layout.as_ref().and_then(Layout::file_bytes).unwrap_or(u64::MAX);
        limits::check("total_bytes", limits.total_bytes, file_bytes)?;
        let layout = layout.ok_or_else(|| not_picklable(&io::ErrorKind::FileTooLarge.into()))?;
        Ok(Self { contents, layout, bodies, file_bytes })
    }

    fn write(&self, out: &mut Sink<'_>) -> io::Result<()> {
        for ((record, offset), body) in self.layout.records().zip(&self.bodies) {
            write_local(out, record, offset)?;
            match body {
                Body::Pickle => self.contents.pickle(&mut *out).map(drop)?,
                Body::Bytes(bytes) => out.write_all(bytes)?,
            }
        }
        self.layout.write_end(out)
    }
}

/// The folder in the archive: the file's name up to its last dot, as PyTorch does it, where that
/// can be a folder in every archive.
fn root_of(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\\/:*?\"<>|".contains(&byte);
    let fits = stem.bytes().all(plain) && stem.bytes().any(|byte| byte != b'.');
    if fits { stem } else { "archive" }
}

fn not_picklable(error: &io::Error) -> ErrorKind {
    ErrorKind::inconsistent("contents", "what a PyTorch file can hold", error.to_string())
}

/// A writer that counts and checksums, and keeps nothing.
#[derive(Default)]
struct Checksum {
    crc: crc32fast::Hasher,
    length: u64,
}

impl Write for Checksum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.crc.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
