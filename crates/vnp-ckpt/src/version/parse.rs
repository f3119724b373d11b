//! Versions from text.

use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::version::Version;

/// The longest piece of a malformed version that an error repeats, in characters.
const SHOWN_CHARS: usize = 40;

impl Version {
    /// Reads `MAJOR.MINOR` or `MAJOR.MINOR.PATCH`.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedVersion`] for everything else: other text, signs, leading zeros, numbers
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
            _ => Err(Self::malformed(text).into()),
        }
    }

    /// The error for a version that is not one, shortened where it is long.
    pub(crate) fn malformed(found: &str) -> ErrorKind {
        let mut shown: String = found.chars().take(SHOWN_CHARS).collect();
        if shown.len() < found.len() {
            shown.push_str("...");
        }
        ErrorKind::MalformedVersion { found: shown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::CHECKPOINT_VERSION;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(Version::parse(text).unwrap().to_string(), expected, "{text}");
    }

    #[track_caller]
    fn check_malformed(text: &str) {
        let kind = Version::parse(text).map_err(Error::into_kind);
        let Err(ErrorKind::MalformedVersion { found }) = kind else {
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
