//! A regular expression that says which chunks belong together, and which contig a call belongs to.

use std::str::FromStr;

use regex::bytes::Regex;
use vnp_escape::{sentence, shown};

/// A regular expression whose first group names the group of an id.
///
/// ```
/// let pattern: vnp_calls::GroupPattern = "(NODE_[0-9]+)".parse()?;
/// assert_eq!(pattern.group(b"s1_NODE_12_length_900_chunk_3"), Some(&b"NODE_12"[..]));
/// assert_eq!(pattern.group(b"k141_5"), None);
/// assert!("NODE_[0-9]+".parse::<vnp_calls::GroupPattern>().is_err());
/// # Ok::<(), vnp_calls::PatternError>(())
/// ```
#[derive(Clone, Debug)]
pub struct GroupPattern(Regex);

/// Why a text is not such an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// It is not a regular expression.
    #[error("\"{}\" is not a regular expression: {}", shown(pattern), sentence(reason))]
    Syntax {
        /// The text.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It has no group.
    #[error(
        "\"{}\" has no group: put what names a group in parentheses, as in (NODE_[0-9]+)",
        shown(pattern)
    )]
    NoGroup {
        /// The text.
        pattern: String,
    },
}

impl FromStr for GroupPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let pattern = text.to_owned();
        match Regex::new(text) {
            // The first capture is the whole match.
            Ok(regex) if regex.captures_len() < 2 => Err(PatternError::NoGroup { pattern }),
            Ok(regex) => Ok(Self(regex)),
            Err(error) => {
                // The reason stands below a drawing of the place.
                let error = error.to_string();
                let last = error.lines().last().unwrap_or_default();
                let reason = last.trim_start_matches("error: ").to_owned();
                Err(PatternError::Syntax { pattern, reason })
            }
        }
    }
}

impl GroupPattern {
    /// What the first group holds at the first match in an id; none where nothing matches, or that
    /// group takes no part in the match.
    #[must_use]
    pub fn group<'a>(&self, id: &'a [u8]) -> Option<&'a [u8]> {
        let mut locations = self.0.capture_locations();
        self.0.captures_read(&mut locations, id)?;
        let (start, end) = locations.get(1)?;
        id.get(start..end)
    }

    /// The text of the expression.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, id: &[u8], expected: Option<&[u8]>) {
        assert_eq!(pattern.parse::<GroupPattern>().unwrap().group(id), expected, "{pattern}");
    }

    #[test]
    fn the_first_group_of_the_first_match_counts() {
        check("(NODE_[0-9]+)", b"NODE_1_NODE_2", Some(b"NODE_1"));
        check("^(?:a|b(.))", b"bx", Some(b"x"));
        check("^(?:a|b(.))", b"ax", None);
        check("(.*)_chunk_", b"\xff\xfe_chunk_1", Some(b""));
        check("(?-u:(.*))_chunk_", b"\xff\xfe_chunk_1", Some(b"\xff\xfe"));
        check("()x", b"x", Some(b""));
    }

    #[test]
    fn what_is_wrong_with_an_expression_is_reported_in_one_line() {
        let error = |text: &str| text.parse::<GroupPattern>().unwrap_err().to_string();
        assert_eq!(error("(a"), "\"(a\" is not a regular expression: unclosed group");
        assert!(error("(?:a)").contains("has no group"), "{}", error("(?:a)"));
        assert!(!error("(\n\u{1b}[31m").contains(['\n', '\u{1b}']));
    }
}
