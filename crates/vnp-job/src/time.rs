//! Times as text.

/// A time as RFC 3339 in UTC, to the second: `2026-01-02T03:04:05Z`.
#[must_use]
pub fn rfc3339(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time now as [`rfc3339`].
pub(crate) fn rfc3339_now() -> String {
    rfc3339(jiff::Timestamp::now())
}
