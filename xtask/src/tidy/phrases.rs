//! Phrases of the code's own that readers stumble over: the glossary has the field's word for each.

use std::path::Path;

use super::finding::{Finding, Kind};
use super::rules::{PHRASES, Phrase};
use super::table::is_row;

/// Every refused phrase in the text of a source file or a document, across line breaks too.
pub(super) fn refused(file: &Path, text: &str, phrases: &[Phrase]) -> Vec<Finding> {
    let prose = Prose::new(text);
    let mut findings = Vec::new();
    for phrase in phrases {
        for (at, found) in prose.text.match_indices(phrase.refused.as_str()) {
            let (before, after) = (&prose.text[..at], &prose.text[at + found.len()..]);
            let is_bounded = !before.ends_with(is_word) && !after.starts_with(is_word);
            let is_accepted =
                phrase.unless_after.iter().any(|words| before.trim_end().ends_with(words.as_str()));
            if is_bounded && !is_accepted {
                let message = format!("{found}: write {}", phrase.write);
                findings.push(Finding::new(Kind::Phrase, file, prose.line(at), message));
            }
        }
    }
    findings
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The words of a file in lower case with one space between them, without comment markers and
/// without the table of refused phrases itself.
struct Prose {
    text: String,
    /// The byte offset in `text` at which each line of the file begins.
    lines: Vec<usize>,
}

impl Prose {
    fn new(file: &str) -> Self {
        let mut prose = Self { text: String::with_capacity(file.len()), lines: Vec::new() };
        let mut in_table = false;
        for line in file.lines() {
            prose.lines.push(prose.text.len());
            in_table = line == PHRASES || in_table && is_row(line);
            if in_table {
                continue;
            }
            let line = line.trim_start();
            let line = ["//!", "///", "//"]
                .iter()
                .find_map(|marker| line.strip_prefix(marker))
                .unwrap_or(line);
            for word in line.trim_end_matches('\\').split_whitespace() {
                prose.text.push_str(&word.to_lowercase());
                prose.text.push(' ');
            }
        }
        prose
    }

    /// The line, counted from 1, that holds byte `at` of the text.
    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let phrase = |refused: &str, after: &[&str], write: &str| Phrase {
            refused: refused.to_owned(),
            unless_after: after.iter().map(|&word| word.to_owned()).collect(),
            write: write.to_owned(),
        };
        let phrases = [phrase("old word", &[], "new"), phrase("odd file", &["no"], "file")];
        let found = refused(Path::new("a.rs"), text, &phrases);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn refused_phrases_are_found() {
        check(
            "/// For all.\n/// Old words: an old word.\n",
            &["a.rs:2: phrases: old word: write new"],
        );
        check("// An odd\n    // file.", &["a.rs:1: phrases: odd file: write file"]);
        check("\"an odd \\\n  file\"", &["a.rs:1: phrases: odd file: write file"]);
    }

    #[test]
    fn parts_of_words_and_accepted_phrases_are_not_found() {
        check("old words, hold word, odd file_name", &[]);
        check("There is no odd file.", &[]);
    }

    #[test]
    fn the_table_of_phrases_is_exempt() {
        let table = format!("{PHRASES}\n|---|---|---|\n| `old word` | | new |\n\nAn old word.\n");
        check(&table, &["a.rs:5: phrases: old word: write new"]);
    }
}
