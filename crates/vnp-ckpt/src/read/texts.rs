//! A section of texts: where each starts, where the last ends, then all of them.

use std::ops::Range;
use std::path::Path;

use crate::Error;
use crate::header::Section;
use crate::header::layout::OFFSET_BYTES;

/// The bytes of a section, split and counted; the texts are looked into when they are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts<'a> {
    offsets: &'a [[u8; OFFSET_BYTES as usize]],
    text: &'a [u8],
    section: &'a Section,
    path: &'a Path,
}

impl<'a> Texts<'a> {
    /// Splits the bytes of a section of `count` texts.
    pub(super) fn check(
        bytes: &'a [u8],
        section: &'a Section,
        count: u64,
        path: &'a Path,
    ) -> Result<Self, Error> {
        let split = (count.checked_add(1))
            .and_then(|offsets| usize::try_from(offsets.checked_mul(OFFSET_BYTES)?).ok())
            .and_then(|table_bytes| bytes.split_at_checked(table_bytes));
        let (table, text) = split.unwrap_or_default();
        let texts = Self { offsets: table.as_chunks().0, text, section, path };
        if split.is_none() {
            let length = section.length.to_string();
            return Err(texts.wrong("table".to_owned(), "room for it", length));
        }
        let first = texts.offset(0);
        if first != 0 {
            return Err(texts.wrong("first offset".to_owned(), "0", first.to_string()));
        }
        Ok(texts)
    }

    /// All of them.
    pub(super) fn to_strings(self) -> Result<Vec<String>, Error> {
        let strings = self.range(0..self.len())?;
        self.check_last()?;
        Ok(strings)
    }

    /// Looks into all of them, and keeps none.
    pub(super) fn verify(self) -> Result<(), Error> {
        (0..self.len()).try_for_each(|place| self.text(place).map(drop))?;
        self.check_last()
    }

    /// Some of them.
    pub(super) fn range(self, places: Range<usize>) -> Result<Vec<String>, Error> {
        let mut strings = Vec::new();
        strings.try_reserve_exact(places.len()).map_err(|_| Error::OutOfMemory {
            path: self.path.to_owned(),
            section: self.section.name.clone(),
            bytes: self.section.length,
        })?;
        for place in places {
            strings.push(self.text(place)?.to_owned());
        }
        Ok(strings)
    }

    fn len(self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    fn check_last(self) -> Result<(), Error> {
        let (last, length) = (self.offset(self.len()), self.text.len());
        if last != length as u64 {
            let found = last.to_string();
            return Err(self.wrong("last offset".to_owned(), &length.to_string(), found));
        }
        Ok(())
    }

    fn text(self, place: usize) -> Result<&'a str, Error> {
        let (start, end) = (self.offset(place), self.offset(place + 1));
        let slice = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let slice = slice.and_then(|(start, end)| self.text.get(start..end)).ok_or_else(|| {
            let expected = "an end not before the start nor after the last byte";
            self.wrong(format!("text {place}"), expected, format!("{start}..{end}"))
        })?;
        std::str::from_utf8(slice)
            .map_err(|error| self.wrong(format!("text {place}"), "UTF-8", error.to_string()))
    }

    fn offset(self, place: usize) -> u64 {
        self.offsets.get(place).map_or(u64::MAX, |&offset| u64::from_le_bytes(offset))
    }

    fn wrong(self, subject: String, expected: &str, found: String) -> Error {
        Error::Inconsistent {
            path: Some(self.path.to_owned()),
            subject: format!("{subject} of section `{}`", self.section.name),
            expected: expected.to_owned(),
            found,
        }
    }
}
