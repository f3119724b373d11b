//! The records of a FASTQ text, whose sequence and quality may be wrapped over several lines.
//!
//! The sequence ends before a line that starts with `+`, which is not a nucleotide code. Quality may hold
//! `@` and `+` anywhere, so that only its length shows where it ends: a record is refused if its quality
//! ends elsewhere than at the end of a line, or before anything but a header. A short quality on one line
//! could still be completed by the records that follow; this is refused as well, where a whole record
//! would be taken for quality.

use super::fault::Fault;
use super::raw::Raw;
use crate::error::{FastqFault, display_byte};
use crate::id::{id_bytes, id_text};
use crate::letters::LettersError;
use crate::record::invalid_letter;
use crate::text::Text;

/// Bytes of quality that are kept at most, a line aside.
const KEPT_QUALITY: usize = 16 << 20;

/// Reads the next record into `raw`; `false` at the end. `quality` is a buffer.
pub(super) fn next(text: &mut Text, raw: &mut Raw, quality: &mut Vec<u8>) -> Result<bool, Fault> {
    text.skip_white_space()?;
    let start = text.line();
    match text.peek()? {
        None => return Ok(false),
        Some(b'@') => raw.start(text)?,
        Some(found) => {
            let (fault, detail) = (FastqFault::Start, format!("found {}", display_byte(found)));
            return Err(Fault::Fastq { line: start, id: None, fault, detail });
        }
    }
    let sequence_lines = read_sequence(text, raw)?;
    // The line that starts with `+`.
    if !text.skip_line_of(1)? {
        text.each_piece_of_line(|_| Ok::<_, Fault>(()))?;
    }
    quality.clear();
    let expected = raw.letters.length();
    let (found, lines) = read_quality(text, quality, expected)?;
    let next = text.peek()?;
    let swallowed = lines > 1 && holds_record(quality, sequence_lines == 1);
    if found == expected && (lines <= 1 || is_boundary(next) && !swallowed) {
        return Ok(true);
    }
    let first = quality.split(|byte| *byte == b'\n').next().unwrap_or_default().len();
    let mut detail = format!("the sequence has {expected} letters, the quality ");
    detail += &match lines {
        0 | 1 => found.to_string(),
        _ => {
            let last = text.line() - 1;
            let and = if swallowed { ", which look like other records" } else { "" };
            format!("{first} on its first line and {found} with the lines up to line {last}{and}")
        }
    };
    Err(fault(start, raw, FastqFault::QualityLength, detail))
}

/// Reads the lines up to the one that starts with `+`, and counts them.
fn read_sequence(text: &mut Text, raw: &mut Raw) -> Result<u64, Fault> {
    let mut lines = 0;
    loop {
        match text.peek()? {
            Some(b'+') => return Ok(lines),
            Some(found @ (b'@' | b'>')) if lines > 0 => {
                let detail = format!("found {}", display_byte(found));
                return Err(fault(text.line(), raw, FastqFault::Separator, detail));
            }
            Some(_) => raw.add_line(text)?,
            None => {
                let detail = "no line starts with '+'".to_owned();
                return Err(fault(text.line(), raw, FastqFault::End, detail));
            }
        }
        lines += 1;
    }
}

/// Reads lines until they hold as much quality as `expected`, and counts its letters and the lines. The
/// lines are kept for inspection, unless they are very many.
fn read_quality(
    text: &mut Text,
    quality: &mut Vec<u8>,
    expected: u64,
) -> Result<(u64, u64), Fault> {
    let length = usize::try_from(expected).unwrap_or(usize::MAX);
    if text.skip_line_of(length)? {
        return Ok((expected, 1));
    }
    let (mut found, mut lines) = (0, 0);
    // An empty quality is a blank line, or none.
    while found < expected || expected == 0 && lines == 0 {
        match text.peek()? {
            None => break,
            Some(b'@') if expected == 0 => break,
            Some(_) => {}
        }
        lines += 1;
        text.each_piece_of_line(|piece| {
            found += piece.len() as u64;
            keep(quality, piece)
        })?;
        keep(quality, b"\n")?;
    }
    Ok((found, lines))
}

/// Keeps a piece of the quality, unless there is very much of it.
fn keep(quality: &mut Vec<u8>, piece: &[u8]) -> Result<(), Fault> {
    if quality.len() < KEPT_QUALITY {
        quality.try_reserve(piece.len()).map_err(LettersError::from).map_err(Fault::Letters)?;
        quality.extend_from_slice(piece);
    }
    Ok(())
}

/// Whether a record can end before this byte.
fn is_boundary(next: Option<u8>) -> bool {
    matches!(next, None | Some(b'@' | b'\n' | b'\r'))
}

/// Whether lines of quality look like a record: a header, nucleotide codes, and `+`. Of a wrapped sequence
/// quality is wrapped too, where a line of one letter is no sign.
fn holds_record(quality: &[u8], sequence_on_one_line: bool) -> bool {
    let lines = || quality.split(|byte| *byte == b'\n');
    lines().zip(lines().skip(1)).zip(lines().skip(2)).any(|lines| match lines {
        (([b'@', id @ ..], sequence), [b'+', ..]) => {
            let least = if sequence_on_one_line { 1 } else { 2 };
            !id.is_empty() && sequence.len() >= least && invalid_letter(sequence, 0).is_none()
        }
        _ => false,
    })
}

fn fault(line: u64, raw: &Raw, fault: FastqFault, detail: String) -> Fault {
    let (id, _) = id_text(id_bytes(raw.header()));
    Fault::Fastq { line, id: Some(id), fault, detail }
}
