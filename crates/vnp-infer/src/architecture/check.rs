//! Checks of a config's fields, each of which names the field, what it holds and what it may hold.

use crate::error::Error;

/// Sizes beyond this are a damaged file: their products must not overflow.
const SIZE_LIMIT: usize = 1 << 24;

/// The checks of one config; `file` is for messages.
pub(super) struct Check<'a> {
    pub(super) file: &'a str,
}

impl Check<'_> {
    pub(super) fn at_least(
        &self,
        field: &'static str,
        least: usize,
        found: usize,
    ) -> Result<(), Error> {
        let expected = || format!("{least} to {SIZE_LIMIT}");
        self.that((least..=SIZE_LIMIT).contains(&found), field, expected, &found)
    }

    pub(super) fn positive(&self, field: &'static str, found: f64) -> Result<(), Error> {
        let expected = || "a small positive number".to_owned();
        self.that(found > 0.0 && found < 1.0, field, expected, &found)
    }

    pub(super) fn text(
        &self,
        field: &'static str,
        expected: &str,
        found: &str,
    ) -> Result<(), Error> {
        self.that(expected == found, field, || expected.to_owned(), &found)
    }

    pub(super) fn that(
        &self,
        holds: bool,
        field: &'static str,
        expected: impl Fn() -> String,
        found: &dyn std::fmt::Display,
    ) -> Result<(), Error> {
        if holds {
            return Ok(());
        }
        let (expected, found) = (expected(), found.to_string());
        Err(Error::Config { file: self.file.to_owned(), field, expected, found })
    }
}

/// The value of `hidden_act` in a config that does not state it, and the only one supported.
pub(super) fn gelu() -> String {
    "gelu".to_owned()
}
