use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use fs_err::File;
use vnp_seq::{ChunkLength, FrameReader, RecordStatus};

use super::stdin::Inputs;
use crate::args::OrfsArgs;
use crate::exit::Exit;
use crate::output::grouped;

/// `vnp orfs`: exit 2 if some records are no nucleotide sequences, 1 if none is one.
pub(crate) fn run(args: &OrfsArgs) -> anyhow::Result<Exit> {
    super::use_threads(args.threads)?;
    let inputs = Inputs::new(&args.input)?;
    let mut reader = FrameReader::open(&inputs.paths, ChunkLength::new(args.expected_length)?)?;
    // Only complete files get their names; an error leaves earlier ones as they were.
    let mut nucleotide = Temporary::beside(&args.nucleotide)?;
    let mut protein = Temporary::beside(&args.protein)?;
    let (mut records, mut empty, mut failed, mut without) = (0_u64, 0_u64, 0_u64, 0_u64);
    while let Some(block) = reader.next_block()? {
        vnp_seq::write_nucleotide_fasta(&mut nucleotide.writer, &block.rows)
            .with_context(|| format!("cannot write {}", args.nucleotide.display()))?;
        vnp_seq::write_protein_fasta(&mut protein.writer, &block.rows)
            .with_context(|| format!("cannot write {}", args.protein.display()))?;
        for record in &block.records {
            records += 1;
            match &record.status {
                RecordStatus::HasFrames => {}
                RecordStatus::Failed { reason } => {
                    failed += 1;
                    log::warn!("record \"{}\": {reason}", record.id);
                }
                RecordStatus::Empty => empty += 1,
                _ => without += 1,
            }
        }
    }
    anyhow::ensure!(
        failed == 0 || failed + empty < records,
        "none of the {records} records is a nucleotide sequence"
    );
    nucleotide.persist(&args.nucleotide)?;
    protein.persist(&args.protein)?;
    log::info!(
        "{} frames of {} records; {} records without an open frame, {} empty, {} failed",
        grouped(reader.progress().frames),
        grouped(records),
        grouped(without),
        grouped(empty),
        grouped(failed),
    );
    Ok(if failed == 0 { Exit::Done } else { Exit::Partial })
}

/// A file that gets its name when it is complete. A name that is no regular file, such as
/// `/dev/stdout`, is written to directly.
struct Temporary {
    writer: BufWriter<Box<dyn Write>>,
    file: Option<tempfile::NamedTempFile>,
}

impl Temporary {
    fn beside(path: &Path) -> anyhow::Result<Self> {
        let special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
        if special {
            let file = fs_err::OpenOptions::new().write(true).open(path)?;
            return Ok(Self { writer: BufWriter::new(Box::new(file)), file: None });
        }
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder
            .prefix(".vnp-")
            .tempfile_in(dir.unwrap_or(Path::new(".")))
            .with_context(|| format!("cannot write {}", path.display()))?;
        let writer = BufWriter::with_capacity(1 << 16, Box::new(file.reopen()?) as Box<dyn Write>);
        Ok(Self { writer, file: Some(file) })
    }

    fn persist(mut self, path: &Path) -> anyhow::Result<()> {
        let context = || format!("cannot write {}", path.display());
        self.writer.flush().with_context(context)?;
        if let Some(file) = self.file {
            file.as_file().sync_all().with_context(context)?;
            file.persist(path).with_context(context)?;
            let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
            File::open(dir.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }
}
