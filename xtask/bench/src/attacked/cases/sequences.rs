//! Sequences that grow in one direction: memory must not grow with them.

use std::io::{BufWriter, Write};

use anyhow::Result;

use super::super::case::Case;
use super::super::ended::Ended;
use super::super::finding::Finding;
use super::super::program::Program;
use crate::draw::Draw;
use crate::place::Place;

/// Letters that are written again and again.
const BLOCK: usize = 1_000_000;
/// CPU seconds that the largest of these may take, and what they may hold: whatever the length.
const COST: (f64, u64) = (60.0, 64);

pub(super) fn all(large: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for megabases in [1, 10, 100, 500] {
        if large || megabases < 500 {
            let name = format!("a record of {megabases} Mb");
            cases.push(orfs(name, move |out| record(out, megabases * BLOCK, 60)));
        }
    }
    for records in [1_000, 10_000, 100_000, 1_000_000] {
        if large || records < 1_000_000 {
            let name = format!("{records} records of 300 bp");
            cases.push(orfs(name, move |out| records_of_300(out, records)));
        }
    }
    for line in [1, 60, 10_000_000] {
        let name = format!("20 Mb, letters in a line: {line}");
        cases.push(orfs(name, move |out| record(out, 20 * BLOCK, line)));
    }
    cases.extend([
        bomb("one record", b"AAAAAAAA", false),
        bomb("one header", b"AAAAAAAA", true),
        bomb("line ends", b"\n\n\n\n", false),
        in_little_memory(),
    ]);
    cases
}

fn orfs(name: String, make: impl Fn(&mut dyn Write) -> Result<()> + 'static) -> Case {
    let command = "orfs in.fa --nucleotide out/n.fa --protein out/p.faa";
    let case = Case::new(Finding::Memory, name, command, move |place| {
        let mut out = BufWriter::new(fs_err::File::create(place.path("in.fa"))?);
        make(&mut out)?;
        Ok(out.flush()?)
    });
    case.ends(&[0]).within(COST.0, COST.1)
}

fn letters(count: usize) -> String {
    let mut draw = Draw::new("letters");
    (0..count).map(|_| draw.letter(b"ACGT")).collect()
}

/// A record of this many letters in lines of this length.
fn record(out: &mut dyn Write, length: usize, line: usize) -> Result<()> {
    let block = letters(BLOCK);
    writeln!(out, ">r")?;
    let mut column = 0;
    let mut left = length;
    while left > 0 {
        let mut rest = block.as_bytes();
        while left > 0 && !rest.is_empty() {
            let now = (line - column).min(rest.len()).min(left);
            let (piece, after) = rest.split_at(now);
            out.write_all(piece)?;
            (rest, left, column) = (after, left - now, column + now);
            if column == line {
                out.write_all(b"\n")?;
                column = 0;
            }
        }
    }
    Ok(writeln!(out)?)
}

fn records_of_300(out: &mut dyn Write, count: usize) -> Result<()> {
    let block = letters(BLOCK);
    for number in 0..count {
        let from = number * 7 % (BLOCK - 300);
        writeln!(out, ">read_{number}\n{}", block.get(from..from + 300).unwrap_or_default())?;
    }
    Ok(())
}

/// Two gigabytes of the same in two megabytes.
fn bomb(name: &str, content: &'static [u8], in_header: bool) -> Case {
    let name = format!("2 MB of gzip that open to 2 GB, {name}");
    Case::new(Finding::Memory, name, "validate in.fa.gz", move |place| {
        let member = |bytes: &[u8]| -> Result<Vec<u8>> {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes)?;
            Ok(encoder.finish()?)
        };
        let start: &[u8] = if in_header { b">" } else { b">r\n" };
        let again = member(&content.repeat(BLOCK / content.len()))?;
        let mut out = BufWriter::new(fs_err::File::create(place.path("in.fa.gz"))?);
        out.write_all(&member(start)?)?;
        for _ in 0..2_000 {
            out.write_all(&again)?;
        }
        Ok(out.flush()?)
    })
    .ends(&[0, 1])
    .within(COST.0, COST.1)
}

/// A long FASTQ record under a limit of memory: an error, never an abort.
fn in_little_memory() -> Case {
    let command = "validate in.fq, in 70 MB of address space";
    Case::new(Finding::Memory, "a FASTQ record of 40 Mb under a limit", command, long_fastq)
        .ends(&[1])
        .within(COST.0, 256)
        .running("", |program: &Program<'_>| {
            let child = program.limited(70_000, &["validate", "in.fq"]).spawn()?;
            Ok(Ended { code: program.end(child)?, wrong: 0 })
        })
}

fn long_fastq(place: &Place) -> Result<()> {
    let mut out = BufWriter::new(fs_err::File::create(place.path("in.fq"))?);
    let (letters, quality) = (letters(BLOCK), "I".repeat(BLOCK));
    writeln!(out, "@r")?;
    (0..40).try_for_each(|_| out.write_all(letters.as_bytes()))?;
    write!(out, "\n+\n")?;
    (0..40).try_for_each(|_| out.write_all(quality.as_bytes()))?;
    writeln!(out)?;
    Ok(out.flush()?)
}
