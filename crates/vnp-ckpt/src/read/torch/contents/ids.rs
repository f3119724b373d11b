//! The ids of the rows.

use crate::read::torch::pickle::tree::{Item, Tree};

use crate::budget::allocated;
use crate::error::kind::ErrorKind;
use crate::limits::{self, Limits};

/// The texts of the ids.
pub(super) fn ids(
    tree: &Tree<'_>,
    key: &str,
    item: Item,
    limits: &Limits,
) -> Result<Vec<String>, ErrorKind> {
    let Some(items) = tree.sequence(item) else {
        return Err(ErrorKind::bad_header(key, "a list of texts", tree.noun(item)));
    };
    limits::check("ids", limits.ids, items.len())?;
    if let Some(other) = items.iter().find(|&&item| !tree.is_str(item)) {
        return Err(ErrorKind::bad_header(key, "a list of texts", tree.noun(*other)));
    }
    let bytes = items.iter().fold(0_u64, |bytes, &item| bytes + tree.raw(item).len() as u64);
    limits::check("id_bytes", limits.id_bytes, bytes)?;
    repeated(tree, bytes, limits)?;
    // Twice: who reads the ids of an open file gets a copy.
    tree.budget.memory(items.len().saturating_mul(2 * size_of::<String>()))?;
    let memory = |_| ErrorKind::out_of_memory("ids", bytes);
    let mut ids = Vec::new();
    ids.try_reserve_exact(items.len()).map_err(memory)?;
    for &item in items {
        tree.budget.memory(2 * allocated(tree.raw(item).len()))?;
        let text = tree.text(item).unwrap_or_default();
        let mut id = String::new();
        id.try_reserve_exact(text.len()).map_err(memory)?;
        id.push_str(text);
        ids.push(id);
    }
    Ok(ids)
}

/// Refuses what is much more than the pickle that it is from, by repetition.
pub(super) fn repeated(tree: &Tree<'_>, bytes: u64, limits: &Limits) -> Result<(), ErrorKind> {
    let excess = bytes.saturating_sub(tree.pickle_bytes());
    limits::check("expanded_bytes", limits.expanded_bytes, excess)
}

#[cfg(test)]
mod tests {
    use vnp_forge::items::*;

    use super::*;
    use crate::limits::Limits;
    use crate::read::torch::forged::*;

    #[test]
    fn repetition_is_bounded() {
        // One text a thousand times, by the memo.
        let long = [text(&"x".repeat(5000)), b"q\0".to_vec()].concat();
        let ids = list(&[long, b"h\0".repeat(999)]);
        let value = dict(&[("ids", ids), ("data", list(&[]))]);
        let bytes = archive(&pickle(&value), &[]);
        let few = Limits { expanded_bytes: 1 << 20, ..Limits::default() };
        let Err(ErrorKind::LimitExceeded { limit: "expanded_bytes", .. }) =
            open_within(&bytes, &few)
        else {
            panic!("a text was repeated without end")
        };
        let short = Limits { id_bytes: 1 << 20, ..Limits::default() };
        let Err(ErrorKind::LimitExceeded { limit: "id_bytes", .. }) = open_within(&bytes, &short)
        else {
            panic!("ids were longer than the limit")
        };
        let none = Limits { ids: 999, ..Limits::default() };
        let Err(ErrorKind::LimitExceeded { limit: "ids", .. }) = open_within(&bytes, &none) else {
            panic!("there were more ids than the limit")
        };
    }
}
