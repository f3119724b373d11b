//! Chunks with ORFs, chosen for training and measuring.

use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vnp_seq::{ChunkLength, Orf, chunk_ranges, find_orfs};

use crate::data::groups::Groups;
use crate::data::record::LabelledRecord;
use crate::data::shared_kmers::SharedKmers;
use crate::rng::Rng;
use crate::split::Split;

/// A chunk of a record with the ORFs to learn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The index of its record.
    pub record: usize,
    /// The group of the record.
    pub group: usize,
    /// The split of the group.
    pub split: Split,
    /// The label of the record.
    pub is_virus: bool,
    /// The offset of its first base in the record, from 0.
    pub start_bp: usize,
    /// The offset behind its last base.
    pub end_bp: usize,
    /// Its ORFs; where the record has an annotation, those that it confirms.
    pub frames: Vec<Orf>,
}

/// The number of chunks, and of those that are left out by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkTally {
    /// All chunks.
    pub cut: usize,
    /// Chunks with a letter other than A, C, G and T.
    pub with_ambiguous_letters: usize,
    /// Chunks without an ORF.
    #[serde(rename = "without_open_frame")]
    pub without_orf: usize,
    /// Chunks with ORFs, none of which an annotation confirms.
    pub without_coding_frame: usize,
    /// Chunks that share a 21-mer with a later split.
    #[serde(rename = "sharing_words_with_a_later_part")]
    pub sharing_kmers_with_a_later_split: usize,
    /// Chunks to choose from.
    pub kept: usize,
}

/// A chunk that was cut, or why it is left out.
enum Cut {
    Ambiguous,
    WithoutOrf,
    Unconfirmed,
    Leaking,
    Kept(Chunk),
}

impl Chunk {
    /// Cuts all records into chunks, from base number `first` on, from 0. `groups` are those of the
    /// records; `splits` has one for each group.
    #[must_use]
    pub fn cut_all(
        records: &[LabelledRecord],
        groups: &Groups,
        splits: &[Split],
        shared: &SharedKmers,
        length: ChunkLength,
        first: usize,
    ) -> (Vec<Self>, ChunkTally) {
        let split_of = groups.split_of_members(splits);
        debug_assert_eq!(split_of.len(), records.len());
        let cuts: Vec<Vec<Cut>> = records
            .par_iter()
            .zip(groups.of_member())
            .zip(split_of)
            .enumerate()
            .map(|(number, ((record, group), split))| {
                let letters = record.sequence.len().saturating_sub(first);
                let chunk = |range: Range<usize>| Self {
                    record: number,
                    group: *group,
                    split,
                    is_virus: record.is_virus,
                    start_bp: first + range.start,
                    end_bp: first + range.end,
                    frames: Vec::new(),
                };
                let ranges = chunk_ranges(letters, length);
                ranges.map(|range| cut(record, chunk(range), shared)).collect()
            })
            .collect();
        let mut tally = ChunkTally::default();
        let mut chunks = Vec::new();
        for cut in cuts.into_iter().flatten() {
            tally.cut += 1;
            match cut {
                Cut::Ambiguous => tally.with_ambiguous_letters += 1,
                Cut::WithoutOrf => tally.without_orf += 1,
                Cut::Unconfirmed => tally.without_coding_frame += 1,
                Cut::Leaking => tally.sharing_kmers_with_a_later_split += 1,
                Cut::Kept(chunk) => {
                    tally.kept += 1;
                    chunks.push(chunk);
                }
            }
        }
        (chunks, tally)
    }
}

/// Finds the ORFs of a chunk, or the reason to leave it out.
#[expect(clippy::indexing_slicing, reason = "chunks lie within their record")]
fn cut(record: &LabelledRecord, mut chunk: Chunk, shared: &SharedKmers) -> Cut {
    let letters = &record.sequence[chunk.start_bp..chunk.end_bp];
    if !letters.iter().all(|letter| b"ACGT".contains(letter)) {
        return Cut::Ambiguous;
    }
    chunk.frames = find_orfs(letters);
    if chunk.frames.is_empty() {
        return Cut::WithoutOrf;
    }
    if let Some(coding) = &record.coding {
        chunk.frames.retain(|frame| coding.confirms(&frame.protein));
        if chunk.frames.is_empty() {
            return Cut::Unconfirmed;
        }
    }
    if shared.leaks(letters, chunk.split) {
        return Cut::Leaking;
    }
    Cut::Kept(chunk)
}

/// All viral chunks of a split, and up to `hosts_per_virus` times as many of hosts, in their order.
/// Those of hosts are drawn with the weight one over the square root of the chunks of their group, so
/// that neither a few whole genomes nor many small records dominate.
#[must_use]
pub(crate) fn sample(
    chunks: &[Chunk],
    split: Split,
    hosts_per_virus: f64,
    seed: u64,
) -> Vec<Chunk> {
    let places: Vec<_> =
        chunks.iter().map(|chunk| (chunk.split, chunk.is_virus, chunk.group)).collect();
    let drawn = draw(&places, split, hosts_per_virus, seed);
    drawn.into_iter().filter_map(|i| chunks.get(i).cloned()).collect()
}

/// The same choice by split, label and group alone: the chosen indices, ascending.
pub(crate) fn draw(
    chunks: &[(Split, bool, usize)],
    split: Split,
    hosts_per_virus: f64,
    seed: u64,
) -> Vec<usize> {
    let members = || chunks.iter().enumerate().filter(|(_, (of, ..))| *of == split);
    let hosts = || members().filter(|(_, (_, is_virus, _))| !is_virus);
    let viral = || members().filter(|(_, (_, is_virus, _))| *is_virus);
    let mut sizes = std::collections::HashMap::new();
    hosts().for_each(|(_, (.., group))| *sizes.entry(*group).or_insert(0) += 1);
    let mut rng = Rng::new(seed, &format!("hosts {split}"));
    // The largest u^(1/w) make a weighted sample (Efraimidis and Spirakis).
    let mut drawn: Vec<(f64, usize)> = hosts()
        .map(|(i, (.., group))| {
            let size = f64::from(*sizes.get(group).unwrap_or(&1));
            (rng.uniform().ln() * size.sqrt(), i)
        })
        .collect();
    drawn.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    drawn.truncate((viral().count() as f64 * hosts_per_virus).round() as usize);
    let mut chosen: Vec<usize> = drawn.into_iter().map(|(_, i)| i).collect();
    chosen.extend(viral().map(|(i, _)| i));
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::coding::Coding;
    use crate::data::groups::Member;
    use crate::testing::{open_bases, record};

    fn chunk(is_virus: bool, group: usize) -> Chunk {
        let (record, split, frames) = (0, Split::Training, Vec::new());
        Chunk { record, group, split, is_virus, start_bp: 0, end_bp: 3, frames }
    }

    #[test]
    fn hosts_are_drawn_from_large_and_small_groups() {
        let mut chunks: Vec<_> = (0..100).map(|_| chunk(true, 0)).collect();
        chunks.extend((0..1000).map(|_| chunk(false, 1)));
        chunks.extend((0..100).map(|_| chunk(false, 2)));
        let drawn = sample(&chunks, Split::Training, 1.0, 1);
        let count = |group| drawn.iter().filter(|chunk| chunk.group == group).count();
        assert_eq!((drawn.len(), count(0)), (200, 100));
        // Weights of 1000 / sqrt(1000) to 100 / sqrt(100): about three to one, not ten to one.
        assert!((15..40).contains(&count(2)), "{}", count(2));
        assert_eq!(sample(&chunks, Split::Training, 2.0, 1).len(), 300);
        assert!(sample(&chunks, Split::Test, 1.0, 1).is_empty());
    }

    #[test]
    fn chunks_are_left_out_for_a_reason() {
        let shared = open_bases(1, 300);
        let mut records = [
            record("a", true, &["x"], &[open_bases(2, 300), shared.clone()].concat()),
            record("b", false, &["y"], &[b"N".to_vec(), open_bases(3, 299), shared].concat()),
            record("c", false, &["y"], &b"TAACTAACTAACTTAGTTAGTTAG".repeat(25)),
            record("d", true, &["x"], &open_bases(4, 600)),
        ];
        let one = find_orfs(&records[3].sequence[..300])[0].clone();
        records[3].coding = Some(Coding::new([format!("MM{}", one.protein).as_str()]));
        let splits = [Split::Training, Split::Test];
        let sequences: Vec<&[u8]> = records.iter().map(|r| r.sequence.as_slice()).collect();
        let of_record = [0, 1, 1, 0].map(|group| splits[group]);
        let shared = SharedKmers::new(&sequences, &of_record);
        let members: Vec<_> = records.iter().map(Member::from).collect();
        let groups = Groups::of_members(&members);
        let length = ChunkLength::new(300).unwrap();
        let (chunks, tally) = Chunk::cut_all(&records, &groups, &splits, &shared, length, 0);
        assert_eq!(
            tally,
            ChunkTally {
                cut: 8,
                with_ambiguous_letters: 1,
                without_orf: 2,
                without_coding_frame: 1,
                sharing_kmers_with_a_later_split: 1,
                kept: 3
            }
        );
        let places: Vec<_> = chunks.iter().map(|c| (c.record, c.start_bp, c.end_bp)).collect();
        assert_eq!(places, [(0, 0, 300), (1, 300, 600), (3, 0, 300)]);
        assert_eq!(chunks[2].frames, [one]);
        let (later, _) = Chunk::cut_all(&records, &groups, &splits, &shared, length, 200);
        assert_eq!((later[0].start_bp, later[0].end_bp), (200, 500));
    }
}
