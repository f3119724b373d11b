//! Lists of names and findings, of which a message holds the first few.

use std::fmt::Display;

use crate::adapter::escaped;

/// The first `most` items, escaped, with the separator between them, and how many more there are.
///
/// ```
/// let names = ["a", "b\n", "c", "d"];
/// assert_eq!(vnp_escape::listed(names.iter(), 2, ", "), "a, b\\n, and 2 more");
/// assert_eq!(vnp_escape::listed(names.iter(), 4, "; "), "a; b\\n; c; d");
/// ```
#[must_use]
pub fn listed<I>(items: I, most: usize, separator: &str) -> String
where
    I: ExactSizeIterator<Item: Display>,
{
    let more = items.len().saturating_sub(most);
    let mut texts: Vec<String> = items.take(most).map(|item| escaped(item).to_string()).collect();
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    texts.join(separator)
}
