//! The chunks of each split of the corpus, and their embeddings.

use std::collections::HashMap;

use anyhow::Result;
use vnp_infer::{Dnabert, Encoder, Esm2};
use vnp_seq::{ChunkLength, chunk_ranges, find_orfs, reverse_complement};
use vnp_train::{Chunk, Examples, Rng, Row, SharedKmers, Split};

use super::corpus::Corpus;

/// The number of chunks whose strands are embedded at a time.
const BATCH: usize = 1024;

/// A corpus and the split of each of its groups.
pub(crate) struct Partition<'a> {
    pub(crate) corpus: &'a Corpus,
    pub(crate) splits: Vec<Split>,
    pub(crate) shared: SharedKmers,
}

impl<'a> Partition<'a> {
    pub(crate) fn new(corpus: &'a Corpus, splits: Vec<Split>) -> Self {
        let shared = SharedKmers::of_records(&corpus.records, &corpus.groups, &splits);
        Self { corpus, splits, shared }
    }

    /// Whether a window of the training split may be learned from.
    pub(crate) fn is_usable(&self, window: &[u8]) -> bool {
        !self.corpus.foreign.touches(window) && !self.shared.leaks(window, Split::Training)
    }

    /// The chunks of full length in a split that have an ORF, at most `most` of each group. A generator
    /// seeded with the name of the group draws them.
    pub(crate) fn with_orf(&self, split: Split, length: ChunkLength, most: usize) -> Vec<Chunk> {
        let Self { corpus, splits, shared } = self;
        let (mut chunks, _) =
            Chunk::cut_all(&corpus.records, &corpus.groups, splits, shared, length, 0);
        chunks.retain(|chunk| {
            let sequence = &corpus.records[chunk.record].sequence;
            chunk.split == split
                && chunk.end_bp - chunk.start_bp == length.get()
                && !corpus.foreign.touches(&sequence[chunk.start_bp..chunk.end_bp])
        });
        self.at_most(chunks, most)
    }

    /// The same of chunks without an ORF.
    pub(crate) fn without_orf(&self, split: Split, length: ChunkLength, most: usize) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for (record, labelled) in self.corpus.records.iter().enumerate() {
            let group = self.corpus.groups.of_member()[record];
            if self.splits[group] != split {
                continue;
            }
            for range in chunk_ranges(labelled.sequence.len(), length) {
                let letters = &labelled.sequence[range.clone()];
                let is_whole = range.len() == length.get()
                    && letters.iter().all(|letter| b"ACGT".contains(letter));
                if is_whole
                    && find_orfs(letters).is_empty()
                    && !self.corpus.foreign.touches(letters)
                    && !self.shared.leaks(letters, split)
                {
                    let (start_bp, end_bp) = (range.start, range.end);
                    let is_virus = labelled.is_virus;
                    let frames = Vec::new();
                    chunks.push(Chunk { record, group, split, is_virus, start_bp, end_bp, frames });
                }
            }
        }
        self.at_most(chunks, most)
    }

    fn at_most(&self, chunks: Vec<Chunk>, most: usize) -> Vec<Chunk> {
        let mut by_group: HashMap<(usize, bool), Vec<usize>> = HashMap::new();
        for (number, chunk) in chunks.iter().enumerate() {
            by_group.entry((chunk.group, chunk.is_virus)).or_default().push(number);
        }
        let mut chosen = vec![false; chunks.len()];
        for ((group, _), mut members) in by_group {
            let name = &self.corpus.groups.groups()[group].name;
            Rng::new(1, &format!("chunks of {name}")).shuffle(&mut members);
            members.iter().take(most).for_each(|number| chosen[*number] = true);
        }
        chunks.into_iter().zip(chosen).filter_map(|(chunk, is)| is.then_some(chunk)).collect()
    }

    /// The letters of a chunk.
    fn letters(&self, chunk: &Chunk) -> String {
        let sequence = &self.corpus.records[chunk.record].sequence;
        String::from_utf8_lossy(&sequence[chunk.start_bp..chunk.end_bp]).into_owned()
    }

    /// The ORFs of chunks, embedded by both encoders.
    pub(crate) fn embed(&self, chunks: &[Chunk], model: &Encoders) -> Result<Examples> {
        let encoders: (&dyn Encoder, &dyn Encoder) = (&model.dnabert, &model.esm2);
        Ok(Examples::embed(chunks, &self.corpus.groups, &self.splits, encoders)?)
    }

    /// Both strands of chunks without an ORF, embedded by the nucleotide encoder.
    pub(crate) fn embed_strands(&self, chunks: &[Chunk], model: &Encoders) -> Result<Examples> {
        let row = |(number, chunk): (usize, &Chunk)| {
            let position = format!("{}:{}", chunk.record, chunk.start_bp + 1);
            let (is_virus, group) = (chunk.is_virus, chunk.group);
            ["+", "-"].map(|strand| Row {
                id: format!("{position}{strand}"),
                chunk: number,
                is_virus,
                group,
            })
        };
        let mut examples = Examples {
            nucleotide_size: model.dnabert.hidden_size(),
            rows: chunks.iter().enumerate().flat_map(row).collect(),
            groups: self.corpus.groups.with_splits(&self.splits),
            chunks: chunks.len(),
            ..Examples::default()
        };
        for chunks in chunks.chunks(BATCH) {
            let strands: Vec<String> = chunks
                .iter()
                .flat_map(|chunk| {
                    let forward = self.letters(chunk);
                    let reverse = reverse_complement(&forward);
                    [forward, reverse]
                })
                .collect();
            let texts: Vec<&str> = strands.iter().map(String::as_str).collect();
            examples.features.extend(model.dnabert.embed(&texts)?);
        }
        Ok(examples)
    }
}

/// Trained encoders, as used for inference.
pub(crate) struct Encoders {
    pub(crate) dnabert: Dnabert,
    pub(crate) esm2: Esm2,
}
