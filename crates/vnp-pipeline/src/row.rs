//! The rows of a run as they come from the input: ORFs, and chunks without one.

use vnp_job::parts::RowSource;
use vnp_seq::{Block, FrameRow, OrflessChunk};

/// One row of a track.
pub(crate) trait Row: Send + Sync + Sized + 'static {
    /// Id and nucleotides, from which everything in the row follows.
    fn source(&self) -> RowSource<'_>;

    /// The rows of this kind in a block of the input.
    fn of_block(block: Block) -> Vec<Self>;
}

impl Row for FrameRow {
    fn source(&self) -> RowSource<'_> {
        RowSource { id: &self.id, nucleotide: &self.nucleotide }
    }

    fn of_block(block: Block) -> Vec<Self> {
        block.rows
    }
}

impl Row for OrflessChunk {
    fn source(&self) -> RowSource<'_> {
        RowSource { id: &self.id, nucleotide: &self.nucleotide }
    }

    fn of_block(block: Block) -> Vec<Self> {
        block.orfless
    }
}
