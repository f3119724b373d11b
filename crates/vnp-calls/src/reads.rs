//! Reads from contigs: a read has the call of the contig that its best alignment leads to, or, where its
//! alignments lead to contigs of different calls, the call `Multi-mapped`.
//!
//! The alignments are read twice. The first time shows whether identity and coverage are fractions, which
//! only the end of a file says, and whether the alignments of each read stand together, as minimap2 writes
//! them. If they do, a row is written as soon as the next read begins; otherwise reads are brought together
//! on disk. Memory is bounded by the table of calls either way.

mod alignment;
mod bam;
mod contigs;
pub(crate) mod keep;
mod lines;
mod paf;
mod read;
pub(crate) mod rows;
pub(crate) mod source;
pub(crate) mod summary;

use std::path::Path;

use twox_hash::XxHash3_64;
use vnp_job::publish::{is_special, sweep_abandoned};
use vnp_job::sorter::Sorter;
use vnp_job::{Input, Refusal, SpooledInput, StopFlag};

use crate::error::Error;
use crate::keyed::Keyed;
use crate::pattern::GroupPattern;
use alignment::Alignment;
use contigs::{Contigs, Found};
use keep::KeepCalls;
use read::{Reads, mate};
use rows::Rows;
use source::{AlignmentFormat, Source};
use summary::ReadsSummary;

/// Memory for what is sorted, half of which is used at a time.
const BUFFER_BYTES: usize = 64 << 20;
/// How many alignments are read between two looks at the stop flag.
const STEP: u64 = 1 << 12;

/// What a user may set about reads.
#[derive(Clone, Debug)]
pub struct ReadsOptions {
    /// The least mapping quality of an alignment that is mapped well.
    pub min_mapq: u64,
    /// The least identity, in percent, of an alignment that is mapped well.
    pub min_identity_percent: f64,
    /// The least share of the read, in percent, in an alignment that is mapped well.
    pub min_query_cov_percent: f64,
    /// What names the group of a contig; without it a contig is found by its id.
    pub pattern: Option<GroupPattern>,
    /// One row for each pair instead of one for each read.
    pub collapse_mates: bool,
    /// The calls of the reads that are listed.
    pub keep: KeepCalls,
}

impl Default for ReadsOptions {
    fn default() -> Self {
        Self {
            min_mapq: 5,
            min_identity_percent: 90.0,
            min_query_cov_percent: 80.0,
            pattern: None,
            collapse_mates: false,
            keep: KeepCalls::default(),
        }
    }
}

/// Writes the table of reads to `output`, and the ids of the reads to keep to `keep_ids`, one per line.
///
/// `calls` is a table as [`ContigTable`](crate::ContigTable) writes it. A stream, or a pipe, is copied beside
/// the output first. Both files get their names when both are complete, in place of earlier ones; a name
/// that is not a regular file, such as `/dev/stdout`, is written to directly.
///
/// # Errors
/// [`Error::Format`] and [`Error::Row`] of `calls` and of the alignments; errors of reading and writing;
/// [`Error::Interrupted`] when a stop was requested. Then neither file is written.
pub fn call_reads(
    calls: &Path,
    alignments: Input,
    format: AlignmentFormat,
    options: &ReadsOptions,
    output: &Path,
    keep_ids: Option<&Path>,
    stop: &StopFlag,
) -> Result<ReadsSummary, Error> {
    // Next to a file that is written; special files lie where none can be made.
    let file = std::iter::once(output).chain(keep_ids).find(|path| !is_special(path));
    let scratch = file.map_or(Path::new("."), directory_of);
    // A directory that cannot be listed can still be written to.
    if let Err(error) = sweep_abandoned(scratch) {
        log::debug!("{error}");
    }
    let contigs = Contigs::read(calls, options.pattern.clone())?;
    let mut summary = ReadsSummary {
        contigs: contigs.len() as u64,
        unmatched_contigs: contigs.unmatched,
        ..ReadsSummary::default()
    };
    let keep = keep_ids.map(|path| (path, options.keep.clone()));
    // Before the alignments are read: what cannot be written is refused at once.
    let mut rows = Rows::create(output, keep, &contigs, options.collapse_mates)?;
    let spooled = SpooledInput::new(alignments, open_stream, scratch, stop)?;
    let (path, name) = (spooled.path(), spooled.name());
    survey(&mut Source::open(format, path, name)?, options, scratch, &mut summary, stop)?;
    let mut source = Source::open(format, path, name)?;
    let mut reading = Reading { options, contigs: &contigs, summary: &mut summary };
    if reading.summary.is_grouped {
        reading.each(&mut source, stop, |reads, _, summary| rows.write(&reads, summary))?;
    } else {
        let mut keyed = Keyed::new(scratch, BUFFER_BYTES);
        reading.each(&mut source, stop, |reads, key, _| keyed.add(key, &reads))?;
        let mut written = 0_u64;
        keyed.finish(|reads: Reads| {
            written += 1;
            if written.is_multiple_of(STEP) {
                stop.check()?;
            }
            rows.write(&reads, &mut summary)
        })?;
    }
    stop.check()?;
    let (table, list) = rows.finish()?;
    table.publish()?;
    if let Some(list) = list {
        list.publish()?;
    }
    Ok(summary)
}

/// Reads all alignments for what only their end shows.
fn survey(
    source: &mut Source,
    options: &ReadsOptions,
    scratch: &Path,
    summary: &mut ReadsSummary,
    stop: &StopFlag,
) -> Result<(), Error> {
    // A read whose alignments stand together has one hash here. Two reads of one hash, which are rare, have
    // the alignments sorted, and that gives the same table.
    let mut hashes: Sorter<u64> = Sorter::with_buffer(scratch, BUFFER_BYTES / 2);
    let mut current: Option<Vec<u8>> = None;
    while source.advance()? {
        summary.alignments += 1;
        if summary.alignments.is_multiple_of(STEP) {
            stop.check()?;
        }
        let key = options.key(source.read());
        if current.as_deref() != Some(key) {
            hashes.push(XxHash3_64::oneshot(key))?;
            let current = current.get_or_insert_default();
            current.clear();
            current.extend_from_slice(key);
        }
    }
    match source {
        Source::Paf(paf) => {
            (summary.short_rows, summary.secondary) = (paf.short, paf.secondary);
            summary.are_fractions = paf.are_fractions();
        }
        Source::Bam(bam) => {
            (summary.unmapped, summary.secondary) = (bam.unmapped, bam.secondary);
        }
    }
    let mut earlier = None;
    summary.is_grouped = true;
    for hash in hashes.finish()? {
        let hash = hash?;
        if earlier.replace(hash) == Some(hash) {
            summary.is_grouped = false;
            break;
        }
    }
    Ok(())
}

/// The second reading.
struct Reading<'a> {
    options: &'a ReadsOptions,
    contigs: &'a Contigs,
    summary: &'a mut ReadsSummary,
}

impl Reading<'_> {
    /// Gives what stands together to `each`, with its key.
    fn each(
        &mut self,
        source: &mut Source,
        stop: &StopFlag,
        mut each: impl FnMut(Reads, &[u8], &mut ReadsSummary) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut current: Option<(Vec<u8>, Reads)> = None;
        let mut count = 0_u64;
        while source.advance()? {
            count += 1;
            if count.is_multiple_of(STEP) {
                stop.check()?;
            }
            let key = self.options.key(source.read());
            if current.as_ref().is_none_or(|(same, _)| same != key) {
                let next = (key.to_vec(), Reads::default());
                if let Some((key, reads)) = current.replace(next) {
                    each(reads, &key, self.summary)?;
                }
            }
            if let Some((_, reads)) = &mut current {
                self.add(source.read(), &source.alignment()?, reads);
            }
        }
        match current {
            Some((key, reads)) => each(reads, &key, self.summary),
            None => Ok(()),
        }
    }

    fn add(&mut self, read: &[u8], alignment: &Alignment<'_>, reads: &mut Reads) {
        let found = self.contigs.find(alignment.contig);
        self.summary.unmatched_alignments += u64::from(found == Found::Unmatched);
        let rank = (alignment.mapq, alignment.identity.value, found.call());
        let is_mapped_well = self.options.is_mapped_well(alignment, self.summary.are_fractions);
        reads.add(read, rank, || {
            let (tier, rest) = found.tier_and_rest();
            (alignment.columns(is_mapped_well), tier.to_vec(), rest.to_vec())
        });
    }
}

impl ReadsOptions {
    /// What the rows of a table are about: reads, or pairs.
    fn key<'a>(&self, read: &'a [u8]) -> &'a [u8] {
        if self.collapse_mates { mate(read).0 } else { read }
    }

    fn is_mapped_well(&self, alignment: &Alignment<'_>, are_fractions: bool) -> bool {
        let scale = if are_fractions { 100.0 } else { 1.0 };
        alignment.mapq >= self.min_mapq
            && alignment.identity.value >= self.min_identity_percent / scale
            && alignment.coverage.value >= self.min_query_cov_percent / scale
    }
}

/// Opens an input that is copied. What it holds is checked when the copy is read.
fn open_stream(input: Input) -> Result<Box<dyn std::io::Read + Send>, Refusal> {
    Ok(match input {
        Input::File(path) => Box::new(fs_err::File::open(path)?),
        Input::Stream(stream) => stream,
    })
}

/// The directory in which a file lies.
fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
