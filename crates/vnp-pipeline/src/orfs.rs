//! The ORFs of an input as FASTA, without any model.

use std::path::Path;

use vnp_job::publish::Output;
use vnp_job::{Input, Spool, StopFlag};
use vnp_seq::{ChunkLength, FrameReader};

use crate::error::Error;
use crate::event::Event;
use crate::reading::Tally;
use crate::survey::Survey;

/// Writes the ORFs of the inputs as nucleotide and protein FASTA, and nothing else.
///
/// `strict` refuses a BGZF input that may be truncated. Both files get their names when they are complete; a name that is not a regular file, such
/// as `/dev/stdout`, is written to directly.
///
/// # Errors
/// As [`predict`](crate::predict), of the input and of writing; [`Error::Interrupted`] when a stop
/// was requested: then neither file is written.
pub fn orfs(
    inputs: Vec<Input>,
    chunk_length: ChunkLength,
    strict: bool,
    nucleotide: &Path,
    protein: &Path,
    observer: &dyn Fn(Event<'_>),
    stop: &StopFlag,
) -> Result<Survey, Error> {
    let mut nucleotides = Output::create(nucleotide.to_owned())?;
    let mut proteins = Output::create(protein.to_owned())?;
    let scratch = protein.parent().filter(|dir| !dir.as_os_str().is_empty());
    let scratch = scratch.unwrap_or(Path::new("."));
    let inputs = Spool::new(inputs, scratch, stop)?;
    let reader = FrameReader::open(inputs.paths(), chunk_length)?;
    let mut reader = reader.strict(strict).scratch(scratch);
    let mut tally = Tally::default();
    while let Some(block) = reader.next_block()? {
        stop.check()?;
        let rows = &block.rows;
        nucleotides.rows_with(rows.len(), |out| vnp_seq::write_nucleotide_fasta(out, rows))?;
        proteins.rows_with(rows.len(), |out| vnp_seq::write_protein_fasta(out, rows))?;
        tally.add(&block);
        observer(tally.event());
    }
    let survey = tally.finish(&reader)?;
    let (nucleotides, proteins) = (nucleotides.finish()?, proteins.finish()?);
    nucleotides.publish()?;
    proteins.publish()?;
    observer(Event::Surveyed(&survey));
    Ok(survey)
}
