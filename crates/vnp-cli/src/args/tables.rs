//! The arguments that say which tables `vnp predict` writes, and in which form: with another choice,
//! `--resume` writes them anew and computes nothing.

use clap::ValueEnum;
use vnp_calls::{CallOptions, GroupPattern};
use vnp_job::publish::Compression;
use vnp_pipeline::{ChunkRows, Compat, ContigCalls, Publishing};

/// Which tables are written, and in which form.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Tables")]
pub(crate) struct TableArgs {
    /// Columns of prediction_results_highestscore.csv: those of VirNucPro, or those of the Broad
    /// Institute's version, which has the largest scores and the order of the input
    #[arg(long, value_name = "TOOL", default_value = "original")]
    compat: CompatArg,
    /// Rows of chunks.tsv [default: all, or scored in a run of more than ten million chunks]
    #[arg(long, value_name = "ROWS")]
    chunks: Option<ChunkRowsArg>,
    /// Also write contig_calls.tsv, by the rules of the Broad Institute's surveillance workflow
    #[arg(long, value_name = "RULES")]
    calls: Option<CallRules>,
    /// Regular expression whose first group names the contig of a chunk id [default: each record is
    /// a contig]
    #[arg(long, value_name = "REGEX", requires = "calls")]
    group_pattern: Option<GroupPattern>,
    /// Least share of confident viral chunks, 0 to 1, of a viral call above low confidence
    #[arg(long, value_name = "X", requires = "calls", default_value = "0.1", value_parser = share)]
    min_viral_prop: f64,
    /// Least share of confident non-viral chunks, 0 to 1, of a non-viral call above low confidence
    #[arg(long, value_name = "X", requires = "calls", default_value = "0.1", value_parser = share)]
    min_nonviral_prop: f64,
    /// Least number of scored chunks of a call above low confidence
    #[arg(long, value_name = "N", requires = "calls", default_value = "5")]
    min_chunks: u64,
    /// Compress tables and FASTA in blocks of gzip (bgzip)
    #[arg(long)]
    gzip: bool,
    /// Also write the ORFs as nucleotide and protein FASTA
    #[arg(short, long)]
    keep_intermediate: bool,
}

/// `--compat`
#[derive(Clone, Copy, Debug, ValueEnum)]
enum CompatArg {
    Original,
    Broad,
}

/// `--calls`
#[derive(Clone, Copy, Debug, ValueEnum)]
enum CallRules {
    Broad,
}

/// `--chunks`
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ChunkRowsArg {
    /// Every chunk of every record
    All,
    /// Those with a score
    Scored,
    /// No chunks.tsv
    None,
}

impl TableArgs {
    /// What the run is to publish.
    pub(crate) fn publishing(&self) -> Publishing {
        let options = CallOptions {
            min_viral_proportion: self.min_viral_prop,
            min_nonviral_proportion: self.min_nonviral_prop,
            min_chunks: self.min_chunks,
        };
        let group_pattern = self.group_pattern.clone();
        Publishing {
            compat: match self.compat {
                CompatArg::Original => Compat::Original,
                CompatArg::Broad => Compat::Broad,
            },
            chunks: self.chunks.map(|rows| match rows {
                ChunkRowsArg::All => ChunkRows::All,
                ChunkRowsArg::Scored => ChunkRows::Scored,
                ChunkRowsArg::None => ChunkRows::None,
            }),
            calls: self.calls.map(|CallRules::Broad| ContigCalls { options, group_pattern }),
            compression: if self.gzip { Compression::Bgzf } else { Compression::None },
            keep_frames: self.keep_intermediate,
        }
    }
}

/// A share from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("not a number from 0 to 1".to_owned()),
    }
}
