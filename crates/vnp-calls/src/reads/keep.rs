//! Which reads go on: those of some calls.

use std::str::FromStr;

use vnp_escape::shown;

/// The call of a read whose alignments have different calls.
pub(crate) const MULTI_MAPPED: &str = "Multi-mapped";
/// What calls are named in a list.
const NAMES: [&str; 5] = ["viral", "non-viral", "ambiguous", "unclassified", "multi-mapped"];

/// Calls of reads. The default is all but `Non-viral`.
///
/// ```
/// let calls: vnp_calls::KeepCalls = "viral,multi-mapped".parse()?;
/// assert!(calls.contains(b"Viral") && !calls.contains(b"Ambiguous"));
/// assert!("viral,bacterial".parse::<vnp_calls::KeepCalls>().is_err());
/// # Ok::<(), vnp_calls::UnknownCall>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepCalls(Vec<&'static str>);

/// A list names something that is not a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not a call: name some of {}, separated by commas", shown(.0), NAMES.join(", "))]
pub struct UnknownCall(String);

impl Default for KeepCalls {
    fn default() -> Self {
        Self(vec!["viral", "unclassified", "ambiguous", "multi-mapped"])
    }
}

impl FromStr for KeepCalls {
    type Err = UnknownCall;

    fn from_str(text: &str) -> Result<Self, UnknownCall> {
        let call = |name: &str| {
            let known = NAMES.into_iter().find(|known| name.trim().eq_ignore_ascii_case(known));
            known.ok_or_else(|| UnknownCall(name.to_owned()))
        };
        Ok(Self(text.split(',').map(call).collect::<Result<_, _>>()?))
    }
}

impl KeepCalls {
    /// Whether reads of a call, as tables write it, are kept.
    #[must_use]
    pub fn contains(&self, call: &[u8]) -> bool {
        self.0.iter().any(|name| call.eq_ignore_ascii_case(name.as_bytes()))
    }
}
