//! The arguments of `vnp reads`.

use std::path::PathBuf;

use vnp_calls::{GroupPattern, KeepCalls};

/// `vnp reads`
#[derive(Debug, clap::Args)]
pub(crate) struct ReadsArgs {
    /// Table of contig calls (contig_calls.tsv of predict --calls broad), plain or compressed
    pub(crate) calls: PathBuf,
    #[command(flatten)]
    pub(crate) alignments: AlignmentArgs,
    /// File to write the table to, as plain text; an existing file is replaced; - for standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Least mapping quality of an alignment that is mapped well
    #[arg(long, value_name = "Q", default_value = "5", help_heading = "Alignments")]
    pub(crate) min_mapq: u64,
    /// Least identity, in percent, of an alignment that is mapped well
    #[arg(long, value_name = "PERCENT", default_value = "90", value_parser = percent, help_heading = "Alignments")]
    pub(crate) min_identity: f64,
    /// Least share of the read, in percent, in an alignment that is mapped well
    #[arg(long, value_name = "PERCENT", default_value = "80", value_parser = percent, help_heading = "Alignments")]
    pub(crate) min_query_cov: f64,
    /// Regular expression whose first group, in parentheses, names the group of a contig; for calls
    /// that were made with the same one
    #[arg(long, value_name = "REGEX", help_heading = "Alignments")]
    pub(crate) group_pattern: Option<GroupPattern>,

    /// One row for each pair: reads whose names differ only in /1 and /2 at the end
    #[arg(long, help_heading = "Reads")]
    pub(crate) collapse_mates: bool,
    /// File to write the names of reads to keep to, one per line; an existing file is replaced
    #[arg(long, value_name = "FILE", help_heading = "Reads")]
    pub(crate) keep_ids: Option<PathBuf>,
    /// Calls of the reads to keep, of viral, non-viral, ambiguous, unclassified and multi-mapped
    /// [default: viral,unclassified,ambiguous,multi-mapped]
    #[arg(long, value_name = "LIST", requires = "keep_ids", help_heading = "Reads")]
    pub(crate) keep: Option<KeepCalls>,
}

/// Where the alignments are.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct AlignmentArgs {
    /// Alignments of reads to the contigs as PAF, plain or compressed (gzip, bgzip, bzip2, xz, zstd);
    /// - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) paf: Option<PathBuf>,
    /// Alignments of reads to the contigs as BAM; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) bam: Option<PathBuf>,
}

impl AlignmentArgs {
    /// The option that is given, and its file.
    pub(crate) fn given(&self) -> Option<(&'static str, &PathBuf)> {
        let paf = self.paf.as_ref().map(|path| ("--paf", path));
        paf.or_else(|| self.bam.as_ref().map(|path| ("--bam", path)))
    }
}

/// A number of percent, 0 to 100.
fn percent(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (0.0..=100.0).contains(value));
    value.ok_or_else(|| "expected a number of percent, 0 to 100".to_owned())
}
