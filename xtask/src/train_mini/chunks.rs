//! Chunks with open frames, chosen for training and measuring.

use rayon::prelude::*;
use serde::Serialize;
use vnp_seq::{ChunkLength, OpenFrame, chunk_ranges, open_frames};

use super::data::Source;
use super::groups::{Part, Shared};
use super::metrics::Scored;
use super::rng::Rng;

/// A chunk of a record with its open frames.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub(crate) part: Part,
    pub(crate) is_virus: bool,
    pub(crate) kind: String,
    pub(crate) group: usize,
    pub(crate) frames: Vec<OpenFrame>,
}

/// How many chunks there were and why some were left out.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Tally {
    pub(crate) cut: usize,
    pub(crate) with_ambiguous_letters: usize,
    pub(crate) sharing_words_with_examples: usize,
    pub(crate) sharing_words_with_a_later_part: usize,
    pub(crate) without_open_frame: usize,
    pub(crate) kept: usize,
}

enum Fate {
    Ambiguous,
    Foreign,
    Leaking,
    Closed,
    Kept(Chunk),
}

/// Cuts all records from their base number `first` on. The original keeps only frames that a coding sequence annotation confirms; there
/// is none here.
pub(crate) fn cut(
    sources: &[Source],
    groups: &[usize],
    parts: &[Part],
    shared: &Shared,
    length: ChunkLength,
    first: usize,
) -> (Vec<Chunk>, Tally) {
    let fates: Vec<Vec<Fate>> = sources
        .par_iter()
        .zip(groups)
        .map(|(source, group)| {
            let letters = source.sequence.get(first..).unwrap_or_default();
            let part = parts[*group];
            chunk_ranges(letters.len(), length)
                .map(|range| fate(source, &letters[range], *group, part, shared))
                .collect()
        })
        .collect();
    let mut tally = Tally::default();
    let mut chunks = Vec::new();
    for fate in fates.into_iter().flatten() {
        tally.cut += 1;
        match fate {
            Fate::Ambiguous => tally.with_ambiguous_letters += 1,
            Fate::Foreign => tally.sharing_words_with_examples += 1,
            Fate::Leaking => tally.sharing_words_with_a_later_part += 1,
            Fate::Closed => tally.without_open_frame += 1,
            Fate::Kept(chunk) => {
                tally.kept += 1;
                chunks.push(chunk);
            }
        }
    }
    (chunks, tally)
}

fn fate(source: &Source, letters: &[u8], group: usize, part: Part, shared: &Shared) -> Fate {
    if !letters.iter().all(|letter| b"ACGT".contains(letter)) {
        return Fate::Ambiguous;
    }
    let frames = open_frames(letters);
    if frames.is_empty() {
        return Fate::Closed;
    }
    if shared.is_foreign(letters) {
        return Fate::Foreign;
    }
    if shared.leaks(letters, part) {
        return Fate::Leaking;
    }
    let (is_virus, kind) = (source.is_virus, source.kind.clone());
    Fate::Kept(Chunk { part, is_virus, kind, group, frames })
}

/// All viral chunks of a part, and hosts up to `hosts_per_virus` times as many. Hosts are drawn with
/// the weight one over the square root of their group's number of chunks, so that neither a few whole
/// genomes nor the many small slices prevail.
pub(crate) fn sample(chunks: &[Chunk], part: Part, hosts_per_virus: f64, seed: u64) -> Vec<Chunk> {
    let members = || chunks.iter().filter(|chunk| chunk.part == part);
    let viral = members().filter(|chunk| chunk.is_virus).count();
    let mut sizes = std::collections::HashMap::new();
    members().filter(|chunk| !chunk.is_virus).for_each(|c| *sizes.entry(c.group).or_insert(0) += 1);
    let mut rng = Rng::new(seed, &format!("hosts {part:?}"));
    // The largest u^(1/w) make a weighted sample (Efraimidis and Spirakis).
    let mut drawn: Vec<(f64, usize)> = chunks
        .iter()
        .enumerate()
        .filter(|(_, chunk)| chunk.part == part && !chunk.is_virus)
        .map(|(i, chunk)| {
            let size = f64::from(*sizes.get(&chunk.group).unwrap_or(&1));
            (rng.uniform().ln() * size.sqrt(), i)
        })
        .collect();
    drawn.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    drawn.truncate((viral as f64 * hosts_per_virus).round() as usize);
    let mut chosen: Vec<usize> = drawn.into_iter().map(|(_, i)| i).collect();
    chosen.extend((0..chunks.len()).filter(|i| chunks[*i].part == part && chunks[*i].is_virus));
    chosen.sort_unstable();
    chosen.into_iter().map(|i| chunks[i].clone()).collect()
}

/// The score of every chunk from those of its frames, in order: that of the most decided frame.
pub(crate) fn score(chunks: &[Chunk], frame_scores: &[f32]) -> Vec<Scored> {
    let mut scores = frame_scores.iter();
    chunks
        .iter()
        .map(|chunk| {
            let decided = |score: &f32| score.max(1.0 - score);
            let own = scores.by_ref().take(chunk.frames.len());
            let score = own.copied().reduce(|a, b| if decided(&b) > decided(&a) { b } else { a });
            Scored {
                is_virus: chunk.is_virus,
                score: score.unwrap_or(0.5),
                kind: chunk.kind.clone(),
                group: chunk.group,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(is_virus: bool, group: usize, frames: usize) -> Chunk {
        let frames = open_frames(&b"GGGGG"[..2 + frames]).into_iter().take(frames).collect();
        Chunk { part: Part::Train, is_virus, kind: String::new(), group, frames }
    }

    #[test]
    fn the_most_decided_frame_speaks_for_its_chunk() {
        let chunks = [chunk(true, 0, 2), chunk(false, 1, 1)];
        let scored = score(&chunks, &[0.6, 0.1, 0.7]);
        assert_eq!(scored.iter().map(|s| s.score).collect::<Vec<_>>(), [0.1, 0.7]);
    }

    #[test]
    fn hosts_are_drawn_from_large_and_small_groups() {
        let mut chunks: Vec<_> = (0..100).map(|_| chunk(true, 0, 1)).collect();
        chunks.extend((0..1000).map(|_| chunk(false, 1, 1)));
        chunks.extend((0..100).map(|_| chunk(false, 2, 1)));
        let drawn = sample(&chunks, Part::Train, 1.0, 1);
        let count = |group| drawn.iter().filter(|chunk| chunk.group == group).count();
        assert_eq!((drawn.len(), count(0)), (200, 100));
        // Weights of 1000 / sqrt(1000) to 100 / sqrt(100): about three to one, not ten to one.
        assert!((15..40).contains(&count(2)), "{}", count(2));
    }
}
