//! What was found under attack: kinds of faults, each with the place where it was mended and the tests that
//! hold it.

use clap::ValueEnum;

/// A kind of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Finding {
    /// Telling about a file costs more than the file
    Telling,
    /// Work is done before limits are compared
    Limits,
    /// Interrupted commands leave temporaries
    Signals,
    /// Text from outside reaches a terminal as it is
    Escapes,
    /// Memory grows with the input
    Memory,
    /// A directory that vanishes is an error of its own
    Vanished,
    /// Devices and streams are read without an end
    Devices,
    /// Validation and loading disagree
    Verdicts,
    /// Links lead out of the directory
    Links,
    /// The binary names the machine that built it
    Binary,
}

impl Finding {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::value_variants().iter().copied()
    }

    /// The name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The file that mends it.
    pub(crate) fn mend(self) -> &'static str {
        match self {
            Self::Telling => "vnp-cli/src/output/",
            Self::Limits => "vnp-ckpt/src/budget.rs",
            Self::Signals => "vnp-ckpt/src/temporaries.rs",
            Self::Escapes => "vnp-escape",
            Self::Memory => "vnp-seq/src/letters.rs",
            Self::Vanished => "vnp-job/src/directory/vanished.rs",
            Self::Devices => "vnp-seq/src/recognise.rs",
            Self::Verdicts => "vnp-validate/src/tree.rs",
            Self::Links => "vnp-job/src/directory/place.rs",
            Self::Binary => "xtask/src/release.rs",
        }
    }

    /// The test that holds it.
    pub(crate) fn test(self) -> &'static str {
        match self {
            Self::Telling => "tests/shown/cost.rs",
            Self::Limits => "vnp-ckpt/tests/suite/hostile_sizes.rs, tests/hostile_models.rs",
            Self::Signals => "tests/interrupted.rs",
            Self::Escapes => "tests/shown.rs",
            Self::Memory => "vnp-seq/tests, tests/special.rs",
            Self::Vanished => "tests/vanished.rs",
            Self::Devices | Self::Links => "tests/special.rs",
            Self::Verdicts => "vnp-validate/tests/suite/agreement.rs",
            Self::Binary => "xtask/src/release.rs",
        }
    }
}
