//! The names of parts, which distinguish them from what other programs leave beside them.

use vnp_ckpt::RowRange;

/// `rows-000000000000-000000008192.vnp`: names sort as rows do.
pub(crate) fn file_name(rows: RowRange) -> String {
    format!("rows-{:012}-{:012}.vnp", rows.start, rows.end)
}

/// The rows that a part's name claims, if it is the name of a part.
pub(crate) fn parse_file_name(name: &str) -> Option<RowRange> {
    let (start, end) = name.strip_prefix("rows-")?.strip_suffix(".vnp")?.split_once('-')?;
    let rows = RowRange { start: start.parse().ok()?, end: end.parse().ok()? };
    // Only the spelling that we write: two names for one range would be two parts for it.
    (rows.start < rows.end && file_name(rows) == name).then_some(rows)
}

/// Whether a name is that of a part, in any spelling, or of a quarantined one: `….vnp.2.bad`.
pub(crate) fn is_part_or_quarantined(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = name.strip_prefix("rows-").and_then(|rest| rest.split_once(".vnp"));
    let Some((rows, end)) = parts else { return false };
    let number = end.strip_suffix(crate::quarantine::QUARANTINED);
    let is_whole = end.is_empty() || number == Some("");
    let is_numbered = number.and_then(|number| number.strip_prefix('.')).is_some_and(digits);
    rows.split_once('-').is_some_and(|(start, end)| digits(start) && digits(end))
        && (is_whole || is_numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: (bool, bool)) {
        assert_eq!((parse_file_name(name).is_some(), is_part_or_quarantined(name)), expected);
    }

    #[test]
    fn names_of_others_are_not_those_of_parts() {
        check("rows-000000000000-000000008192.vnp", (true, true));
        check("rows-0-1.vnp", (false, true));
        check("rows-000000000000-000000008192.vnp.bad", (false, true));
        check("rows-000000000000-000000008192.vnp.12.bad", (false, true));
        for theirs in [
            "._rows-000000000000-000000008192.vnp",
            "rows-000000000000-000000008192.vnp.swp",
            "rows-000000000000-000000008192.vnp~",
            "rows-000000000000-000000008192.sync-conflict-20260101-000000-ABC.vnp",
            "rows-000000000000-000000008192 (1).vnp",
            "rows-000000000000-000000008192.vnp.x.bad",
            "Copy of rows-000000000000-000000008192.vnp",
            "rows-.vnp",
            "notes.vnp",
            "notes.bad",
            ".nfs0000",
        ] {
            check(theirs, (false, false));
        }
    }

    #[track_caller]
    fn check_rows(name: &str, expected: Option<(u64, u64)>) {
        assert_eq!(parse_file_name(name).map(|rows| (rows.start, rows.end)), expected, "{name}");
    }

    #[test]
    fn only_our_own_spelling_is_a_part() {
        check_rows("rows-000000000000-000000008192.vnp", Some((0, 8192)));
        check_rows(
            "rows-1000000000000-1000000000001.vnp",
            Some((1_000_000_000_000, 1_000_000_000_001)),
        );
        check_rows("rows-0-8192.vnp", None);
        check_rows("rows-000000008192-000000000000.vnp", None);
        check_rows("rows-000000000005-000000000005.vnp", None);
        check_rows("rows-+00000000000-000000008192.vnp", None);
        check_rows("rows-000000000000-000000008192.vnp.bad", None);
        check_rows("rows-000000000000-000000008192.pt", None);
        check_rows("rows-000000000000-99999999999999999999999.vnp", None);
        check_rows("", None);
    }
}
