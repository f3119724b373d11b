//! The shares of the data that are validated and tested with.

use crate::error::Error;
use crate::split::Split;

/// The shares of the data that are held out; the rest is learned from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// The share that chooses the epoch.
    pub validation: f64,
    /// The share that is measured at the end; 0 for none.
    pub test: f64,
}

impl Default for Shares {
    /// 15 % for each.
    fn default() -> Self {
        Self { validation: 0.15, test: 0.15 }
    }
}

impl Shares {
    /// Refuses shares that leave nothing to learn from or to choose by.
    pub(crate) fn check(self) -> Result<(), Error> {
        let expected = "a share of at least 0, and less than 1 together with the other one";
        let wrong =
            |setting, found: f64| Error::BadSetting { setting, expected, found: found.to_string() };
        let is_share = |share: f64| (0.0..1.0).contains(&share);
        if !is_share(self.validation) || self.validation == 0.0 {
            let expected = "a share above 0 and below 1";
            let found = self.validation.to_string();
            return Err(Error::BadSetting { setting: "validation share", expected, found });
        }
        if !is_share(self.test) || self.validation + self.test >= 1.0 {
            return Err(wrong("test share", self.test));
        }
        Ok(())
    }

    pub(crate) fn of(self, split: Split) -> f64 {
        match split {
            Split::Training => 1.0 - self.validation - self.test,
            Split::Validation => self.validation,
            Split::Test => self.test,
        }
    }

    /// The splits that are not empty.
    pub(crate) fn splits(self) -> impl Iterator<Item = Split> {
        Split::ALL.into_iter().filter(move |split| self.of(*split) > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_checked() {
        let check = |validation, test| Shares { validation, test }.check();
        assert!(check(0.1, 0.0).is_ok());
        for (validation, test) in
            [(0.0, 0.1), (0.5, 0.5), (-0.1, 0.1), (0.1, -0.1), (f64::NAN, 0.1)]
        {
            let Err(Error::BadSetting { .. }) = check(validation, test) else { panic!() };
        }
    }
}
