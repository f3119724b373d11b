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
use crate::record::is_known;
use crate::text::Text;

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
    quality.clear();
    text.read_line(quality)?;

    quality.clear();
    let expected = raw.sequence.len();
    let (mut found, mut lines) = (0, 0);
    let is_right = loop {
        match text.peek()? {
            _ if found > expected => break false,
            // An empty quality may be a blank line or none.
            next if found == expected && (lines > 0 || is_boundary(next)) => {
                let one_line = lines <= 1;
                break one_line
                    || is_boundary(next) && !(sequence_lines == 1 && holds_record(quality));
            }
            None => break false,
            Some(_) => {
                let before = quality.len();
                text.read_line(quality)?;
                found += quality.len() - before;
                lines += 1;
                quality.push(b'\n');
            }
        }
    };
    match is_right {
        true => Ok(true),
        false => {
            let first = quality.split(|byte| *byte == b'\n').next().unwrap_or_default().len();
            let mut detail = format!("the sequence has {expected} letters, the quality {first}");
            if lines > 1 {
                detail += &format!(
                    " on its first line and {found} with the lines up to line {}",
                    text.line() - 1
                );
            }
            Err(fault(start, raw, FastqFault::QualityLength, detail))
        }
    }
}

/// Reads the lines up to the one that starts with `+`, and counts them.
fn read_sequence(text: &mut Text, raw: &mut Raw) -> Result<u64, Fault> {
    let mut lines = 0;
    loop {
        match text.peek()? {
            Some(b'+') => return Ok(lines),
            Some(found @ (b'@' | b'>')) => {
                let detail = format!("found {}", display_byte(found));
                return Err(fault(text.line(), raw, FastqFault::Separator, detail));
            }
            Some(_) => text.read_line(&mut raw.sequence)?,
            None => {
                let detail = "no line starts with '+'".to_owned();
                return Err(fault(text.line(), raw, FastqFault::End, detail));
            }
        }
        lines += 1;
    }
}

/// Whether a record can end before this byte.
fn is_boundary(next: Option<u8>) -> bool {
    matches!(next, None | Some(b'@' | b'\n' | b'\r'))
}

/// Whether lines of quality look like a whole record: a header, nucleotide codes, `+`, and a line as long.
fn holds_record(quality: &[u8]) -> bool {
    let lines: Vec<&[u8]> = quality.split(|byte| *byte == b'\n').collect();
    lines.windows(4).any(|lines| match lines {
        [[b'@', ..], sequence, [b'+', ..], last] => {
            sequence.len() == last.len() && sequence.iter().all(|letter| is_known(*letter))
        }
        _ => false,
    })
}

fn fault(line: u64, raw: &Raw, fault: FastqFault, detail: String) -> Fault {
    let id = raw.header().split(u8::is_ascii_whitespace).next().unwrap_or_default();
    Fault::Fastq { line, id: Some(String::from_utf8_lossy(id).into_owned()), fault, detail }
}
