//! What is trained and measured on.

use anyhow::Result;
use vnp_seq::ChunkLength;

use super::chunks::{self, Chunk, Tally};
use super::data::Data;
use super::groups::{self, Part, Shared, WordIndex};
use super::provenance;
use super::settings::Settings;

/// Records with this share of their words in the example file are left out whole, others by the chunk.
pub(crate) const FOREIGN_RECORD: f64 = 0.1;

/// The records in groups and parts.
pub(crate) struct Corpus {
    pub(crate) groups: Vec<usize>,
    pub(crate) parts: Vec<Part>,
    pub(crate) shared: Shared,
    /// Records left out because they are largely in the example file.
    pub(crate) dropped: Vec<String>,
    pub(crate) examples: String,
}

impl Corpus {
    pub(crate) fn new(data: &mut Data, examples: &[Vec<u8>], settings: &Settings) -> Result<Self> {
        let foreign = Shared::new(&WordIndex::new(&[]), &[], examples);
        let mut dropped = Vec::new();
        data.sources.retain(|source| {
            let keep = foreign.foreign_share(&source.sequence) < FOREIGN_RECORD;
            if !keep {
                dropped.push(source.id.clone());
            }
            keep
        });
        let sequences: Vec<&[u8]> = data.sources.iter().map(|s| s.sequence.as_slice()).collect();
        let index = WordIndex::new(&sequences);
        let groups = groups::groups(&data.sources, &index);
        let parts = groups::split(&data.sources, &groups, settings.seed);
        let part_of: Vec<Part> = groups.iter().map(|group| parts[*group]).collect();
        let shared = Shared::new(&index, &part_of, examples);
        let examples = provenance::sequences_digest(examples);
        Ok(Self { groups, parts, shared, dropped, examples })
    }

    pub(crate) fn describe(&self, data: &Data) -> String {
        let mut text = format!(
            "{} records in {} groups; left out: {:?} (examples), {:?} (held out)",
            data.sources.len(),
            self.parts.len(),
            self.dropped,
            data.held_out
        );
        let mut kinds: Vec<_> = data.sources.iter().map(|s| (!s.is_virus, &s.kind)).collect();
        kinds.sort();
        kinds.dedup();
        for (is_host, kind) in kinds {
            let share = |part| {
                let members = data.sources.iter().zip(&self.groups).filter(|(source, group)| {
                    &source.kind == kind
                        && source.is_virus != is_host
                        && self.parts[**group] == part
                });
                let bases: usize = members.clone().map(|(source, _)| source.sequence.len()).sum();
                let mut groups: Vec<_> = members.map(|(_, group)| *group).collect();
                groups.sort_unstable();
                groups.dedup();
                format!("{:.2} Mb in {}", bases as f64 / 1e6, groups.len())
            };
            text.push_str(&format!("\n           {kind}: {}", Part::ALL.map(share).join(" | ")));
        }
        text
    }
}

/// The chunks of each part.
pub(crate) struct Pools {
    pub(crate) training: Vec<Chunk>,
    pub(crate) validation: Vec<Chunk>,
    pub(crate) test: Vec<Chunk>,
    pub(crate) tally: Tally,
}

impl Pools {
    pub(crate) fn new(corpus: &Corpus, data: &Data, settings: &Settings) -> Result<Self> {
        let cut = |length: u32, first: usize| -> Result<_> {
            let length = ChunkLength::new(length)?;
            let (groups, parts, shared) = (&corpus.groups, &corpus.parts, &corpus.shared);
            Ok(chunks::cut(&data.sources, groups, parts, shared, length, first))
        };
        let sample = |chunks: &[Chunk], part| {
            chunks::sample(chunks, part, settings.hosts_per_virus, settings.seed)
        };
        let (chunks, tally) = cut(settings.chunk_length, 0)?;
        let mut training = sample(&chunks, Part::Train);
        let lengths = std::iter::once(&settings.chunk_length).chain(&settings.extra_lengths);
        for (i, length) in lengths.enumerate() {
            if i > 0 {
                training.extend(sample(&cut(*length, 0)?.0, Part::Train));
            }
            for number in 1..settings.viral_cuts {
                let first = *length as usize * number / settings.viral_cuts;
                let (chunks, _) = cut(*length, first)?;
                let viral = |chunk: &Chunk| chunk.is_virus && chunk.part == Part::Train;
                training.extend(chunks.into_iter().filter(viral));
            }
        }
        let (validation, test) = (sample(&chunks, Part::Validation), sample(&chunks, Part::Test));
        Ok(Self { training, validation, test, tally })
    }
}
