//! Chunks with open frames, chosen for training and measuring.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vnp_seq::{ChunkLength, Orf, chunk_ranges, find_orfs};

use crate::part::Part;
use crate::records::LabelledRecord;
use crate::rng::Rng;
use crate::words::SharedWords;

/// A chunk of a record with the frames to learn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The record, by its place.
    pub record: usize,
    /// The record's group.
    pub group: usize,
    /// The group's part.
    pub part: Part,
    /// The record's label.
    pub is_virus: bool,
    /// Its first base in the record, from 0.
    pub start_bp: usize,
    /// One behind its last.
    pub end_bp: usize,
    /// Its open frames; where the record has an annotation, those that it confirms.
    pub frames: Vec<Orf>,
}

/// How many chunks there were and why some were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkTally {
    /// All.
    pub cut: usize,
    /// With a letter other than A, C, G and T.
    pub with_ambiguous_letters: usize,
    /// Without an open frame.
    pub without_open_frame: usize,
    /// With open frames, none of which an annotation confirms.
    pub without_coding_frame: usize,
    /// Sharing a word of 21 bases with a later part.
    pub sharing_words_with_a_later_part: usize,
    /// To choose from.
    pub kept: usize,
}

enum Fate {
    Ambiguous,
    Closed,
    Unconfirmed,
    Leaking,
    Kept(Chunk),
}

/// Cuts all records from their base number `first` on, from 0. `groups` has the group of every
/// record, `parts` the part of every group.
#[must_use]
pub fn cut(
    records: &[LabelledRecord],
    groups: &[usize],
    parts: &[Part],
    shared: &SharedWords,
    length: ChunkLength,
    first: usize,
) -> (Vec<Chunk>, ChunkTally) {
    let fates: Vec<Vec<Fate>> = records
        .par_iter()
        .zip(groups)
        .enumerate()
        .map(|(number, (record, group))| {
            let part = parts.get(*group).copied().unwrap_or(Part::Training);
            let letters = record.sequence.len().saturating_sub(first);
            let place = |range: std::ops::Range<usize>| Chunk {
                record: number,
                group: *group,
                part,
                is_virus: record.is_virus,
                start_bp: first + range.start,
                end_bp: first + range.end,
                frames: Vec::new(),
            };
            chunk_ranges(letters, length).map(|range| fate(record, place(range), shared)).collect()
        })
        .collect();
    let mut tally = ChunkTally::default();
    let mut chunks = Vec::new();
    for fate in fates.into_iter().flatten() {
        tally.cut += 1;
        match fate {
            Fate::Ambiguous => tally.with_ambiguous_letters += 1,
            Fate::Closed => tally.without_open_frame += 1,
            Fate::Unconfirmed => tally.without_coding_frame += 1,
            Fate::Leaking => tally.sharing_words_with_a_later_part += 1,
            Fate::Kept(chunk) => {
                tally.kept += 1;
                chunks.push(chunk);
            }
        }
    }
    (chunks, tally)
}

fn fate(record: &LabelledRecord, mut chunk: Chunk, shared: &SharedWords) -> Fate {
    let letters = record.sequence.get(chunk.start_bp..chunk.end_bp).unwrap_or_default();
    if !letters.iter().all(|letter| b"ACGT".contains(letter)) {
        return Fate::Ambiguous;
    }
    chunk.frames = find_orfs(letters);
    if chunk.frames.is_empty() {
        return Fate::Closed;
    }
    if let Some(coding) = &record.coding {
        chunk.frames.retain(|frame| coding.confirms(&frame.protein));
        if chunk.frames.is_empty() {
            return Fate::Unconfirmed;
        }
    }
    if shared.leaks(letters, chunk.part) {
        return Fate::Leaking;
    }
    Fate::Kept(chunk)
}

/// All viral chunks of a part, and hosts up to `hosts_per_virus` times as many; their order is kept.
/// Hosts are drawn with the weight one over the square root of their group's number of chunks, so
/// that neither a few whole genomes nor many small records prevail.
#[must_use]
pub fn sample(chunks: &[Chunk], part: Part, hosts_per_virus: f64, seed: u64) -> Vec<Chunk> {
    let places: Vec<_> =
        chunks.iter().map(|chunk| (chunk.part, chunk.is_virus, chunk.group)).collect();
    let drawn = draw(&places, part, hosts_per_virus, seed);
    drawn.into_iter().filter_map(|i| chunks.get(i).cloned()).collect()
}

/// The same of part, label and group alone: the chosen places, ascending.
pub(crate) fn draw(
    chunks: &[(Part, bool, usize)],
    part: Part,
    hosts_per_virus: f64,
    seed: u64,
) -> Vec<usize> {
    let members = || chunks.iter().enumerate().filter(|(_, (of, ..))| *of == part);
    let hosts = || members().filter(|(_, (_, is_virus, _))| !is_virus);
    let viral = || members().filter(|(_, (_, is_virus, _))| *is_virus);
    let mut sizes = std::collections::HashMap::new();
    hosts().for_each(|(_, (.., group))| *sizes.entry(*group).or_insert(0) += 1);
    let mut rng = Rng::new(seed, &format!("hosts {part}"));
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
    use crate::records::Coding;
    use crate::testing::{open_bases, record};

    fn chunk(is_virus: bool, group: usize) -> Chunk {
        let (record, part, frames) = (0, Part::Training, Vec::new());
        Chunk { record, group, part, is_virus, start_bp: 0, end_bp: 3, frames }
    }

    #[test]
    fn hosts_are_drawn_from_large_and_small_groups() {
        let mut chunks: Vec<_> = (0..100).map(|_| chunk(true, 0)).collect();
        chunks.extend((0..1000).map(|_| chunk(false, 1)));
        chunks.extend((0..100).map(|_| chunk(false, 2)));
        let drawn = sample(&chunks, Part::Training, 1.0, 1);
        let count = |group| drawn.iter().filter(|chunk| chunk.group == group).count();
        assert_eq!((drawn.len(), count(0)), (200, 100));
        // Weights of 1000 / sqrt(1000) to 100 / sqrt(100): about three to one, not ten to one.
        assert!((15..40).contains(&count(2)), "{}", count(2));
        assert_eq!(sample(&chunks, Part::Training, 2.0, 1).len(), 300);
        assert!(sample(&chunks, Part::Test, 1.0, 1).is_empty());
    }

    #[test]
    fn chunks_are_left_out_for_a_reason() {
        let shared = open_bases(1, 300);
        let mut records = [
            record("a", true, &[], &[open_bases(2, 300), shared.clone()].concat()),
            record("b", false, &[], &[b"N".to_vec(), open_bases(3, 299), shared].concat()),
            record("c", false, &[], &b"TAACTAACTAACTTAGTTAGTTAG".repeat(25)),
            record("d", true, &[], &open_bases(4, 600)),
        ];
        let one = find_orfs(&records[3].sequence[..300])[0].clone();
        records[3].coding = Some(Coding::new([format!("MM{}", one.protein).as_str()]));
        let parts = [Part::Training, Part::Test];
        let sequences: Vec<&[u8]> = records.iter().map(|r| r.sequence.as_slice()).collect();
        let of_record = [0, 1, 1, 0].map(|group| parts[group]);
        let words = SharedWords::new(&sequences, &of_record);
        let length = ChunkLength::new(300).unwrap();
        let (chunks, tally) = cut(&records, &[0, 1, 1, 0], &parts, &words, length, 0);
        assert_eq!(
            tally,
            ChunkTally {
                cut: 8,
                with_ambiguous_letters: 1,
                without_open_frame: 2,
                without_coding_frame: 1,
                sharing_words_with_a_later_part: 1,
                kept: 3
            }
        );
        let places: Vec<_> = chunks.iter().map(|c| (c.record, c.start_bp, c.end_bp)).collect();
        assert_eq!(places, [(0, 0, 300), (1, 300, 600), (3, 0, 300)]);
        assert_eq!(chunks[2].frames, [one]);
        let (later, _) = cut(&records, &[0, 1, 1, 0], &parts, &words, length, 200);
        assert_eq!((later[0].start_bp, later[0].end_bp), (200, 500));
    }
}
