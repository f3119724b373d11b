//! The version of a checkpoint file, as numbers.

use std::fmt;

mod parse;

/// The version that this crate writes.
pub const CHECKPOINT_VERSION: &str = "1.0";

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

    /// Files of an unversioned file: those without a version at all.
    pub const V0: Self = Self::new(0, 0, 0);

    /// The version of these numbers.
    #[must_use]
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { major, minor, patch }
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
