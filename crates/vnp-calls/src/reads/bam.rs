//! Alignments from BAM: mapped primary and supplementary records, as a row of PAF would have them.
//!
//! A read's length counts clipped bases, hard ones too. Identity is matches per column of the alignment
//! (aligned bases, insertions and deletions; not skipped introns); the matches follow from tag `NM`, else
//! from the operations `=` and `X`, else from tag `MD`. The names of paired reads get `/1` and `/2`.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use noodles_bam as bam;
use noodles_sam::alignment::record::cigar::op::Kind;
use noodles_sam::alignment::record::data::field::Value;
use vnp_job::io_at;

use super::alignment::{Alignment, Share};
use crate::error::Error;

/// The largest record that is read: a read of a whole chromosome is smaller.
const RECORD_BYTES: u32 = 1 << 30;
const BUFFER_BYTES: usize = 1 << 18;
/// The empty block that ends every complete BGZF file.
const END: [u8; 28] = *b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0\x1b\0\x03\0\0\0\0\0\0\0\0\0";

/// Reads records of BAM.
pub(crate) struct Bam {
    input: BufReader<Box<dyn Read + Send>>,
    /// What messages call the file.
    name: PathBuf,
    /// Names and lengths of the contigs.
    contigs: Vec<(Vec<u8>, u64)>,
    record: bam::Record,
    /// The number of the current record, from 1.
    number: u64,
    /// The name of the current record, with its mate.
    read: Vec<u8>,
    /// Records of secondary alignments, and of inversions.
    pub(crate) secondary: u64,
    /// Records without an alignment.
    pub(crate) unmapped: u64,
}

impl Bam {
    /// Opens a file that messages call `name`, and reads its header.
    pub(crate) fn open(path: &Path, name: &Path) -> Result<Self, Error> {
        let format = |reason: &str| Error::Format { path: name.to_owned(), reason: reason.into() };
        if !is_whole(path).map_err(|error| io_at("read", name, &error))? {
            return Err(format(
                "its end mark is missing, so it is truncated: copy or write it again",
            ));
        }
        let mut input = BufReader::with_capacity(BUFFER_BYTES, vnp_seq::open_decompressed(path)?);
        let mut magic = Vec::new();
        let start = (&mut input).take(4).read_to_end(&mut magic);
        start.map_err(|error| io_at("read", name, &error))?;
        if magic != *b"BAM\x01" {
            return Err(format(
                "it is not a BAM file: give PAF as --paf, and convert SAM and CRAM with `samtools view -b`",
            ));
        }
        let contigs = read_contigs(&mut input).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => format("it ends within its header: copy or write it again"),
            ErrorKind::InvalidData => {
                format(&format!("its header is damaged ({error}): copy or write it again"))
            }
            _ => io_at("read", name, &error).into(),
        })?;
        Ok(Self {
            input,
            name: name.to_owned(),
            contigs,
            record: bam::Record::default(),
            number: 0,
            read: Vec::new(),
            secondary: 0,
            unmapped: 0,
        })
    }

    /// Goes to the next record that is used, if there is one.
    pub(crate) fn advance(&mut self) -> Result<bool, Error> {
        loop {
            self.number += 1;
            if !self.read_record().map_err(|error| self.of_reading(&error))? {
                return Ok(false);
            }
            let flags = self.record.flags();
            if flags.is_unmapped() {
                self.unmapped += 1;
                continue;
            }
            let kind = self.tag(b"tp").map_err(|error| self.of_reading(&error))?;
            let is_dropped = matches!(kind, Some(Value::Character(b'S' | b'I')));
            drop(kind);
            if flags.is_secondary() || is_dropped {
                self.secondary += 1;
                continue;
            }
            self.read.clear();
            let name = self.record.name();
            self.read.extend_from_slice(name.map_or(b"*".as_slice(), |name| name.as_ref()));
            let mate: &[u8] = match (flags.is_first_segment(), flags.is_last_segment()) {
                (true, false) if flags.is_segmented() => b"/1",
                (false, true) if flags.is_segmented() => b"/2",
                _ => b"",
            };
            if !self.read.ends_with(mate) {
                self.read.extend_from_slice(mate);
            }
            return Ok(true);
        }
    }

    /// The name of the read of the current record.
    pub(crate) fn read(&self) -> &[u8] {
        &self.read
    }

    /// The alignment of the current record.
    pub(crate) fn alignment(&self) -> Result<Alignment<'_>, Error> {
        let columns = self.columns().map_err(|error| self.of_reading(&error))?;
        if columns.read_length() == 0 {
            return Err(self.error("it is mapped, but has no CIGAR: align again".into()));
        }
        let matches = self.matches(&columns).map_err(|error| self.of_reading(&error))?;
        let matches = matches.ok_or_else(|| {
            self.error("its matches cannot be counted, because it has neither tag NM, nor MD, nor = and X in its CIGAR: add them with `samtools calmd -b FILE contigs.fa`".into())
        })?;
        let block = columns.block();
        if matches > columns.aligned || columns.edits() > block - matches {
            return Err(self.error("its tag NM or MD contradicts its CIGAR: write it again with `samtools calmd -b FILE contigs.fa`".into()));
        }
        let contig = match self.record.reference_sequence_id() {
            Some(index) => {
                let index = index.map_err(|error| self.of_reading(&error))?;
                self.contigs.get(index)
            }
            None => None,
        };
        let (contig, contig_length) = contig.ok_or_else(|| {
            self.error(
                "it is mapped to a contig that the header does not have: write it again".into(),
            )
        })?;
        let mapq = self.record.mapping_quality().map_or(255, |quality| u64::from(quality.get()));
        Ok(Alignment {
            read_length: columns.read_length(),
            contig,
            contig_length: *contig_length,
            strand: if self.record.flags().is_reverse_complemented() { b"-" } else { b"+" },
            mapq,
            identity: Share::percent(matches, block),
            coverage: Share::percent(columns.aligned + columns.inserted, columns.read_length()),
        })
    }

    /// Reads the next record; false at the end.
    fn read_record(&mut self) -> io::Result<bool> {
        let mut size = Vec::new();
        (&mut self.input).take(4).read_to_end(&mut size)?;
        let Ok(size) = <[u8; 4]>::try_from(size.as_slice()) else {
            return if size.is_empty() { Ok(false) } else { Err(ErrorKind::UnexpectedEof.into()) };
        };
        if u32::from_le_bytes(size) > RECORD_BYTES {
            let reason = format!("it has {} bytes", u32::from_le_bytes(size));
            return Err(io::Error::new(ErrorKind::InvalidData, reason));
        }
        let mut reader = bam::io::Reader::from(size.as_slice().chain(&mut self.input));
        Ok(reader.read_record(&mut self.record)? > 0)
    }

    fn tag(&self, tag: &[u8; 2]) -> io::Result<Option<Value<'_>>> {
        self.record.data().get(tag).transpose()
    }

    fn columns(&self) -> io::Result<CigarColumns> {
        let mut columns = CigarColumns::default();
        for operation in self.record.cigar().iter() {
            let operation = operation?;
            columns.add(operation.kind(), operation.len() as u64);
        }
        Ok(columns)
    }

    /// The columns of the alignment in which read and contig have the same base, if that is known.
    fn matches(&self, columns: &CigarColumns) -> io::Result<Option<u64>> {
        if let Some(distance) = self.tag(b"NM")?.and_then(|value| value.as_int()) {
            let distance = u64::try_from(distance).unwrap_or(u64::MAX);
            // More differences than columns contradict the CIGAR, as more matches do.
            return Ok(Some(columns.block().checked_sub(distance).unwrap_or(u64::MAX)));
        }
        if columns.matched + columns.mismatched == columns.aligned {
            return Ok(Some(columns.matched));
        }
        Ok(match self.tag(b"MD")? {
            Some(Value::String(text)) => text
                .split(|byte| !byte.is_ascii_digit())
                .filter(|digits| !digits.is_empty())
                .map(|digits| str::from_utf8(digits).ok()?.parse::<u64>().ok())
                .try_fold(0_u64, |sum, run| sum.checked_add(run?)),
            _ => None,
        })
    }

    fn error(&self, reason: String) -> Error {
        Error::Row { path: self.name.clone(), unit: "record", number: self.number, reason }
    }

    fn of_reading(&self, error: &io::Error) -> Error {
        match error.kind() {
            ErrorKind::UnexpectedEof => self.error(
                "the file ends within it, so it is truncated: copy or write it again".into(),
            ),
            ErrorKind::InvalidData | ErrorKind::InvalidInput => {
                self.error(format!("it is damaged ({error}): copy or write the file again"))
            }
            _ => io_at("read", &self.name, error).into(),
        }
    }
}

impl std::fmt::Debug for Bam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bam").field("name", &self.name).field("number", &self.number).finish()
    }
}

/// What the operations of a CIGAR add up to, in bases.
#[derive(Clone, Copy, Debug, Default)]
struct CigarColumns {
    /// `M`, `=` and `X`.
    aligned: u64,
    /// `=`.
    matched: u64,
    /// `X`.
    mismatched: u64,
    inserted: u64,
    deleted: u64,
    /// `S` and `H`.
    clipped: u64,
}

impl CigarColumns {
    fn add(&mut self, kind: Kind, length: u64) {
        match kind {
            Kind::Match => self.aligned += length,
            Kind::SequenceMatch => {
                self.aligned += length;
                self.matched += length;
            }
            Kind::SequenceMismatch => {
                self.aligned += length;
                self.mismatched += length;
            }
            Kind::Insertion => self.inserted += length,
            Kind::Deletion => self.deleted += length,
            Kind::SoftClip | Kind::HardClip => self.clipped += length,
            Kind::Skip | Kind::Pad => {}
        }
    }

    fn read_length(self) -> u64 {
        self.aligned + self.inserted + self.clipped
    }

    fn edits(self) -> u64 {
        self.inserted + self.deleted
    }

    /// The length of the alignment block of PAF.
    fn block(self) -> u64 {
        self.aligned + self.edits()
    }
}

/// Whether a file has the end mark of BGZF, or is not compressed so.
fn is_whole(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    (&mut file).take(2).read_to_end(&mut start)?;
    if start != *b"\x1f\x8b" || !file.metadata()?.is_file() {
        return Ok(true);
    }
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(END.len() as u64)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(end == END)
}

/// The names and lengths of the contigs of a header, after its magic number.
fn read_contigs(input: &mut impl Read) -> io::Result<Vec<(Vec<u8>, u64)>> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let text_bytes = u64::from(u32::from_le_bytes(length));
    if io::copy(&mut input.take(text_bytes), &mut io::sink())? < text_bytes {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let mut count = [0; 4];
    input.read_exact(&mut count)?;
    let mut reader = bam::io::Reader::from(count.as_slice().chain(input));
    let contigs = reader.header_reader().read_reference_sequences()?;
    if contigs.len() as u64 != u64::from(u32::from_le_bytes(count)) {
        return Err(io::Error::new(ErrorKind::InvalidData, "two contigs have one name"));
    }
    let lengths = contigs.values().map(|contig| contig.length().get() as u64);
    Ok(contigs.keys().map(|name| name.to_vec()).zip(lengths).collect())
}
