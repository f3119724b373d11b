//! Texts in a file: a table of offsets, and the texts one after the other.

use std::ops::Range;

use crate::error::kind::ErrorKind;
use crate::header::Section;
use crate::header::layout::OFFSET_BYTES;

/// The offsets and the bytes of some texts; a text is checked when it is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts<'a> {
    /// The start of each text, and the end of the last.
    offsets: &'a [[u8; OFFSET_BYTES as usize]],
    text: &'a [u8],
    /// The name of the section that they are in.
    section: &'a str,
}

impl<'a> Texts<'a> {
    /// Takes the table and the texts from two places.
    pub(super) fn new(
        table: &'a [u8],
        text: &'a [u8],
        section: &'a str,
    ) -> Result<Self, ErrorKind> {
        let texts = Self { offsets: table.as_chunks().0, text, section };
        let first = texts.offset(0);
        if first != 0 {
            return Err(texts.wrong("first offset".to_owned(), "0", first.to_string()));
        }
        Ok(texts)
    }

    /// Splits the bytes of a section of `count` texts.
    pub(super) fn of_section(
        bytes: &'a [u8],
        section: &'a Section,
        count: u64,
    ) -> Result<Self, ErrorKind> {
        let split = (count.checked_add(1))
            .and_then(|offsets| usize::try_from(offsets.checked_mul(OFFSET_BYTES)?).ok())
            .and_then(|table_bytes| bytes.split_at_checked(table_bytes));
        let Some((table, text)) = split else {
            let subject = format!("table of section `{}`", section.name);
            return Err(ErrorKind::inconsistent(
                subject,
                "room for it",
                section.length.to_string(),
            ));
        };
        Self::new(table, text, &section.name)
    }

    /// All texts.
    pub(super) fn to_strings(self) -> Result<Vec<String>, ErrorKind> {
        let strings = self.range(0..self.len())?;
        self.check_last()?;
        Ok(strings)
    }

    /// Checks all texts, and keeps none.
    pub(super) fn verify(self) -> Result<(), ErrorKind> {
        (0..self.len()).try_for_each(|index| self.text(index).map(drop))?;
        self.check_last()
    }

    /// The texts of these indices.
    pub(super) fn range(self, indices: Range<usize>) -> Result<Vec<String>, ErrorKind> {
        let mut strings = Vec::new();
        strings
            .try_reserve_exact(indices.len())
            .map_err(|_| ErrorKind::out_of_memory(self.section, self.text.len() as u64))?;
        for index in indices {
            strings.push(self.text(index)?.to_owned());
        }
        Ok(strings)
    }

    fn len(self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    fn check_last(self) -> Result<(), ErrorKind> {
        let (last, length) = (self.offset(self.len()), self.text.len());
        if last != length as u64 {
            let found = last.to_string();
            return Err(self.wrong("last offset".to_owned(), &length.to_string(), found));
        }
        Ok(())
    }

    fn text(self, index: usize) -> Result<&'a str, ErrorKind> {
        let (start, end) = (self.offset(index), self.offset(index + 1));
        let slice = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let slice = slice.and_then(|(start, end)| self.text.get(start..end)).ok_or_else(|| {
            let expected = "an end not before the start nor after the last byte";
            self.wrong(format!("text {index}"), expected, format!("{start}..{end}"))
        })?;
        std::str::from_utf8(slice)
            .map_err(|error| self.wrong(format!("text {index}"), "UTF-8", error.to_string()))
    }

    /// The offset of this index; one that the table does not have is outside of the texts.
    fn offset(self, index: usize) -> u64 {
        self.offsets.get(index).map_or(u64::MAX, |&offset| u64::from_le_bytes(offset))
    }

    fn wrong(self, subject: String, expected: &str, found: String) -> ErrorKind {
        ErrorKind::inconsistent(format!("{subject} of section `{}`", self.section), expected, found)
    }
}
