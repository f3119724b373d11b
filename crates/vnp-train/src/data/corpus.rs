//! Labelled records with their groups, splits and chosen chunks.

use std::collections::BTreeMap;

use crate::data::chunks::{self, Chunk, ChunkTally};
use crate::data::class::Class;
use crate::data::groups::Groups;
use crate::data::preparation::Preparation;
use crate::data::record::LabelledRecord;
use crate::data::shared_kmers::SharedKmers;
use crate::error::Error;
use crate::split::Split;

/// Labelled records in groups and splits, and the chunks chosen from them.
#[derive(Debug, Clone)]
pub(crate) struct Corpus {
    /// The records.
    pub records: Vec<LabelledRecord>,
    /// Their groups.
    pub groups: Groups,
    /// The split of each group.
    pub splits: Vec<Split>,
    /// The k-mers that occur in more than one split.
    pub shared: SharedKmers,
    /// Chosen chunks of every split: viral ones first, in the order of the records.
    pub chunks: Vec<Chunk>,
    /// How many chunks there are, and why some are left out.
    pub tally: ChunkTally,
    /// What the corpus depends on, by name.
    pub identity: BTreeMap<String, String>,
}

impl Corpus {
    /// Reads the records, groups and splits them, and chooses chunks, as
    /// [`prepare`](crate::data::prepare::prepare) does.
    ///
    /// # Errors
    /// As [`prepare`](crate::data::prepare::prepare).
    pub(crate) fn read(options: &Preparation) -> Result<Self, Error> {
        let (records, identity) = options.read()?;
        Self::new(options, records, identity)
    }

    pub(crate) fn new(
        options: &Preparation,
        records: Vec<LabelledRecord>,
        identity: BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let groups = Groups::of_records(&records);
        let splits = groups.split(&options.shares, options.seed)?;
        let shared = SharedKmers::of_records(&records, &groups, &splits);
        let (chunks, tally) = choose(options, &records, &groups, &splits, &shared)?;
        Ok(Self { records, groups, splits, shared, chunks, tally, identity })
    }

    /// The chosen chunks of a split.
    pub(crate) fn of_split(&self, split: Split) -> Vec<Chunk> {
        self.chunks.iter().filter(|chunk| chunk.split == split).cloned().collect()
    }

    /// Whether a window of a training record shares nothing with the other splits.
    pub(crate) fn is_usable(&self, window: &[u8]) -> bool {
        !self.shared.leaks(window, Split::Training)
    }
}

fn choose(
    options: &Preparation,
    records: &[LabelledRecord],
    groups: &Groups,
    splits: &[Split],
    shared: &SharedKmers,
) -> Result<(Vec<Chunk>, ChunkTally), Error> {
    let length = options.chunk_length;
    let (chunks, tally) = Chunk::cut_all(records, groups, splits, shared, length, 0);
    for class in Class::ALL {
        if !chunks.iter().any(|chunk| Class::of(chunk.is_virus) == class) {
            return Err(Error::EmptyClass { class: class.name(), what: "chunks to learn from" });
        }
    }
    let mut chosen = Vec::new();
    for split in options.shares.splits() {
        let drawn = chunks::sample(&chunks, split, options.hosts_per_virus, options.seed);
        for class in Class::ALL {
            if !drawn.iter().any(|chunk| Class::of(chunk.is_virus) == class) {
                return Err(Error::EmptySplit { class: class.name(), split: split.name() });
            }
        }
        let (viral, hosts): (Vec<_>, Vec<_>) = drawn.iter().partition(|chunk| chunk.is_virus);
        if (hosts.len() as f64) < viral.len() as f64 * options.hosts_per_virus.min(1.0) {
            log::warn!(
                "{split}: {} host chunks for {} viral ones: the head will lean towards viruses",
                hosts.len(),
                viral.len()
            );
        }
        chosen.extend(drawn);
    }
    // Chunks are in the order of the data, whatever their splits.
    chosen.sort_by_key(|chunk| (!chunk.is_virus, chunk.record, chunk.start_bp));
    Ok((chosen, tally))
}
