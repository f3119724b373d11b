//! The six reading frames.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A reading frame: three on the forward strand, three on the reverse complement.
///
/// ```
/// use vnp_seq::Frame;
/// assert_eq!(Frame::R2.to_string(), "R2");
/// assert_eq!("F3".parse::<Frame>()?.offset(), 2);
/// # Ok::<(), vnp_seq::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Frame {
    /// Forward, from the first base.
    F1,
    /// Forward, from the second base.
    F2,
    /// Forward, from the third base.
    F3,
    /// Reverse complement, from its first base.
    R1,
    /// Reverse complement, from its second base.
    R2,
    /// Reverse complement, from its third base.
    R3,
}

impl Frame {
    /// All frames in the order in which a chunk's rows come.
    pub const ALL: [Self; 6] = [Self::F1, Self::F2, Self::F3, Self::R1, Self::R2, Self::R3];

    /// Bases of the strand before the first codon: 0, 1 or 2.
    #[must_use]
    pub fn offset(self) -> usize {
        match self {
            Self::F1 | Self::R1 => 0,
            Self::F2 | Self::R2 => 1,
            Self::F3 | Self::R3 => 2,
        }
    }

    /// Whether the frame reads the reverse complement.
    #[must_use]
    pub fn is_reverse(self) -> bool {
        matches!(self, Self::R1 | Self::R2 | Self::R3)
    }

    /// The two characters that end a row's id.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F1 => "F1",
            Self::F2 => "F2",
            Self::F3 => "F3",
            Self::R1 => "R1",
            Self::R2 => "R2",
            Self::R3 => "R3",
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Frame {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|frame| frame.as_str() == text)
            .ok_or_else(|| Error::FrameName { found: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, offset: usize, is_reverse: bool) {
        let frame: Frame = text.parse().unwrap();
        assert_eq!((frame.offset(), frame.is_reverse()), (offset, is_reverse), "{text}");
        assert_eq!(frame.to_string(), text);
    }

    #[test]
    fn frames_and_their_names_agree() {
        check("F1", 0, false);
        check("F2", 1, false);
        check("F3", 2, false);
        check("R1", 0, true);
        check("R2", 1, true);
        check("R3", 2, true);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "F", "F4", "f1", "F1 "] {
            let Err(Error::FrameName { found }) = text.parse::<Frame>() else {
                panic!("{text:?} was accepted")
            };
            assert_eq!(found, text);
        }
    }
}
