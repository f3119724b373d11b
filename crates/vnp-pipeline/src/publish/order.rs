//! Chunks with their rows and records of a block, in the order of the input.

use std::iter::Peekable;
use std::vec::IntoIter;

use vnp_seq::{Block, FrameRow, OrflessChunk, RecordChunk, RecordOutcome};

/// Something that a block holds.
#[derive(Debug)]
pub(super) enum Item {
    Chunk(ChunkRows),
    /// The record's last chunk was before this.
    End(RecordOutcome),
}

/// A chunk with what there is to score of it.
#[derive(Debug)]
pub(super) struct ChunkRows {
    pub(super) chunk: RecordChunk,
    /// Its ORFs.
    pub(super) frames: Vec<FrameRow>,
    /// The chunk itself, if it has no ORF and such chunks are scored.
    pub(super) orfless: Option<OrflessChunk>,
}

/// What a block holds, one after the other as it lies in the input.
pub(super) struct InOrder {
    chunks: Peekable<IntoIter<RecordChunk>>,
    frames: Peekable<IntoIter<FrameRow>>,
    orfless: Peekable<IntoIter<OrflessChunk>>,
    records: Peekable<IntoIter<RecordOutcome>>,
}

impl InOrder {
    pub(super) fn new(block: Block) -> Self {
        Self {
            chunks: block.chunks.into_iter().peekable(),
            frames: block.rows.into_iter().peekable(),
            orfless: block.orfless.into_iter().peekable(),
            records: block.records.into_iter().peekable(),
        }
    }

    fn rows_of(&mut self, chunk: RecordChunk) -> ChunkRows {
        let place = (chunk.record.number, chunk.position);
        let mut frames = Vec::new();
        while let Some(frame) =
            self.frames.next_if(|frame| (frame.record.number, frame.chunk) == place)
        {
            frames.push(frame);
        }
        let orfless =
            self.orfless.next_if(|orfless| (orfless.record.number, orfless.chunk) == place);
        ChunkRows { chunk, frames, orfless }
    }
}

impl Iterator for InOrder {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        // A record ends behind all of its chunks.
        let ends = self.records.peek().map(|ended| ended.record.number);
        let is_next = |chunk: &RecordChunk| ends.is_none_or(|ends| chunk.record.number <= ends);
        match self.chunks.next_if(is_next) {
            Some(chunk) => Some(Item::Chunk(self.rows_of(chunk))),
            None => self.records.next().map(Item::End),
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
                Item::Chunk(rows) => {
                    let number = rows.chunk.record.number;
                    let frames = rows.frames.iter().map(|frame| frame.id.as_str());
                    let orfless = rows.orfless.as_ref().map(|chunk| chunk.id.as_str());
                    let rows: Vec<&str> = frames.chain(orfless).collect();
                    format!("{number}({})", rows.join(" "))
                }
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
                chunks: [(0, 7), (1, 0), (1, 1), (1, 2), (1, 3), (3, 0), (3, 1), (3, 2)]
                    .map(|(record, index)| RecordChunk {
                        record: head(record),
                        position: chunk(index),
                    })
                    .into(),
                rows: vec![frame(1, 0), frame(1, 0), frame(1, 2), frame(3, 0)],
                orfless: vec![orfless(0, 7), orfless(1, 1), orfless(3, 1), orfless(3, 2)],
                records: vec![end(0), end(1), end(2)],
            },
            "0(c0.7) e0 1(f1.0 f1.0) 1(c1.1) 1(f1.2) 1() e1 e2 3(f3.0) 3(c3.1) 3(c3.2)",
        );
    }
}
