//! The rules that docs/CONTRIBUTING.md states in tables: the crates with their arrows, and the
//! phrases that are refused.

use anyhow::{Result, bail, ensure};

use super::table::{quoted, rows};

/// The document that holds the tables, from the root of the repository.
pub(crate) const DOCUMENT: &str = "docs/CONTRIBUTING.md";

const CRATES: &str = "| crate | may depend on | never on |";
pub(super) const PHRASES: &str = "| refused | unless after | write |";

/// The tables of the document.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) crates: Vec<Crate>,
    pub(super) phrases: Vec<Phrase>,
}

/// A crate of the repository.
#[derive(Debug)]
pub(super) struct Crate {
    pub(super) name: String,
    /// The crates of the repository that it may depend on.
    pub(super) allowed: Vec<String>,
    /// The crates from elsewhere that it must not depend on.
    pub(super) never: Vec<String>,
}

/// A phrase that is refused.
#[derive(Debug)]
pub(super) struct Phrase {
    /// The words, in lower case and with one space between them.
    pub(super) refused: String,
    /// Words after which the phrase is accepted.
    pub(super) unless_after: Vec<String>,
    /// What to write instead.
    pub(super) write: String,
}

impl Rules {
    /// Reads the tables, and checks that the arrows between the crates point up the table only.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut crates: Vec<Crate> = Vec::new();
        for row in rows(text, CRATES)? {
            let [names, allowed, never] = row.as_slice() else { bail!("not a crate: {row:?}") };
            let (allowed, never) = (quoted(allowed), quoted(never));
            for name in &allowed {
                let is_above = crates.iter().any(|above| above.name == *name);
                ensure!(is_above, "{names} names {name}, which has no row above it");
            }
            crates.extend(quoted(names).into_iter().map(|name| Crate {
                name,
                allowed: allowed.clone(),
                never: never.clone(),
            }));
        }
        let mut phrases = Vec::new();
        for row in rows(text, PHRASES)? {
            let [refused, after, write] = row.as_slice() else { bail!("not a phrase: {row:?}") };
            phrases.extend(quoted(refused).into_iter().map(|refused| Phrase {
                refused: refused.to_lowercase(),
                unless_after: quoted(&after.to_lowercase()),
                write: write.clone(),
            }));
        }
        Ok(Self { crates, phrases })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(crates: &str) -> String {
        format!(
            "{CRATES}\n|---|---|---|\n{crates}\n\n{PHRASES}\n|---|---|---|\n| `No One` | | none |"
        )
    }

    #[test]
    fn crates_and_phrases_are_read() {
        let rules = document("| `a` | | `clap` |\n| `b`, `c` | `a` | |");
        let Rules { crates, phrases } = Rules::parse(&rules).unwrap();
        assert_eq!(crates.len(), 3);
        assert_eq!(crates[0].never, ["clap"]);
        assert_eq!((crates[2].name.as_str(), crates[2].allowed[0].as_str()), ("c", "a"));
        assert_eq!(phrases[0].refused, "no one");
    }

    #[test]
    fn an_arrow_that_points_down_the_table_is_refused() {
        assert!(Rules::parse(&document("| `a` | `b` | |\n| `b` | | |")).is_err());
        assert!(Rules::parse(&document("| `a` | `a` | |")).is_err());
    }
}
