//! A whole pickled module: of all its attributes those that make its state_dict.

use std::collections::HashSet;

use crate::error::kind::ErrorKind;
use crate::read::torch::contents::lookup::entry;
use crate::read::torch::pickle::tree::{Handle, Item, Node, Tree};

/// The tensors and modules of a module, in the order of its state_dict.
pub(super) fn members(
    tree: &Tree<'_>,
    state: Option<Handle>,
) -> Result<Vec<(Item, Item)>, ErrorKind> {
    // Every module of PyTorch has all three dicts: without one it is not known what is missing.
    let Some(state) = state.map(Item::Node) else {
        return Err(ErrorKind::missing_field("_parameters"));
    };
    let get = |key| entry(tree, state, key);
    let hidden = get("_non_persistent_buffers_set")?.and_then(|set| match tree.node_of(set)? {
        Node::Set(names) => Some(names.as_slice()),
        _ => tree.sequence(set),
    });
    let hidden = hidden.unwrap_or_default();
    tree.budget.work(hidden.iter().map(|&name| 32 + tree.raw(name).len()).sum::<usize>())?;
    let hidden = hidden.iter().filter_map(|&name| tree.text(name));
    let hidden: HashSet<&str> = hidden.collect();
    let mut members = Vec::new();
    for key in ["_parameters", "_buffers", "_modules"] {
        let item = get(key)?.ok_or_else(|| ErrorKind::missing_field(key))?;
        let Some(entries) = tree.dict(item) else {
            return Err(ErrorKind::bad_header(key, "a dict", tree.noun(item)));
        };
        tree.budget.work(entries.len().saturating_mul(32))?;
        if !hidden.is_empty() {
            let names = entries.iter().map(|&(name, _)| tree.raw(name).len());
            tree.budget.work(names.sum::<usize>())?;
        }
        let is_hidden =
            |name| key == "_buffers" && tree.text(name).is_some_and(|name| hidden.contains(name));
        members.extend(entries.iter().filter(|(name, _)| !is_hidden(*name)));
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use vnp_forge::items::*;

    use super::*;
    use crate::read::torch::forged::*;

    fn module(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
        [b"c__main__\nMLPClassifier\n)\x81", &dict(parts)[..], b"b"].concat()
    }

    #[track_caller]
    fn check_names(value: &[u8], expected: &[&str]) {
        let read = load_value(value, &[1.0, 2.0]).unwrap();
        assert_eq!(read.tensors().map(|(name, _)| name).collect::<Vec<_>>(), expected);
        assert!(read.metadata().is_empty());
    }

    #[test]
    fn names_are_those_of_the_state_dict() {
        let one = || tensor("0", &[2]);
        let inner = module(&[
            ("_parameters", dict(&[("weight", one()), ("bias", b"N".to_vec())])),
            ("_buffers", dict(&[])),
            ("_modules", dict(&[])),
        ]);
        let outer = module(&[
            ("_modules", dict(&[("fc", inner), ("none", b"N".to_vec())])),
            ("_buffers", dict(&[("mean", one()), ("scratch", one())])),
            ("_parameters", dict(&[("scale", one())])),
            ("_non_persistent_buffers_set", call("builtins", "set", &[texts(&["scratch"])])),
            ("training", b"\x88".to_vec()),
        ]);
        check_names(&outer, &["scale", "mean", "fc.weight"]);
        check_names(&dict(&[("model", outer)]), &["model.scale", "model.mean", "model.fc.weight"]);
    }

    #[test]
    fn a_module_holds_tensors_and_modules() {
        let own = [("_parameters", dict(&[])), ("_buffers", dict(&[]))];
        let modules = ("_modules", dict(&[("fc", int(1))]));
        let value = module(&[own[0].clone(), own[1].clone(), modules]);
        let Err(ErrorKind::BadHeader { field, .. }) = load_value(&value, &[]) else {
            panic!("a number was a module")
        };
        assert_eq!(field, "fc");
        let Err(ErrorKind::MissingField { field, .. }) = load_value(&module(&own), &[]) else {
            panic!("modules may be missing")
        };
        assert_eq!(field, "_modules");
    }
}
