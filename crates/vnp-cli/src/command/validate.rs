//! `vnp validate`: checks that a file is nucleotide FASTA or FASTQ.

use super::stdin;
use crate::args::ValidateArgs;
use crate::exit::Exit;
use crate::output::{self, grouped};

/// Invalid records that are reported one by one; further ones are only counted.
const NAMED: u64 = 10;

/// `vnp validate`: exit 1 if a record is not a nucleotide sequence or the file cannot be read to its end.
pub(crate) fn run(args: &ValidateArgs) -> anyhow::Result<Exit> {
    let mut reader = stdin::records(&args.input)?;
    let (mut records, mut bases, mut empty, mut invalid) = (0_u64, 0_u64, 0_u64, 0_u64);
    while let Some(record) = reader.next_record()? {
        records += 1;
        bases += record.sequence.len() as u64;
        empty += u64::from(record.sequence.is_empty());
        let Some(letter) = record.invalid_letter() else { continue };
        invalid += 1;
        if invalid <= NAMED {
            log::error!("record {records} \"{}\": {letter}", record.id);
        }
    }
    if invalid > NAMED {
        log::error!("… and {} more invalid records", grouped(invalid - NAMED));
    }
    if records == 0 {
        log::warn!("the input holds no records");
    }
    output::print(&format!(
        "{}: {} records, {} bp, {} empty, {} invalid\n",
        args.input.display(),
        grouped(records),
        grouped(bases),
        grouped(empty),
        grouped(invalid),
    ))?;
    Ok(if invalid == 0 { Exit::Done } else { Exit::Failed })
}
