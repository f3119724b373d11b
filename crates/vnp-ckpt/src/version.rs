//! The version of a checkpoint file, as numbers.

use std::fmt;

use crate::Error;

/// The version that this crate writes.
pub const CHECKPOINT_VERSION: &str = "1.0";

/// The longest piece of a malformed version that an error repeats, in characters.
const SHOWN_CHARS: usize = 40;

/// A checkpoint version: `MAJOR.MINOR` or `MAJOR.MINOR.PATCH`, compared as numbers.
///
/// A new major or minor version may hold what an older reader does not understand; a patch never
/// does.
///
/// ```
/// use vnp_ckpt::Version;
///
/// let ten = Version::parse("10.0")?;
/// assert!(ten > Version::parse("2.0")?);
/// assert_eq!(ten.to_string(), "10.0");
/// assert_eq!(Version::V0.to_string(), "0.x");
/// # Ok::<(), vnp_ckpt::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    // In this order, so that the derived comparison is that of versions.
    major: u64,
    minor: u64,
    patch: u64,
}

impl Version {
    /// The version that this crate writes, and the newest that it reads.
    pub const CURRENT: Self = Self::new(1, 0, 0);

    /// Files from before versions: those without a version at all.
    pub const V0: Self = Self::new(0, 0, 0);

    /// The version of these numbers.
    #[must_use]
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `MAJOR.MINOR` or `MAJOR.MINOR.PATCH`.
    ///
    /// # Errors
    /// [`Error::MalformedVersion`] for everything else: other text, signs, leading zeros, numbers
    /// above 2^64 - 1, pre-release or build marks.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let full = match text.matches('.').count() {
            1 => format!("{text}.0"),
            _ => text.to_owned(),
        };
        match semver::Version::parse(&full) {
            Ok(version) if version.pre.is_empty() && version.build.is_empty() => {
                Ok(Self::new(version.major, version.minor, version.patch))
            }
            _ => Err(Self::malformed(text)),
        }
    }

    /// The major number.
    #[must_use]
    pub const fn major(&self) -> u64 {
        self.major
    }

    /// The minor number.
    #[must_use]
    pub const fn minor(&self) -> u64 {
        self.minor
    }

    /// The patch number.
    #[must_use]
    pub const fn patch(&self) -> u64 {
        self.patch
    }

    /// Whether a file of this version may hold what [`Version::CURRENT`] does not know.
    #[must_use]
    pub fn is_too_new(&self) -> bool {
        (self.major(), self.minor()) > (Self::CURRENT.major(), Self::CURRENT.minor())
    }

    pub(crate) fn malformed(found: &str) -> Error {
        let mut shown: String = found.chars().take(SHOWN_CHARS).collect();
        if shown.len() < found.len() {
            shown.push_str("...");
        }
        Error::MalformedVersion { path: None, found: shown }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.major(), self.minor(), self.patch()) {
            (0, ..) => f.write_str("0.x"),
            (major, minor, 0) => write!(f, "{major}.{minor}"),
            (major, minor, patch) => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(Version::parse(text).unwrap().to_string(), expected, "{text}");
    }

    #[track_caller]
    fn check_malformed(text: &str) {
        let Err(Error::MalformedVersion { path: None, found }) = Version::parse(text) else {
            panic!("`{text}` was read as a version")
        };
        assert!(found.starts_with(&text.chars().take(SHOWN_CHARS).collect::<String>()));
        assert!(found.len() <= text.len().min(SHOWN_CHARS + 3));
    }

    #[track_caller]
    fn check_too_new(text: &str, expected: bool) {
        assert_eq!(Version::parse(text).unwrap().is_too_new(), expected, "{text}");
    }

    #[test]
    fn two_or_three_numbers() {
        check("1.0", "1.0");
        check("1.0.0", "1.0");
        check("1.0.3", "1.0.3");
        check("10.0", "10.0");
        check("0.9", "0.x");
        check("0.0.1", "0.x");
        check(CHECKPOINT_VERSION, &Version::CURRENT.to_string());
    }

    #[test]
    fn everything_else_is_malformed() {
        check_malformed("");
        check_malformed("abc");
        check_malformed("1");
        check_malformed("v1.0");
        check_malformed("1.");
        check_malformed(".1");
        check_malformed("1.0.");
        check_malformed("01.0");
        check_malformed("-1.0");
        check_malformed("+1.0");
        check_malformed(" 1.0");
        check_malformed("1.0\n");
        check_malformed("1.0.0.0");
        check_malformed("1.0.0-alpha");
        check_malformed("1.0.0+build");
        check_malformed("1.18446744073709551616");
        check_malformed(&"9".repeat(300));
        check_malformed(&format!("{}.0", "9".repeat(300)));
        check_malformed("1,0");
        check_malformed("\u{661}.0");
    }

    #[test]
    fn the_gate_compares_numbers() {
        check_too_new("1.0", false);
        check_too_new("1.0.0", false);
        check_too_new("1.0.99", false);
        check_too_new("0.9", false);
        check_too_new("0.18446744073709551615", false);
        check_too_new("1.1", true);
        check_too_new("1.1.0", true);
        check_too_new("2.0", true);
        check_too_new("5.0", true);
        check_too_new("10.0", true);
        assert!(Version::parse("10.0").unwrap() > Version::parse("2.0").unwrap());
    }
}
