//! Chunks that were chosen to learn from, and the directory that stores them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vnp_seq::Frame;

use crate::data::chunks::ChunkTally;
use crate::data::class::Class;
use crate::data::corpus::Corpus;
use crate::data::examples::Group;

/// Chunks with their labels, groups and splits, and the directory that stores them:
///
/// ```text
/// virus.fa  others.fa   a record for each chunk, named {record}:{first base}-{last base}
/// chunks.tsv            chunk, class, record, group, kind, start (from 1), end, part, frames
/// prepared.json         identity, counts, digests of the files
/// ```
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prepared {
    /// The directory.
    pub directory: PathBuf,
    /// The groups that have chunks.
    pub groups: Vec<Group>,
    /// The chunks, viral ones first, in the order of the files.
    pub chunks: Vec<PreparedChunk>,
    /// The content of `prepared.json`.
    pub record: PreparationRecord,
}

/// A chunk to learn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreparedChunk {
    /// The id, which is also that of its record in the FASTA file.
    pub id: String,
    /// The id of the record that it comes from.
    pub record: String,
    /// Whether it is viral.
    pub is_virus: bool,
    /// The index of its group in [`Prepared::groups`].
    pub group: usize,
    /// The offset of its first base in the record, from 0.
    pub start_bp: usize,
    /// The letters.
    pub sequence: Vec<u8>,
    /// The ORFs to learn from, a subset of its ORFs.
    pub frames: Vec<Frame>,
}

/// The content of `prepared.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PreparationRecord {
    /// The identity: what the chunks depend on, by name.
    pub identity: BTreeMap<String, String>,
    /// The number of records, by class.
    pub records: BTreeMap<String, usize>,
    /// The number of groups, by class.
    pub groups: BTreeMap<String, usize>,
    /// The groups with records of both classes.
    pub groups_in_both_classes: Vec<String>,
    /// How many chunks there are, and why some are left out.
    pub tally: ChunkTally,
    /// The number of chosen chunks, by class and split.
    pub chosen: BTreeMap<String, BTreeMap<String, usize>>,
    /// SHA-256 of the files in hex.
    pub files: BTreeMap<String, String>,
}

impl PreparationRecord {
    /// The record of the chunks of a corpus, without the files, which are not written yet.
    pub(crate) fn of(corpus: &Corpus) -> Self {
        let mut record =
            Self { identity: corpus.identity.clone(), tally: corpus.tally, ..Self::default() };
        for source in &corpus.records {
            *record.records.entry(Class::of(source.is_virus).to_string()).or_default() += 1;
        }
        for group in corpus.groups.groups() {
            *record.groups.entry(Class::of(group.is_virus).to_string()).or_default() += 1;
            if group.in_both_classes {
                record.groups_in_both_classes.push(group.name.clone());
            }
        }
        for chunk in &corpus.chunks {
            let of_class = record.chosen.entry(Class::of(chunk.is_virus).to_string()).or_default();
            *of_class.entry(chunk.split.to_string()).or_default() += 1;
        }
        record
    }
}

impl Prepared {
    /// The file with the chunks of a class.
    pub(crate) fn fasta(&self, class: Class) -> PathBuf {
        self.directory.join(format!("{class}.fa"))
    }

    /// The chunks of a class, in the order of its file.
    pub(crate) fn of_class(&self, class: Class) -> impl Iterator<Item = (usize, &PreparedChunk)> {
        let chunks = self.chunks.iter().enumerate();
        chunks.filter(move |(_, chunk)| Class::of(chunk.is_virus) == class)
    }
}
