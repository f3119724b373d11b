//! Frames, chunks without an ORF and records of a block, in the order of the input.

use std::iter::Peekable;
use std::vec::IntoIter;

use vnp_seq::{Block, FrameRow, OrflessChunk, RecordOutcome};

/// Something that a block holds.
#[derive(Debug)]
pub(super) enum Item {
    Frame(FrameRow),
    OrflessChunk(OrflessChunk),
    /// The record's last chunk was before this.
    End(RecordOutcome),
}

/// What a block holds, one after the other as it lies in the input.
pub(super) struct InOrder {
    frames: Peekable<IntoIter<FrameRow>>,
    orfless: Peekable<IntoIter<OrflessChunk>>,
    records: Peekable<IntoIter<RecordOutcome>>,
}

impl InOrder {
    pub(super) fn new(block: Block) -> Self {
        Self {
            frames: block.rows.into_iter().peekable(),
            orfless: block.orfless.into_iter().peekable(),
            records: block.records.into_iter().peekable(),
        }
    }
}

impl Iterator for InOrder {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        // By record, then by chunk; a record ends behind all of its chunks.
        let frame =
            self.frames.peek().map(|frame| (frame.record.number, u64::from(frame.chunk.index)));
        let orfless =
            self.orfless.peek().map(|chunk| (chunk.record.number, u64::from(chunk.chunk.index)));
        let end = self.records.peek().map(|ended| (ended.record.number, u64::MAX));
        let first = [frame, orfless, end].into_iter().flatten().min()?;
        if Some(first) == frame {
            self.frames.next().map(Item::Frame)
        } else if Some(first) == orfless {
            self.orfless.next().map(Item::OrflessChunk)
        } else {
            self.records.next().map(Item::End)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use vnp_seq::{ChunkPosition, Frame, RecordHead, RecordStatus};

    fn head(number: u64) -> Arc<RecordHead> {
        Arc::new(RecordHead { number, id: format!("e{number}"), ..RecordHead::default() })
    }

    fn chunk(index: u32) -> ChunkPosition {
        ChunkPosition { index, start_bp: 0, end_bp: 3 }
    }

    fn frame(record: u64, index: u32) -> FrameRow {
        let (id, nucleotide, protein) = (format!("f{record}.{index}"), "A".into(), "A".into());
        let record = head(record);
        FrameRow { id, record, chunk: chunk(index), frame: Frame::F1, nucleotide, protein }
    }

    fn orfless(record: u64, index: u32) -> OrflessChunk {
        let (id, nucleotide) = (format!("c{record}.{index}"), "TAA".into());
        OrflessChunk { id, record: head(record), chunk: chunk(index), nucleotide }
    }

    fn end(record: u64) -> RecordOutcome {
        RecordOutcome {
            record: head(record),
            length_bp: 3,
            chunks: 1,
            chunks_with_frames: 0,
            frames: 0,
            status: RecordStatus::NoOrf,
        }
    }

    #[track_caller]
    fn check(block: Block, expected: &str) {
        let ids: Vec<String> = InOrder::new(block)
            .map(|item| match item {
                Item::Frame(frame) => frame.id,
                Item::OrflessChunk(chunk) => chunk.id,
                Item::End(ended) => ended.record.id.clone(),
            })
            .collect();
        assert_eq!(ids.join(" "), expected);
    }

    #[test]
    fn a_block_comes_in_the_order_of_the_input() {
        check(Block::default(), "");
        check(
            Block {
                rows: vec![frame(1, 0), frame(1, 0), frame(1, 2), frame(3, 0)],
                orfless: vec![orfless(0, 7), orfless(1, 1), orfless(3, 1), orfless(3, 2)],
                records: vec![end(0), end(1), end(2)],
            },
            "c0.7 e0 f1.0 f1.0 c1.1 f1.2 e1 e2 f3.0 c3.1 c3.2",
        );
    }
}
