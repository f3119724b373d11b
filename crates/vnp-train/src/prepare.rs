//! Chunks to learn from, chosen, split and written down.

mod files;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vnp_seq::{ChunkLength, Frame};

use crate::Error;
use crate::chunks::ChunkTally;
use crate::corpus::Corpus;
use crate::examples::Group;
use crate::groups::Shares;
use crate::part::Part;
use crate::records::{Class, Input, LabelledRecord, RecordSet, read_records};

/// What to prepare, of what.
#[derive(Debug, Clone)]
pub struct Preparation {
    /// The files with the records.
    pub inputs: Vec<Input>,
    /// A table `id label [group [kind]]` for the files without a label.
    pub labels: Option<PathBuf>,
    /// A table `id group [kind]`.
    pub groups: Option<PathBuf>,
    /// Of records in GenBank files keep only the frames that a coding sequence confirms.
    pub coding_filter: bool,
    /// The chunk length.
    pub chunk_length: ChunkLength,
    /// Host chunks for each viral one in every part, as far as there are so many.
    pub hosts_per_virus: f64,
    /// How groups are split.
    pub shares: Shares,
    /// For the split and the choice of hosts.
    pub seed: u64,
}

/// Chunks with their labels, groups and parts, as they lie in a directory:
///
/// ```text
/// virus.fa  others.fa   a record for each chunk, named {record}:{first base}-{last base}
/// chunks.tsv            chunk, class, record, group, kind, start (from 1), end, part, frames
/// prepared.json         what they were made of, counts, digests of the files
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The directory.
    pub directory: PathBuf,
    /// The groups that have chunks, and the kinds that they are of.
    pub groups: Vec<Group>,
    /// Viral chunks first, in the order of the files.
    pub chunks: Vec<PreparedChunk>,
    /// What was prepared of what.
    pub record: PreparationRecord,
}

/// A chunk to learn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedChunk {
    /// Its id, and that of its record in the FASTA file.
    pub id: String,
    /// The record that it is from.
    pub record: String,
    /// Its label.
    pub is_virus: bool,
    /// Its group, by its place in [`Prepared::groups`].
    pub group: usize,
    /// Its first base in the record, from 0.
    pub start_bp: usize,
    /// Its letters.
    pub sequence: Vec<u8>,
    /// The open frames to learn from; others that are open are left out.
    pub frames: Vec<Frame>,
}

/// `prepared.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PreparationRecord {
    /// What the chunks depend on, by name.
    pub identity: BTreeMap<String, String>,
    /// Records, by class.
    pub records: BTreeMap<String, usize>,
    /// Groups, by class.
    pub groups: BTreeMap<String, usize>,
    /// Groups with records of both classes.
    pub groups_in_both_classes: Vec<String>,
    /// Chunks there were and why some were left out.
    pub tally: ChunkTally,
    /// Chosen chunks, by class and part.
    pub chosen: BTreeMap<String, BTreeMap<String, usize>>,
    /// SHA-256 of the files in hex.
    pub files: BTreeMap<String, String>,
}

/// Reads the records, groups and splits them, chooses chunks and writes them into `directory`, whole
/// or not at all. Data, settings and seed decide everything. What was prepared there of the same is
/// taken as it is.
///
/// # Errors
/// Those of [`read_records`] and [`Groups::split`](crate::Groups::split); [`Error::EmptyPart`];
/// [`Error::OtherIdentity`] where `directory` holds chunks of other data or settings.
pub fn prepare(options: &Preparation, directory: &Path) -> Result<Prepared, Error> {
    let (records, identity) = options.read()?;
    if let Some(prepared) = files::reuse(directory, &identity)? {
        return Ok(prepared);
    }
    let corpus = Corpus::new(options, records, identity)?;
    let mut prepared = assemble(directory, &corpus);
    files::write(&mut prepared)?;
    Ok(prepared)
}

impl Preparation {
    /// The records, and what everything made of them depends on.
    pub(crate) fn read(&self) -> Result<(Vec<LabelledRecord>, BTreeMap<String, String>), Error> {
        self.shares.check()?;
        if self.hosts_per_virus.is_nan() || self.hosts_per_virus <= 0.0 {
            return Err(Error::BadSetting {
                setting: "hosts per virus",
                expected: "a number above 0",
                found: self.hosts_per_virus.to_string(),
            });
        }
        let (labels, groups) = (self.labels.as_deref(), self.groups.as_deref());
        let RecordSet { records, digest } =
            read_records(&self.inputs, labels, groups, self.coding_filter)?;
        Ok((records, self.identity(digest)))
    }

    fn identity(&self, records: String) -> BTreeMap<String, String> {
        let Self { chunk_length, hosts_per_virus, shares, seed, .. } = self;
        let fields = [
            ("records", records),
            ("chunk length", chunk_length.get().to_string()),
            ("hosts per virus", hosts_per_virus.to_string()),
            ("validation share", shares.validation.to_string()),
            ("test share", shares.test.to_string()),
            ("seed", seed.to_string()),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Prepared {
    /// Reads what was prepared.
    ///
    /// # Errors
    /// [`Error::Io`] where something is missing; [`Error::OtherIdentity`] where a file is not
    /// what was written, [`Error::Table`].
    pub fn open(directory: &Path) -> Result<Self, Error> {
        files::open(directory)
    }

    /// The file with the chunks of a class.
    #[must_use]
    pub fn fasta(&self, class: Class) -> PathBuf {
        self.directory.join(format!("{class}.fa"))
    }

    /// The chunks of a class, in the order of its file.
    pub fn of_class(&self, class: Class) -> impl Iterator<Item = (usize, &PreparedChunk)> {
        let chunks = self.chunks.iter().enumerate();
        chunks.filter(move |(_, chunk)| Class::of(chunk.is_virus) == class)
    }
}

/// Names chunks, and keeps of the groups those that have some.
fn assemble(directory: &Path, corpus: &Corpus) -> Prepared {
    let Corpus { records, groups, parts, chunks: chosen, .. } = corpus;
    let mut numbers = std::collections::HashMap::new();
    let mut kept = Vec::new();
    let mut record = PreparationRecord {
        identity: corpus.identity.clone(),
        tally: corpus.tally,
        ..PreparationRecord::default()
    };
    let mut chunks = Vec::new();
    for chunk in chosen {
        let Some(source) = records.get(chunk.record) else { continue };
        let group = *numbers.entry(chunk.group).or_insert_with(|| {
            let relatives = groups.groups().get(chunk.group);
            kept.push(Group {
                name: relatives.map(|group| group.name.clone()).unwrap_or_default(),
                kind: relatives.map(|group| group.kind.clone()).unwrap_or_default(),
                part: parts.get(chunk.group).copied().unwrap_or(Part::Training),
            });
            kept.len() - 1
        });
        let of_class = record.chosen.entry(Class::of(chunk.is_virus).to_string()).or_default();
        *of_class.entry(chunk.part.to_string()).or_default() += 1;
        let letters = source.sequence.get(chunk.start_bp..chunk.end_bp).unwrap_or_default();
        chunks.push(PreparedChunk {
            id: format!("{}:{}-{}", source.id, chunk.start_bp + 1, chunk.end_bp),
            record: source.id.clone(),
            is_virus: chunk.is_virus,
            group,
            start_bp: chunk.start_bp,
            sequence: letters.to_vec(),
            frames: chunk.frames.iter().map(|open| open.frame).collect(),
        });
    }
    for source in records {
        *record.records.entry(Class::of(source.is_virus).to_string()).or_default() += 1;
    }
    for group in groups.groups() {
        *record.groups.entry(Class::of(group.is_virus).to_string()).or_default() += 1;
        if group.in_both_classes {
            record.groups_in_both_classes.push(group.name.clone());
        }
    }
    Prepared { directory: directory.to_owned(), groups: kept, chunks, record }
}

#[cfg(test)]
mod tests;
