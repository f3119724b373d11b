use std::path::Path;

use vnp_seq::{ChunkLength, FrameReader};

use crate::error::Error;
use crate::observer::{Event, Observer};
use crate::options::Input;
use crate::results::Output;
use crate::spool::Spool;
use crate::stop::StopFlag;
use crate::survey::{Survey, Tally};

/// Writes the stop-free frames of the inputs as nucleotide and protein FASTA, and nothing else.
///
/// Both files get their names when they are complete; a name that is no regular file, such as
/// `/dev/stdout`, is written to as it goes. `None` when a stop was asked for: then neither is
/// written.
///
/// # Errors
/// As [`predict`](crate::predict), of the input and of writing.
pub fn orfs(
    inputs: Vec<Input>,
    chunk_length: ChunkLength,
    nucleotide: &Path,
    protein: &Path,
    observer: &dyn Observer,
    stop: &StopFlag,
) -> Result<Option<Survey>, Error> {
    let mut nucleotides = Output::create(nucleotide.to_owned())?;
    let mut proteins = Output::create(protein.to_owned())?;
    let scratch = protein.parent().filter(|dir| !dir.as_os_str().is_empty());
    let Some(inputs) = Spool::of(inputs, scratch.unwrap_or(Path::new(".")), stop)? else {
        return Ok(None);
    };
    let mut reader = FrameReader::open(inputs.paths(), chunk_length)?;
    let mut tally = Tally::default();
    while let Some(block) = reader.next_block()? {
        if stop.requested().is_some() {
            return Ok(None);
        }
        let rows = &block.rows;
        nucleotides.rows_with(rows.len(), |out| vnp_seq::write_nucleotide_fasta(out, rows))?;
        proteins.rows_with(rows.len(), |out| vnp_seq::write_protein_fasta(out, rows))?;
        tally.add(&block);
        observer.event(tally.event());
    }
    let survey = tally.finish(&reader)?;
    let (nucleotides, proteins) = (nucleotides.finish()?, proteins.finish()?);
    nucleotides.publish()?;
    proteins.publish()?;
    observer.event(Event::Surveyed(&survey));
    Ok(Some(survey))
}
