//! The rows of `reads.tsv`, and the list of the reads to keep.

use std::fs::File;
use std::io::IsTerminal;
use std::path::Path;

use vnp_escape::escaped_bytes;
use vnp_job::publish::{CompleteFile, Output, is_special};

use super::contigs::Contigs;
use super::keep::{KeepCalls, MULTI_MAPPED};
use super::read::{Read, Reads, mate};
use super::summary::ReadsSummary;
use crate::error::Error;
use crate::table::CONTIG_COLUMNS;

/// The first columns of `reads.tsv`, in order; those of the contig's row in the table of calls
/// ([`CONTIG_COLUMNS`] without the id) follow. Lengths are in bases, `strand` is `+` or `-`, mapping quality 0
/// to 255. `pct_identity` (matches per column of the alignment) and `pct_query_cov` (aligned bases per base of
/// the read) are in percent, or as the PAF file has them. `mapped_well` is `True` or `False`. The `call` that
/// follows may also be `Unclassified` (the contig has no row) or `Multi-mapped` (alignments of the read have
/// different calls).
pub const ALIGNMENT_COLUMNS: [&str; 9] = [
    "read_id",
    "read_length",
    "contig_id",
    "contig_length",
    "strand",
    "mapping_quality",
    "pct_identity",
    "pct_query_cov",
    "mapped_well",
];

/// The last column where mates are collapsed: `Singleton` (one mate has alignments), `Concordant` (all mates
/// have one call) or `Discordant`.
pub const CONCORDANCE_COLUMN: &str = "concordance";

/// Writes both files.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    table: Output,
    keep: Option<(Output, KeepCalls)>,
    contigs: &'a Contigs,
    collapse_mates: bool,
    /// Whether control characters are escaped: names must not be commands.
    is_terminal: bool,
    line: Vec<u8>,
}

impl<'a> Rows<'a> {
    /// Begins the table, and the list if one is asked for.
    pub(crate) fn create(
        table: &Path,
        keep: Option<(&Path, KeepCalls)>,
        contigs: &'a Contigs,
        collapse_mates: bool,
    ) -> Result<Self, Error> {
        let is_terminal = is_special(table)
            && File::options().write(true).open(table).is_ok_and(|file| file.is_terminal());
        let keep = keep
            .map(|(path, calls)| Ok::<_, Error>((Output::create(path.to_owned())?, calls)))
            .transpose()?;
        let mut table = Output::create(table.to_owned())?;
        let of_contig = CONTIG_COLUMNS.iter().skip(1);
        let of_pair = collapse_mates.then_some(&CONCORDANCE_COLUMN);
        let columns: Vec<&str> =
            ALIGNMENT_COLUMNS.iter().chain(of_contig).chain(of_pair).copied().collect();
        table.line(columns.join("\t"))?;
        Ok(Self { table, keep, contigs, collapse_mates, is_terminal, line: Vec::new() })
    }

    /// Writes the row of a read, or of a pair.
    pub(crate) fn write(&mut self, reads: &Reads, summary: &mut ReadsSummary) -> Result<(), Error> {
        let Some(read) = reads.best() else { return Ok(()) };
        let id = if self.collapse_mates { mate(&read.id).0 } else { &read.id };
        let contigs = self.contigs;
        let (call, tier) = call_and_tier(read, contigs);
        self.line.clear();
        for piece in [id, b"\t", &read.best.columns, b"\t", call, b"\t", tier, &read.best.rest] {
            self.line.extend_from_slice(piece);
        }
        if self.collapse_mates {
            self.line.push(b'\t');
            self.line.extend_from_slice(concordance(reads, contigs).as_bytes());
        }
        summary.count(call);
        if self.is_terminal {
            let fields = self.line.split(|byte| *byte == b'\t');
            let fields: Vec<String> =
                fields.map(|field| escaped_bytes(field).to_string()).collect();
            self.table.row(fields.join("\t"))?;
        } else {
            self.table.row(&self.line)?;
        }
        if let Some((list, calls)) = &mut self.keep
            && calls.contains(call)
        {
            list.row(id)?;
            summary.kept += 1;
        }
        Ok(())
    }

    /// Makes both files durable, still under temporary names.
    pub(crate) fn finish(self) -> Result<(CompleteFile, Option<CompleteFile>), Error> {
        let keep = self.keep.map(|(list, _)| list.finish()).transpose()?;
        Ok((self.table.finish()?, keep))
    }
}

/// The text of a read's call, and its tier.
fn call_and_tier<'a>(read: &'a Read, contigs: &'a Contigs) -> (&'a [u8], &'a [u8]) {
    match read.call() {
        Some(_) => (contigs.call(read.best.call), &read.best.tier),
        None => (MULTI_MAPPED.as_bytes(), b"review"),
    }
}

fn concordance(reads: &Reads, contigs: &Contigs) -> &'static str {
    let mut calls = reads.reads.iter().map(|read| call_and_tier(read, contigs).0);
    let first = calls.next();
    match reads.reads.len() {
        0 | 1 => "Singleton",
        _ if calls.all(|call| Some(call) == first) => "Concordant",
        _ => "Discordant",
    }
}
