//! The steps through which a row passes.

use std::fmt;

use super::track::Track;

/// One step of a run. Its finished rows lie in parts below `OUT/checkpoints/{stage}`; those of
/// `vnp embed`, whose rows are whole records, below `OUT.parts/checkpoints/{stage}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// DNABERT-S embeddings of the frames' nucleotides.
    Nucleotide,
    /// ESM-2 embeddings of the frames' proteins.
    Protein,
    /// The head's two scores per frame.
    Scores,
    /// The nucleotide-only head's two scores per chunk without an ORF: the means of those of its
    /// two strands, each embedded by DNABERT-S from its first base to its last.
    NucleotideOnly,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 4] =
        [Self::Nucleotide, Self::Protein, Self::Scores, Self::NucleotideOnly];
    /// The stages whose parts are deleted once their rows are scored.
    pub const EMBEDDINGS: [Self; 2] = [Self::Nucleotide, Self::Protein];
    /// The stages in which an encoder is at work, which is what takes time.
    pub const ENCODED: [Self; 3] = [Self::Nucleotide, Self::Protein, Self::NucleotideOnly];

    /// The stages of a track, in the order in which a window passes through them.
    #[must_use]
    pub fn of_track(track: Track) -> &'static [Self] {
        match track {
            Track::Frames => &[Self::Nucleotide, Self::Protein, Self::Scores],
            Track::OrflessChunks => &[Self::NucleotideOnly],
        }
    }

    /// The stages of some tracks.
    pub fn of_tracks(tracks: &[Track]) -> impl Iterator<Item = Self> + Clone {
        tracks.iter().flat_map(|&track| Self::of_track(track)).copied()
    }

    /// The stage that gives the rows of a track their scores.
    #[must_use]
    pub fn scoring(track: Track) -> Self {
        match track {
            Track::Frames => Self::Scores,
            Track::OrflessChunks => Self::NucleotideOnly,
        }
    }

    /// The rows that pass through it.
    #[must_use]
    pub fn track(self) -> Track {
        match self {
            Self::Nucleotide | Self::Protein | Self::Scores => Track::Frames,
            Self::NucleotideOnly => Track::OrflessChunks,
        }
    }

    /// The stage's directory below `checkpoints`, and the `kind` of its parts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nucleotide => "nucleotide",
            Self::Protein => "protein",
            Self::Scores => "scores",
            Self::NucleotideOnly => "dna_only",
        }
    }

    /// The tensor that holds the stage's values: `embedding` `[rows, hidden]` or `scores` `[rows, 2]`.
    #[must_use]
    pub fn tensor(self) -> &'static str {
        match self {
            Self::Nucleotide | Self::Protein => "embedding",
            Self::Scores | Self::NucleotideOnly => "scores",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_belongs_to_the_track_that_names_it() {
        for track in Track::ALL {
            assert!(Stage::of_track(track).iter().all(|stage| stage.track() == track), "{track:?}");
            assert_eq!(Stage::of_track(track).last(), Some(&Stage::scoring(track)));
        }
        let names: Vec<&str> = Stage::of_tracks(&Track::ALL).map(Stage::name).collect();
        assert_eq!(names, ["nucleotide", "protein", "scores", "dna_only"]);
        assert_eq!(names, Stage::ALL.map(Stage::name));
    }
}
