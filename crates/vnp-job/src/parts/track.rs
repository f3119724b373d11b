//! The two kinds of rows of a run.

/// One kind of rows of a run, numbered by itself from 0 in the order of the input. Windows and parts
/// are those of a track; tracks know nothing of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Track {
    /// The stop-free reading frames (ORFs).
    Frames,
    /// The chunks without an ORF; only in a run that scores all chunks.
    OrflessChunks,
}

impl Track {
    /// Every track.
    pub const ALL: [Self; 2] = [Self::Frames, Self::OrflessChunks];

    /// The tracks of a run.
    #[must_use]
    pub fn of_run(score_all: bool) -> &'static [Self] {
        if score_all { &Self::ALL } else { &[Self::Frames] }
    }
}
