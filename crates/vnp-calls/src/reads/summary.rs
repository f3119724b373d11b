//! What was counted while reads were called.

/// Calls that are counted one by one: there are few, but a table may hold anything.
const CALLS: usize = 100;

/// What became of the alignments, and which calls the reads have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadsSummary {
    /// Contigs, or groups, with a call.
    pub contigs: u64,
    /// Rows of the table of calls whose id does not match the pattern.
    pub unmatched_contigs: u64,
    /// Alignments that were used.
    pub alignments: u64,
    /// Rows of PAF without the last two columns of the others: left out.
    pub short_rows: u64,
    /// Secondary alignments and inversions: left out.
    pub secondary: u64,
    /// Records of BAM without an alignment: left out.
    pub unmapped: u64,
    /// Alignments to contigs whose id does not match the pattern: `Unclassified`.
    pub unmatched_alignments: u64,
    /// Whether identity and coverage are fractions in the PAF file.
    pub are_fractions: bool,
    /// Whether the alignments of each read stood together, so that nothing had to be sorted.
    pub is_grouped: bool,
    /// Rows of the table: reads, or pairs.
    pub reads: u64,
    /// Rows by call, in the order in which calls came first.
    pub by_call: Vec<(String, u64)>,
    /// Ids in the list of reads to keep.
    pub kept: u64,
}

impl ReadsSummary {
    /// Counts a row.
    pub(crate) fn count(&mut self, call: &[u8]) {
        self.reads += 1;
        if let Some((_, count)) =
            self.by_call.iter_mut().find(|(known, _)| known.as_bytes() == call)
        {
            *count += 1;
        } else if self.by_call.len() < CALLS {
            self.by_call.push((String::from_utf8_lossy(call).into_owned(), 1));
        }
    }
}
