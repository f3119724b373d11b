use vnp_seq::{Block, FrameRow, OrflessChunk};

/// What a row of a run is made of.
pub(crate) trait Row: Send + Sync + Sized + 'static {
    /// The id that parts record.
    fn id(&self) -> &str;

    /// The nucleotides from which everything in the row follows.
    fn nucleotide(&self) -> &str;

    /// The rows of this kind in a block of the input.
    fn of_block(block: Block) -> Vec<Self>;
}

impl Row for FrameRow {
    fn id(&self) -> &str {
        &self.id
    }

    fn nucleotide(&self) -> &str {
        &self.nucleotide
    }

    fn of_block(block: Block) -> Vec<Self> {
        block.rows
    }
}

impl Row for OrflessChunk {
    fn id(&self) -> &str {
        &self.id
    }

    fn nucleotide(&self) -> &str {
        &self.nucleotide
    }

    fn of_block(block: Block) -> Vec<Self> {
        block.orfless
    }
}
