use vnp_seq::FrameRow;

/// Rows that are kept at most.
const MOST: usize = 128;

/// Every n-th row, n being the smallest power of two for which they are few enough.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    step: u64,
    seen: u64,
    rows: Vec<[String; 2]>,
}

impl Default for Sample {
    fn default() -> Self {
        Self { step: 1, seen: 0, rows: Vec::new() }
    }
}

impl Sample {
    pub(super) fn add(&mut self, frame: &FrameRow) {
        let row = self.seen;
        self.seen += 1;
        if row.is_multiple_of(self.step) && self.rows.len() == MOST {
            let mut kept = false;
            self.rows.retain(|_| {
                kept = !kept;
                kept
            });
            self.step *= 2;
        }
        if row.is_multiple_of(self.step) {
            self.rows.push([frame.nucleotide.clone(), frame.protein.clone()]);
        }
    }

    pub(super) fn nucleotides(&self) -> Vec<&str> {
        self.rows.iter().map(|[nucleotide, _]| nucleotide.as_str()).collect()
    }

    pub(super) fn proteins(&self) -> Vec<&str> {
        self.rows.iter().map(|[_, protein]| protein.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rows: usize, kept: usize, step: usize) {
        let mut sample = Sample::default();
        for row in 0..rows {
            sample.add(&FrameRow {
                id: String::new(),
                record: 0,
                chunk: vnp_seq::ChunkPosition { index: 0, start_bp: 0, end_bp: 3 },
                frame: vnp_seq::Frame::F1,
                nucleotide: row.to_string(),
                protein: String::new(),
            });
        }
        let expected: Vec<String> = (0..kept).map(|i| (i * step).to_string()).collect();
        assert_eq!(sample.nucleotides(), expected, "of {rows}");
        assert_eq!(sample.proteins().len(), kept);
    }

    #[test]
    fn a_sample_is_spread_over_all_rows() {
        check(0, 0, 1);
        check(5, 5, 1);
        check(128, 128, 1);
        check(129, 65, 2);
        check(256, 128, 2);
        check(257, 65, 4);
        check(10_000, 79, 128);
    }
}
