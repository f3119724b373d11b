use vnp_seq::ChunkLength;

use super::stdin;
use crate::args::OrfsArgs;
use crate::exit::Exit;
use crate::logging::Console;
use crate::output::grouped;
use crate::progress::Progress;
use crate::signals;

/// `vnp orfs`: exit 2 if some records are no nucleotide sequences, 1 if none is one.
pub(crate) fn run(args: &OrfsArgs, console: &Console) -> anyhow::Result<Exit> {
    super::use_threads(args.threads)?;
    let inputs = stdin::inputs(&args.input)?;
    let length = ChunkLength::new(args.expected_length)?;
    let stop = signals::listen()?;
    let progress = Progress::new(console);
    let (nucleotide, protein) = (&args.nucleotide, &args.protein);
    let survey = vnp_pipeline::orfs(inputs, length, nucleotide, protein, &progress, &stop)?;
    let Some(survey) = survey else {
        return Ok(Exit::Interrupted(stop.requested().unwrap_or_default()));
    };
    log::info!(
        "{} records without an open frame, {} too short, {} empty, {} failed",
        grouped(survey.no_open_frame),
        grouped(survey.too_short),
        grouped(survey.empty),
        grouped(survey.failed),
    );
    Ok(if survey.failed == 0 { Exit::Done } else { Exit::Partial })
}
