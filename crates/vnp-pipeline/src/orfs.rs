//! The ORFs of an input as FASTA, without any model.

mod screen;

use std::io;
use std::path::Path;

use vnp_job::publish::{Output, is_special, sweep_abandoned};
use vnp_job::{Input, Spool, StopFlag};
use vnp_seq::{ChunkLength, Encoder, FrameReader};

use crate::error::Error;
use crate::event::Event;
use crate::reading::Tally;
use crate::source::open_stream;
use crate::survey::Survey;

use screen::Screen;

/// Writes the ORFs of the inputs as nucleotide and protein FASTA, and nothing else.
///
/// `strict` refuses a BGZF input that may be truncated. Both files get their names when they are
/// complete; a name that is not a regular file, such as `/dev/stdout`, is written to directly, and on a
/// terminal control characters of ids are escaped. Names
/// decide on the format, see [`Encoder`].
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
    for path in [nucleotide, protein].into_iter().filter(|path| !is_special(path)) {
        // A directory that cannot be listed can still be written to.
        if let Err(error) = sweep_abandoned(directory_of(path)) {
            log::debug!("{error}");
        }
    }
    let create = |path: &Path| {
        let output = Screen::new(Output::create(path.to_owned())?, path);
        Ok::<_, Error>(Encoder::new(output, path)?)
    };
    let (mut nucleotides, mut proteins) = (create(nucleotide)?, create(protein)?);
    // Next to a file that is written; special files lie where none can be made.
    let file = [protein, nucleotide].into_iter().find(|path| !is_special(path));
    let scratch = file.map_or(Path::new("."), directory_of);
    let inputs = Spool::new(inputs, open_stream, scratch, stop)?;
    let reader = FrameReader::open_as(inputs.paths(), inputs.names(), chunk_length)?;
    let mut reader = reader.strict(strict).scratch(scratch);
    let mut tally = Tally::default();
    while let Some(block) = reader.next_block()? {
        stop.check()?;
        let rows = &block.rows;
        vnp_seq::write_nucleotide_fasta(&mut nucleotides, rows).map_err(in_file(nucleotide))?;
        vnp_seq::write_protein_fasta(&mut proteins, rows).map_err(in_file(protein))?;
        tally.add(&block);
        observer(tally.event());
    }
    let survey = tally.finish(&reader, inputs.names())?;
    let screens = (nucleotides.finish(), proteins.finish());
    let nucleotides = screens.0.and_then(Screen::finish).map_err(in_file(nucleotide))?.finish()?;
    let proteins = screens.1.and_then(Screen::finish).map_err(in_file(protein))?.finish()?;
    nucleotides.publish()?;
    proteins.publish()?;
    observer(Event::Surveyed(&survey));
    Ok(survey)
}

/// The directory in which a file lies.
fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An error of writing with the path.
fn in_file(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| vnp_job::io_at("write", path, &error)
}
