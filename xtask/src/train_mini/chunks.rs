//! Chunks that are measured with, and their embeddings.

use std::collections::HashMap;

use anyhow::Result;
use vnp_infer::{Dnabert, Encoder, Esm2, ModelOptions};
use vnp_seq::{ChunkLength, chunk_ranges, open_frames};
use vnp_train::{Chunk, Examples, Group, Part, Rng, Row, SharedWords, TrainedModel, cut};

use super::corpus::Corpus;

/// Frames that are embedded at a time.
const BATCH: usize = 2048;

/// A corpus whose groups have parts.
pub(crate) struct Parted<'a> {
    pub(crate) corpus: &'a Corpus,
    pub(crate) parts: Vec<Part>,
    pub(crate) shared: SharedWords,
}

impl<'a> Parted<'a> {
    pub(crate) fn new(corpus: &'a Corpus, parts: Vec<Part>) -> Self {
        let sequences: Vec<&[u8]> =
            corpus.records.iter().map(|record| record.sequence.as_slice()).collect();
        let of_record = corpus.groups.of_member().iter().map(|group| parts[*group]);
        let shared = SharedWords::new(&sequences, &of_record.collect::<Vec<_>>());
        Self { corpus, parts, shared }
    }

    /// Whether a window of the training part may be learned from.
    pub(crate) fn is_usable(&self, window: &[u8]) -> bool {
        !self.corpus.foreign.touches(window) && !self.shared.leaks(window, Part::Training)
    }

    /// The whole chunks of a part that have an open frame, at most `most` of a group, drawn by the
    /// group's name.
    pub(crate) fn open(&self, part: Part, length: ChunkLength, most: usize) -> Vec<Chunk> {
        let Self { corpus, parts, shared } = self;
        let of_record = corpus.groups.of_member();
        let (mut chunks, _) = cut(&corpus.records, of_record, parts, shared, length, 0);
        chunks.retain(|chunk| {
            let sequence = &corpus.records[chunk.record].sequence;
            chunk.part == part
                && chunk.end_bp - chunk.start_bp == length.get()
                && !corpus.foreign.touches(&sequence[chunk.start_bp..chunk.end_bp])
        });
        self.at_most(chunks, most)
    }

    /// The same of chunks without an open frame.
    pub(crate) fn closed(&self, part: Part, length: ChunkLength, most: usize) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for (record, labelled) in self.corpus.records.iter().enumerate() {
            let group = self.corpus.groups.of_member()[record];
            if self.parts[group] != part {
                continue;
            }
            for range in chunk_ranges(labelled.sequence.len(), length) {
                let letters = &labelled.sequence[range.clone()];
                let is_whole = range.len() == length.get()
                    && letters.iter().all(|letter| b"ACGT".contains(letter));
                if is_whole
                    && open_frames(letters).is_empty()
                    && !self.corpus.foreign.touches(letters)
                    && !self.shared.leaks(letters, part)
                {
                    let (start_bp, end_bp) = (range.start, range.end);
                    let is_virus = labelled.is_virus;
                    let frames = Vec::new();
                    chunks.push(Chunk { record, group, part, is_virus, start_bp, end_bp, frames });
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

    /// Rows without features: a row for each frame, or two for a chunk without any, its strands.
    fn rows(&self, chunks: &[Chunk]) -> Examples {
        let mut rows = Vec::new();
        for (number, chunk) in chunks.iter().enumerate() {
            let record = &self.corpus.records[chunk.record].id;
            let id = |what: &str| format!("{record}:{}{what}", chunk.start_bp);
            let names: Vec<String> = match chunk.frames.as_slice() {
                [] => vec![id("+"), id("-")],
                frames => frames.iter().map(|frame| id(frame.frame.as_str())).collect(),
            };
            let (is_virus, group) = (chunk.is_virus, chunk.group);
            rows.extend(names.into_iter().map(|id| Row { id, chunk: number, is_virus, group }));
        }
        let groups = self.corpus.groups.groups().iter().zip(&self.parts);
        let group = |(group, part): (&vnp_train::Relatives, &Part)| Group {
            name: group.name.clone(),
            kind: group.kind.clone(),
            part: *part,
        };
        let groups = groups.map(group).collect();
        Examples { rows, groups, chunks: chunks.len(), ..Examples::default() }
    }

    /// The open frames of chunks, embedded by both encoders.
    pub(crate) fn embed(&self, chunks: &[Chunk], model: &Encoders) -> Result<Examples> {
        let frames: Vec<_> = chunks.iter().flat_map(|chunk| &chunk.frames).collect();
        let mut examples = self.rows(chunks);
        examples.nucleotide_size = model.dnabert.hidden_size();
        examples.protein_size = model.esm2.hidden_size();
        for frames in frames.chunks(BATCH) {
            let texts: Vec<&str> = frames.iter().map(|frame| frame.nucleotide.as_str()).collect();
            let nucleotide = model.dnabert.embed(&texts)?;
            let texts: Vec<&str> = frames.iter().map(|frame| frame.protein.as_str()).collect();
            let protein = model.esm2.embed(&texts)?;
            let rows = nucleotide
                .chunks(examples.nucleotide_size)
                .zip(protein.chunks(examples.protein_size));
            rows.for_each(|(a, b)| examples.features.extend(a.iter().chain(b)));
        }
        Ok(examples)
    }

    /// Both strands of chunks without an open frame, embedded by the nucleotide encoder.
    pub(crate) fn embed_strands(&self, chunks: &[Chunk], model: &Encoders) -> Result<Examples> {
        let mut examples = self.rows(chunks);
        examples.nucleotide_size = model.dnabert.hidden_size();
        for chunks in chunks.chunks(BATCH / 2) {
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

fn reverse_complement(letters: &str) -> String {
    let complement = |letter: char| match letter {
        'A' => 'T',
        'C' => 'G',
        'G' => 'C',
        'T' => 'A',
        other => other,
    };
    letters.chars().rev().map(complement).collect()
}

/// Trained encoders as they will run.
pub(crate) struct Encoders {
    pub(crate) dnabert: Dnabert,
    pub(crate) esm2: Esm2,
}

impl Encoders {
    pub(crate) fn new(setup: &vnp_train::EncoderSetup, model: &TrainedModel) -> Result<Self> {
        let options = ModelOptions::default();
        Ok(Self {
            dnabert: Dnabert::new(&setup.dnabert, model.dnabert(), &setup.tokenizer, &options)?,
            esm2: Esm2::new(&setup.esm2, model.esm2(), &options)?,
        })
    }
}
