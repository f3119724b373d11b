//! Alignments from PAF, the table that minimap2 writes.
//!
//! A row has 12 columns and any number of tags. A file may end its rows with two more columns, the percent
//! of identity and of query coverage; the first row decides whether it does.

use std::borrow::Cow;
use std::path::Path;

use memchr::memchr_iter;

use super::alignment::{Alignment, Share};
use super::lines::Lines;
use crate::error::Error;

/// Columns that every row has.
const COLUMNS: usize = 12;
/// Columns of a row with identity and coverage.
const WITH_SHARES: usize = COLUMNS + 2;
/// Rows with these tags are secondary alignments and inversions.
const DROPPED_TAGS: [&[u8]; 2] = [b"tp:A:S", b"tp:A:I"];
/// The start of files that are something else, and what to do with them.
const FOREIGN: [(&[u8], &str); 6] = [
    (b"BAM\x01", "it is a BAM file: give it as --bam"),
    (b"CRAM", "it is a CRAM file: convert it with `samtools view -b`, and give that as --bam"),
    (b"@HD\t", SAM),
    (b"@SQ\t", SAM),
    (b"@PG\t", SAM),
    (b"ID\tcall\t", "it is a table of calls: that comes first, and then --paf with the alignments"),
];
const SAM: &str = "it is a SAM file: convert it with `samtools view -b`, and give that as --bam";

/// Reads rows of PAF.
#[derive(Debug)]
pub(crate) struct Paf {
    lines: Lines,
    /// The offsets of the tabs in the current line.
    tabs: Vec<usize>,
    /// Whether rows end in identity and coverage; unknown before the first row.
    has_shares: Option<bool>,
    /// Whether any identity or coverage was above 1.
    is_above_one: bool,
    /// Rows that lack columns which others of the file have.
    pub(crate) short: u64,
    /// Rows of secondary alignments and inversions.
    pub(crate) secondary: u64,
}

impl Paf {
    /// Opens a file that messages call `name`.
    pub(crate) fn open(path: &Path, name: &Path) -> Result<Self, Error> {
        let lines = Lines::open(path, name)?;
        let (tabs, has_shares, is_above_one) = (Vec::new(), None, false);
        Ok(Self { lines, tabs, has_shares, is_above_one, short: 0, secondary: 0 })
    }

    /// Whether identity and coverage are fractions, as far as the file was read: both columns exist, and
    /// neither is above 1 anywhere.
    pub(crate) fn are_fractions(&self) -> bool {
        self.has_shares == Some(true) && !self.is_above_one
    }

    /// Goes to the next row that is used, if there is one.
    pub(crate) fn advance(&mut self) -> Result<bool, Error> {
        loop {
            if self.lines.next()?.is_none() {
                return Ok(false);
            }
            let line = self.lines.current();
            self.tabs.clear();
            self.tabs.extend(memchr_iter(b'\t', line));
            let row = Fields { line, tabs: &self.tabs };
            let has_shares = match self.has_shares {
                Some(known) => known,
                None => {
                    if let Some((_, reason)) =
                        FOREIGN.iter().find(|(start, _)| line.starts_with(start))
                    {
                        return Err(self.lines.error((*reason).to_owned()));
                    }
                    row.len() >= WITH_SHARES && row.shares().is_some()
                }
            };
            self.has_shares = Some(has_shares);
            if has_shares {
                if row.len() < WITH_SHARES {
                    self.short += 1;
                    continue;
                }
                match row.shares() {
                    Some(shares) => {
                        self.is_above_one |= shares.iter().any(|share| share.value > 1.0)
                    }
                    None => {
                        return Err(self.lines.error(
                            "its last two columns are not numbers, as they are in the first row (percent identity and percent query coverage): write the file again".into(),
                        ));
                    }
                }
            } else if row.len() < COLUMNS {
                let reason = format!(
                    "it has {} columns, and PAF has at least {COLUMNS}, separated by tabs: is it the output of minimap2, and complete?",
                    row.len()
                );
                return Err(self.lines.error(reason));
            }
            if (COLUMNS..row.len()).any(|index| DROPPED_TAGS.contains(&row.get(index))) {
                self.secondary += 1;
                continue;
            }
            return Ok(true);
        }
    }

    /// The id of the read of the current row.
    pub(crate) fn read(&self) -> &[u8] {
        Fields { line: self.lines.current(), tabs: &self.tabs }.get(0)
    }

    /// The alignment of the current row.
    pub(crate) fn alignment(&self) -> Result<Alignment<'_>, Error> {
        let row = Fields { line: self.lines.current(), tabs: &self.tabs };
        row.alignment(self.has_shares == Some(true)).map_err(|reason| self.lines.error(reason))
    }
}

/// The fields of a line.
#[derive(Clone, Copy, Debug)]
struct Fields<'a> {
    line: &'a [u8],
    tabs: &'a [usize],
}

impl<'a> Fields<'a> {
    fn len(self) -> usize {
        self.tabs.len() + 1
    }

    /// A field; empty beyond the last.
    fn get(self, index: usize) -> &'a [u8] {
        let start = match index.checked_sub(1) {
            None => Some(0),
            Some(before) => self.tabs.get(before).map(|tab| tab + 1),
        };
        let end = self.tabs.get(index).copied().unwrap_or(self.line.len());
        start.and_then(|start| self.line.get(start..end)).unwrap_or_default()
    }

    /// The last two fields, if they are finite numbers.
    fn shares(self) -> Option<[Share<'a>; 2]> {
        let share = |index: usize| {
            let text = self.get(index);
            let value: f64 = str::from_utf8(text).ok()?.parse().ok()?;
            value.is_finite().then_some(Share { value, text: Cow::Borrowed(text) })
        };
        Some([share(self.len().checked_sub(2)?)?, share(self.len().checked_sub(1)?)?])
    }

    fn alignment(self, has_shares: bool) -> Result<Alignment<'a>, String> {
        let number = |index: usize, name: &str| {
            let text = self.get(index);
            let number = str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
            number.ok_or_else(|| {
                format!(
                    "column {} ({name}) is \"{}\", expected a whole number of 0 or more: write the file again",
                    index + 1,
                    vnp_escape::shown_bytes(text)
                )
            })
        };
        let read_length = number(1, "query length")?;
        let (start, end) = (number(2, "query start")?, number(3, "query end")?);
        let contig_length = number(6, "target length")?;
        number(7, "target start")?;
        number(8, "target end")?;
        let (matches, block) = (number(9, "matches")?, number(10, "alignment block length")?);
        let mapq = number(11, "mapping quality")?;
        let [identity, coverage] = match self.shares() {
            Some(shares) if has_shares => shares,
            _ => {
                let aligned = end.checked_sub(start).ok_or_else(|| {
                    format!(
                        "the query ends at {end}, before its start at {start}: write the file again"
                    )
                })?;
                if read_length == 0 {
                    return Err("the query length is 0, of which no coverage can be computed: remove the row".into());
                }
                [Share::percent(matches, block), Share::percent(aligned, read_length)]
            }
        };
        let (contig, strand) = (self.get(5), self.get(4));
        Ok(Alignment { read_length, contig, contig_length, strand, mapq, identity, coverage })
    }
}
