use std::collections::BTreeMap;

use vnp_infer::Encoder;

use crate::Error;
use crate::chunks::{self, Chunk, ChunkTally};
use crate::examples::{Examples, Group, Row};
use crate::groups::{Groups, Relatives};
use crate::joint::JointData;
use crate::part::Part;
use crate::prepare::Preparation;
use crate::records::{Class, LabelledRecord};
use crate::words::SharedWords;

/// Frames that are embedded at a time.
const BATCH: usize = 2048;

/// Labelled records in groups and parts, and the chunks chosen from them.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// The records.
    pub records: Vec<LabelledRecord>,
    /// Their groups.
    pub groups: Groups,
    /// The part of each group.
    pub parts: Vec<Part>,
    /// What stands in more than one part.
    pub shared: SharedWords,
    /// Chosen chunks of every part: viral ones first, in the order of the records.
    pub chunks: Vec<Chunk>,
    /// Chunks there were and why some were left out.
    pub tally: ChunkTally,
    /// What all of it depends on, by name.
    pub identity: BTreeMap<String, String>,
}

impl Corpus {
    /// Reads the records, groups and splits them, and chooses chunks: what
    /// [`prepare`](crate::prepare) writes down.
    ///
    /// # Errors
    /// As [`prepare`](crate::prepare).
    pub fn read(options: &Preparation) -> Result<Self, Error> {
        let (records, identity) = options.read()?;
        Self::new(options, records, identity)
    }

    pub(crate) fn new(
        options: &Preparation,
        records: Vec<LabelledRecord>,
        identity: BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let groups = Groups::of_records(&records);
        let parts = groups.split(&options.shares, options.seed)?;
        let shared = shared_words(&records, &groups, &parts);
        let (chunks, tally) = choose(options, &records, &groups, &parts, &shared)?;
        Ok(Self { records, groups, parts, shared, chunks, tally, identity })
    }

    /// The chosen chunks of a part.
    #[must_use]
    pub fn of_part(&self, part: Part) -> Vec<Chunk> {
        self.chunks.iter().filter(|chunk| chunk.part == part).cloned().collect()
    }

    /// What [`train_joint`](crate::train_joint) learns from; `validation` chooses the epoch, and
    /// `is_usable` is [`Corpus::is_usable`].
    #[must_use]
    pub fn joint<'a>(
        &'a self,
        validation: &'a [Chunk],
        is_usable: &'a (dyn Fn(&[u8]) -> bool + Sync),
    ) -> JointData<'a> {
        let (records, groups) = (&self.records, self.groups.of_member());
        JointData { records, groups, parts: &self.parts, is_usable, validation }
    }

    /// Whether a window of a training record shares nothing with the other parts.
    #[must_use]
    pub fn is_usable(&self, window: &[u8]) -> bool {
        !self.shared.leaks(window, Part::Training)
    }
}

/// The words of records that stand in more than one part.
#[must_use]
pub fn shared_words(records: &[LabelledRecord], groups: &Groups, parts: &[Part]) -> SharedWords {
    let part = |group: &usize| parts.get(*group).copied().unwrap_or(Part::Training);
    let part_of: Vec<Part> = groups.of_member().iter().map(part).collect();
    let sequences: Vec<&[u8]> = records.iter().map(|r| r.sequence.as_slice()).collect();
    SharedWords::new(&sequences, &part_of)
}

/// The open frames of chunks, embedded by both encoders.
///
/// # Errors
/// Those of the encoders.
pub fn embed_chunks(
    chunks: &[Chunk],
    groups: &Groups,
    parts: &[Part],
    (nucleotide, protein): (&dyn Encoder, &dyn Encoder),
) -> Result<Examples, Error> {
    let (nucleotide_size, protein_size) = (nucleotide.hidden_size(), protein.hidden_size());
    let frames: Vec<_> = chunks.iter().flat_map(|chunk| &chunk.frames).collect();
    let mut features = Vec::with_capacity(frames.len() * (nucleotide_size + protein_size));
    for frames in frames.chunks(BATCH) {
        let texts: Vec<&str> = frames.iter().map(|frame| frame.nucleotide.as_str()).collect();
        let nucleotides = nucleotide.embed(&texts)?;
        let texts: Vec<&str> = frames.iter().map(|frame| frame.protein.as_str()).collect();
        let proteins = protein.embed(&texts)?;
        let rows =
            nucleotides.chunks(nucleotide_size.max(1)).zip(proteins.chunks(protein_size.max(1)));
        rows.for_each(|(a, b)| features.extend(a.iter().chain(b)));
    }
    let row = |(number, chunk): (usize, &Chunk)| {
        let place = format!("{}:{}", chunk.record, chunk.start_bp + 1);
        let (is_virus, group) = (chunk.is_virus, chunk.group);
        let row = |frame: &vnp_seq::Orf| Row {
            id: format!("{place}{}", frame.frame),
            chunk: number,
            is_virus,
            group,
        };
        chunk.frames.iter().map(row).collect::<Vec<_>>()
    };
    Ok(Examples {
        nucleotide_size,
        protein_size,
        features,
        rows: chunks.iter().enumerate().flat_map(row).collect(),
        groups: named(groups, parts),
        chunks: chunks.len(),
    })
}

/// Groups with their parts, as examples have them.
#[must_use]
pub fn named(groups: &Groups, parts: &[Part]) -> Vec<Group> {
    let group = |(group, part): (&Relatives, &Part)| Group {
        name: group.name.clone(),
        kind: group.kind.clone(),
        part: *part,
    };
    groups.groups().iter().zip(parts).map(group).collect()
}

fn choose(
    options: &Preparation,
    records: &[LabelledRecord],
    groups: &Groups,
    parts: &[Part],
    shared: &SharedWords,
) -> Result<(Vec<Chunk>, ChunkTally), Error> {
    let length = options.chunk_length;
    let (chunks, tally) = chunks::cut(records, groups.of_member(), parts, shared, length, 0);
    for class in Class::ALL {
        if !chunks.iter().any(|chunk| Class::of(chunk.is_virus) == class) {
            return Err(Error::EmptyClass { class: class.name(), what: "chunks to learn from" });
        }
    }
    let mut chosen = Vec::new();
    for part in options.shares.parts() {
        let drawn = chunks::sample(&chunks, part, options.hosts_per_virus, options.seed);
        for class in Class::ALL {
            if !drawn.iter().any(|chunk| Class::of(chunk.is_virus) == class) {
                return Err(Error::EmptyPart { class: class.name(), part: part.name() });
            }
        }
        let (viral, hosts): (Vec<_>, Vec<_>) = drawn.iter().partition(|chunk| chunk.is_virus);
        if (hosts.len() as f64) < viral.len() as f64 * options.hosts_per_virus.min(1.0) {
            log::warn!(
                "{part}: {} host chunks for {} viral ones: the head will lean towards viruses",
                hosts.len(),
                viral.len()
            );
        }
        chosen.extend(drawn);
    }
    // The order of the data, whatever the parts.
    chosen.sort_by_key(|chunk| (!chunk.is_virus, chunk.record, chunk.start_bp));
    Ok((chosen, tally))
}
