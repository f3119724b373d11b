//! A file of alignments that can be read again and again, of either format.

use std::path::Path;

use super::alignment::Alignment;
use super::bam::Bam;
use super::paf::Paf;
use crate::error::Error;

/// The format of a file of alignments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlignmentFormat {
    /// The table that minimap2 writes, plain or compressed.
    Paf,
    /// BAM.
    Bam,
}

/// Reads alignments one after the other; those that are left out are counted.
#[derive(Debug)]
pub(crate) enum Source {
    Paf(Paf),
    Bam(Box<Bam>),
}

impl Source {
    /// Opens a file that messages call `name`.
    pub(crate) fn open(format: AlignmentFormat, path: &Path, name: &Path) -> Result<Self, Error> {
        Ok(match format {
            AlignmentFormat::Paf => Self::Paf(Paf::open(path, name)?),
            AlignmentFormat::Bam => Self::Bam(Box::new(Bam::open(path, name)?)),
        })
    }

    /// Goes to the next alignment, if there is one.
    pub(crate) fn advance(&mut self) -> Result<bool, Error> {
        match self {
            Self::Paf(paf) => paf.advance(),
            Self::Bam(bam) => bam.advance(),
        }
    }

    /// The id of the read of the current alignment.
    pub(crate) fn read(&self) -> &[u8] {
        match self {
            Self::Paf(paf) => paf.read(),
            Self::Bam(bam) => bam.read(),
        }
    }

    /// The current alignment.
    pub(crate) fn alignment(&self) -> Result<Alignment<'_>, Error> {
        match self {
            Self::Paf(paf) => paf.alignment(),
            Self::Bam(bam) => bam.alignment(),
        }
    }
}
