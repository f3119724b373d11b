//! `vnp orfs`: writes the ORFs of the input as FASTA.

use vnp_job::StopFlag;
use vnp_seq::ChunkLength;

use super::stdin;
use super::threads::use_threads;
use crate::args::OrfsArgs;
use crate::exit::{self, Exit};
use crate::logging::Console;
use crate::output::{counted, grouped};
use crate::paths::standard_output;
use crate::progress::Progress;

/// `vnp orfs`: exit 2 if some records are not nucleotide sequences, 1 if none of them is.
pub(crate) fn run(args: &OrfsArgs, console: &Console, stop: &StopFlag) -> anyhow::Result<Exit> {
    use_threads(args.threads)?;
    let inputs = stdin::inputs(&args.input)?;
    let length = ChunkLength::new(args.expected_length)?;
    let progress = Progress::new(console);
    let (nucleotide, protein) =
        (&standard_output(&args.nucleotide), &standard_output(&args.protein));
    let observer = |event: vnp_pipeline::Event<'_>| progress.event(event);
    let found =
        vnp_pipeline::orfs(inputs, length, args.strict_input, nucleotide, protein, &observer, stop);
    let survey = match found {
        Ok(survey) => survey,
        // Nothing was saved, so the message must not advise to continue.
        Err(error) => {
            if let Some(interrupted) = error.interrupted() {
                log::warn!("interrupted by {}: nothing was written", interrupted.cause());
                return Ok(exit::of_error(&error.into()));
            }
            return Err(error.into());
        }
    };
    log::info!(
        "{} without an ORF, {} too short, {} empty, {} failed",
        counted(survey.no_open_frame, "record"),
        grouped(survey.too_short),
        grouped(survey.empty),
        grouped(survey.failed),
    );
    Ok(if survey.failed == 0 { Exit::Done } else { Exit::Partial })
}
