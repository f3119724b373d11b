use crate::stage::Stage;

/// One kind of rows of a run, numbered by itself from 0 in the order of the input, with the stages
/// that it passes through. Windows and parts are those of a track; tracks know nothing of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Track {
    /// The stop-free frames.
    Frames,
    /// The chunks without one; only in a run that scores all chunks.
    ClosedChunks,
}

impl Track {
    /// Every track.
    pub const ALL: [Self; 2] = [Self::Frames, Self::ClosedChunks];

    /// The stages of the track, in the order in which a window passes through them.
    #[must_use]
    pub fn stages(self) -> &'static [Stage] {
        match self {
            Self::Frames => &[Stage::Nucleotide, Stage::Protein, Stage::Scores],
            Self::ClosedChunks => &[Stage::DnaOnly],
        }
    }

    /// The stage in which a row is scored, and done.
    #[must_use]
    pub fn scores(self) -> Stage {
        match self {
            Self::Frames => Stage::Scores,
            Self::ClosedChunks => Stage::DnaOnly,
        }
    }

    /// The tracks of a run.
    pub(crate) fn of_run(score_all: bool) -> &'static [Self] {
        if score_all { &Self::ALL } else { &[Self::Frames] }
    }
}

/// The stages of some tracks.
pub(crate) fn stages(tracks: &[Track]) -> impl Iterator<Item = Stage> + Clone {
    tracks.iter().flat_map(|track| track.stages()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_belongs_to_the_track_that_names_it() {
        for track in Track::ALL {
            assert!(track.stages().iter().all(|stage| stage.track() == track), "{track:?}");
            assert_eq!(track.stages().last(), Some(&track.scores()));
        }
        let names: Vec<&str> = stages(&Track::ALL).map(Stage::name).collect();
        assert_eq!(names, ["nucleotide", "protein", "scores", "dna_only"]);
    }
}
