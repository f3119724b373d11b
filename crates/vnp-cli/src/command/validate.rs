//! `vnp validate`: checks that a file is nucleotide FASTA or FASTQ.

use vnp_escape::{escaped_path, shown_bytes};

use super::stdin;
use crate::args::ValidateArgs;
use crate::exit::Exit;
use crate::output::{self, grouped};

/// Invalid records that are reported one by one; further ones are only counted.
const NAMED: u64 = 10;

/// `vnp validate`: exit 1 if a record is not a nucleotide sequence or the file cannot be read to its end.
pub(crate) fn run(args: &ValidateArgs) -> anyhow::Result<Exit> {
    let reader = stdin::records(&args.input)?.strict(args.strict_input);
    let mut named = 0;
    let mut invalid = |record: &vnp_seq::RecordHead, reason: &str| {
        named += 1;
        if named <= NAMED {
            log::error!(
                "record {} \"{}\": {reason}",
                record.number + 1,
                shown_bytes(&record.raw_id())
            );
        }
    };
    let mode = args.duplicate_ids.into();
    let found = vnp_pipeline::validate(
        reader,
        stdin::name(&args.input),
        mode,
        &std::env::temp_dir(),
        &mut invalid,
    )?;
    if found.invalid > NAMED {
        log::error!("… and {} more invalid records", grouped(found.invalid - NAMED));
    }
    if found.records == 0 {
        log::warn!("the input holds no records");
    }
    let duplicates = match found.duplicate_ids {
        0 => String::new(),
        number => format!(", {} with the id of an earlier record", grouped(number)),
    };
    output::print(&format!(
        "{}: {} records, {} bp, {} empty, {} invalid{duplicates}\n",
        escaped_path(&args.input),
        grouped(found.records),
        grouped(found.bases),
        grouped(found.empty),
        grouped(found.invalid),
    ))?;
    Ok(if found.invalid == 0 { Exit::Done } else { Exit::Failed })
}
