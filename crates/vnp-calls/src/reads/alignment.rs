//! One alignment of a read to a contig, whatever file it comes from.

use std::borrow::Cow;

/// An alignment. Names are bytes, as they stand in the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alignment<'a> {
    /// The length of the read in bases, clipped ones included.
    pub(crate) read_length: u64,
    pub(crate) contig: &'a [u8],
    /// The length of the contig in bases.
    pub(crate) contig_length: u64,
    /// `+` or `-`.
    pub(crate) strand: &'a [u8],
    /// Mapping quality, 0 to 255.
    pub(crate) mapq: u64,
    /// Matches per column of the alignment, in percent or as a fraction: as the file has it.
    pub(crate) identity: Share<'a>,
    /// Aligned bases per base of the read, in the same scale.
    pub(crate) coverage: Share<'a>,
}

impl Alignment<'_> {
    /// The columns of a row from the read's length to `mapped_well`.
    pub(crate) fn columns(&self, is_mapped_well: bool) -> Vec<u8> {
        let (read_length, contig_length, mapq) =
            (self.read_length.to_string(), self.contig_length.to_string(), self.mapq.to_string());
        let mapped_well: &[u8] = if is_mapped_well { b"True" } else { b"False" };
        let columns: [&[u8]; 8] = [
            read_length.as_bytes(),
            self.contig,
            contig_length.as_bytes(),
            self.strand,
            mapq.as_bytes(),
            &self.identity.text,
            &self.coverage.text,
            mapped_well,
        ];
        columns.join(&b'\t')
    }
}

/// A share, with the text that the file has for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Share<'a> {
    pub(crate) value: f64,
    pub(crate) text: Cow<'a, [u8]>,
}

impl Share<'static> {
    /// A share of two counts, in percent; 0 of none.
    #[expect(clippy::cast_precision_loss, reason = "lengths of sequences are below 2^53")]
    pub(crate) fn percent(part: u64, of: u64) -> Self {
        let value = if of == 0 { 0.0 } else { part as f64 / of as f64 * 100.0 };
        Self { value, text: Cow::Owned(crate::numbers::python_text(value).into_bytes()) }
    }
}
