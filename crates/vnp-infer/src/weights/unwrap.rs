//! Finding a network in a file: below the names of its wrappers, beside the state of a training.
//!
//! The weights of one network are saved under many names: `module.` (DataParallel), `_orig_mod.`
//! (torch.compile), `model.` (Lightning), `model_state_dict.` of a training checkpoint, and any nesting
//! of these. One tensor that every such network has, the *anchor*, shows where the network's names
//! begin. Everything else in the file is left out, and listed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::TensorSource;
use super::beside::Beside;
use super::view::View;
use super::wrappers::{AVERAGED, STATE, WRAPPERS, has_word, is_derived, without_wrappers};
use crate::error::Error;
use crate::error::weights::WeightsError;

/// The names of a network as a file may have them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// The end of the name of a tensor that every such network has, once.
    pub(crate) anchor: &'static str,
    /// What may stand before it in the network's own names, the longest first, the last one empty.
    pub(crate) inner: &'static [&'static str],
}

/// The network of a file.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its tensors, without wrappers.
    pub(crate) source: Arc<dyn TensorSource>,
    pub(crate) beside: Beside,
}

/// Finds the network of one of these layouts in a file.
///
/// # Errors
/// [`WeightsError::SeveralNetworks`], [`WeightsError::NoNetwork`], [`WeightsError::TensorTwice`].
pub(crate) fn find(source: Arc<dyn TensorSource>, layouts: &[Layout]) -> Result<Found, Error> {
    let prefixes = |name| layouts.iter().filter_map(move |layout| layout.prefix(name));
    let candidates: BTreeSet<String> =
        source.names().into_iter().flat_map(prefixes).map(str::to_owned).collect();
    // Moments and gradients have the names and shapes of the weights.
    let (derived, candidates): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|prefix| is_derived(prefix));
    if candidates.is_empty() && !derived.is_empty() {
        let (file, names) = (source.label().to_owned(), derived);
        return Err(WeightsError::NoNetwork { file, names }.into());
    }
    let (averaged, networks): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|prefix| has_word(prefix, &AVERAGED));
    // A file of nothing but averaged weights is one of those weights.
    let (averaged, networks) = match networks.is_empty() {
        true => (Vec::new(), averaged),
        false => (averaged, networks),
    };
    let prefix = match networks.as_slice() {
        [] => String::new(),
        [prefix] => prefix.clone(),
        several => {
            let shown = |prefix: &str| match prefix {
                "" => "the top level".to_owned(),
                prefix => format!("`{prefix}`"),
            };
            let names = several.iter().map(|prefix| shown(prefix)).collect();
            let file = source.label().to_owned();
            return Err(WeightsError::SeveralNetworks { file, names }.into());
        }
    };
    let mut tensors = BTreeMap::<String, String>::new();
    let mut beside = Beside { prefix, averaged, ..Beside::default() };
    for name in source.names() {
        match within(name, &beside) {
            None => beside.tensors.push(name.to_owned()),
            Some(bare) => {
                if let Some(first) = tensors.insert(bare, name.to_owned()) {
                    let (file, second) = (source.label().to_owned(), name.to_owned());
                    return Err(WeightsError::TensorTwice { file, first, second }.into());
                }
            }
        }
    }
    beside.values = source.metadata().into_iter().flatten().map(|(key, _)| key.clone()).collect();
    let source: Arc<dyn TensorSource> = Arc::new(View::of(source, tensors));
    Ok(Found { source, beside })
}

impl Layout {
    /// What stands before the network's own names in the name of its anchor; `None` for another
    /// tensor.
    fn prefix<'n>(&self, name: &'n str) -> Option<&'n str> {
        let bare = without_wrappers(name);
        let before = bare.strip_suffix(self.anchor)?;
        if !before.is_empty() && !before.ends_with('.') {
            return None;
        }
        let fits = |inner: &&&str| {
            let outer = before.strip_suffix(**inner);
            outer.is_some_and(|outer| outer.is_empty() || outer.ends_with('.'))
        };
        let inner = self.inner.iter().find(fits).copied().unwrap_or_default();
        // As many parts from the end of the name, wrappers between them not counted.
        let mut parts = inner.split('.').filter(|part| !part.is_empty()).count()
            + self.anchor.split('.').count();
        let mut start = name.len();
        for part in name.rsplit('.') {
            if parts == 0 {
                break;
            }
            start = start.saturating_sub(part.len() + usize::from(start < name.len()));
            parts -= usize::from(!WRAPPERS.contains(&part));
        }
        name.get(..start)
    }
}

/// The name of a tensor of the network without prefix and wrappers; `None` for any other tensor.
fn within(name: &str, beside: &Beside) -> Option<String> {
    let rest = name.strip_prefix(&beside.prefix)?;
    let is_copy = |copy: &String| copy.len() > beside.prefix.len() && name.starts_with(copy);
    if beside.averaged.iter().any(is_copy) {
        return None;
    }
    let bare = without_wrappers(rest);
    let key = bare.split('.').next().unwrap_or_default();
    let is_beside = has_word(key, &STATE) || has_word(key, &AVERAGED) || is_derived(&bare);
    (!is_beside).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::tensors::Tensors;

    const HEAD: [Layout; 1] = [Layout { anchor: "a.weight", inner: &[""] }];
    const NESTED: [Layout; 2] = [
        Layout { anchor: "table.weight", inner: &["esm.", ""] },
        Layout { anchor: "tokens.weight", inner: &["encoder.sentence.", "encoder.", ""] },
    ];

    fn found(names: &[&str], layouts: &[Layout]) -> Result<Found, Error> {
        let mut tensors = Tensors::default();
        for name in names {
            tensors.insert_f32(*name, &[1], &[0.0]);
        }
        find(Arc::new(tensors), layouts)
    }

    /// The names of the network, the prefix, and the names beside it.
    #[track_caller]
    fn check(layouts: &[Layout], names: &[&str], expected: &[&str], prefix: &str, beside: &[&str]) {
        let found = found(names, layouts).unwrap();
        assert_eq!(found.source.names(), expected);
        assert_eq!(found.beside.prefix, prefix);
        assert_eq!(found.beside.tensors, beside);
    }

    #[test]
    fn wrappers_are_removed() {
        let both = ["a.weight", "b"];
        check(&HEAD, &["a.weight", "b"], &both, "", &[]);
        check(&HEAD, &["module.a.weight", "module.b"], &both, "module.", &[]);
        check(&HEAD, &["_orig_mod.a.weight", "_orig_mod.b"], &both, "_orig_mod.", &[]);
        let nested = ["module._orig_mod.a.weight", "module._orig_mod.b"];
        check(&HEAD, &nested, &both, "module._orig_mod.", &[]);
        check(&HEAD, &["model.net.a.weight", "model.net.b"], &both, "model.net.", &[]);
        // One submodule alone was compiled.
        check(&HEAD, &["a._orig_mod.weight", "b"], &both, "", &[]);
        check(&HEAD, &["m.a._orig_mod.weight", "m.b"], &both, "m.", &[]);
    }

    #[test]
    fn names_of_the_network_itself_stay() {
        let check = |names: &[&str], expected: &[&str], prefix: &str| {
            check(&NESTED, names, expected, prefix, &[]);
        };
        check(&["esm.table.weight", "lm.b"], &["esm.table.weight", "lm.b"], "");
        check(
            &["module.esm.table.weight", "module.lm.b"],
            &["esm.table.weight", "lm.b"],
            "module.",
        );
        check(&["model.table.weight"], &["table.weight"], "model.");
        check(&["encoder.sentence.tokens.weight"], &["encoder.sentence.tokens.weight"], "");
        let fair = ["model.encoder.lm.b", "model.encoder.tokens.weight"];
        check(&fair, &["encoder.lm.b", "encoder.tokens.weight"], "model.");
        check(&["x.encoder.tokens.weight"], &["encoder.tokens.weight"], "x.");
        check(&["other"], &["other"], "");
    }

    #[test]
    fn the_state_of_a_training_is_left_out() {
        let sd = ["sd.a.weight", "sd.b"];
        let both = ["a.weight", "b"];
        let with = |more: &[&'static str]| [&sd[..], more].concat();
        let adam = ["optimizer_state_dict.state.0.exp_avg"];
        check(&HEAD, &with(&adam), &both, "sd.", &adam);
        check(&HEAD, &with(&["loss", "rng.cuda.0"]), &both, "sd.", &["loss", "rng.cuda.0"]);
        // Beside the network's own tensors.
        let flat = ["a.weight", "b", "loss", "optimizer.state.0.exp_avg", "val_loss"];
        check(&HEAD, &flat, &both, "", &flat[2..]);
        check(&HEAD, &["module.a.weight", "n_averaged"], &both[..1], "module.", &["n_averaged"]);
        let names = ["model.a.weight", "model.b", "model.loss_fn.weight"];
        check(&HEAD, &names, &both, "model.", &names[2..]);
        // What is not known to be the state of a training is not left out.
        check(&HEAD, &["a.weight", "c"], &["a.weight", "c"], "", &[]);
    }

    #[test]
    fn of_two_copies_the_one_that_is_not_averaged() {
        let names = ["ema.a.weight", "ema.b", "model.a.weight", "model.b"];
        check(&HEAD, &names, &["a.weight", "b"], "model.", &names[..2]);
        assert_eq!(found(&names, &HEAD).unwrap().beside.averaged, ["ema."]);
        let names = ["a.weight", "ema_model.module.a.weight"];
        check(&HEAD, &names, &["a.weight"], "", &names[1..]);
        // Alone it is the network.
        check(&HEAD, &["ema_state_dict.a.weight"], &["a.weight"], "ema_state_dict.", &[]);
    }

    fn refused(names: &[&str]) -> String {
        match found(names, &HEAD) {
            Err(Error::Weights(error)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn moments_and_gradients_are_never_the_network() {
        let derived = [
            "optimizer.master_params.",
            "student_optimizer.w.",
            "run.studentOptimizer.",
            "momentum_buffer.",
            "exp_avg.",
            "loss.",
            "grads.",
            "model_gradients.module.",
        ];
        for derived in derived {
            let copy = format!("{derived}a.weight");
            for key in ["ema_state_dict.", "teacher.", "sd."] {
                let network = format!("{key}a.weight");
                let mut names = [network.as_str(), copy.as_str()];
                names.sort_unstable();
                let found = found(&names, &HEAD).unwrap();
                assert_eq!((found.beside.prefix.as_str(), found.source.names().len()), (key, 1));
                assert_eq!(found.beside.tensors, [copy.as_str()]);
                assert!(found.beside.averaged.is_empty());
            }
            let alone = refused(&[&copy]);
            let said = format!("only below `{derived}`, which a training computes");
            assert!(alone.contains(&said), "{alone}");
        }
        // Below the network's own key, and beside a network at the top level.
        let names = ["a.weight", "b", "x.optimizer.a.weight", "x.optimizer.b"];
        check(&HEAD, &names, &["a.weight", "b"], "", &names[2..]);
        let names = ["m.a.weight", "m.grads.a.weight"];
        check(&HEAD, &names, &["a.weight"], "m.", &names[1..]);
    }

    #[test]
    fn what_is_ambiguous_is_refused() {
        let two = refused(&["best.a.weight", "last.a.weight"]);
        assert!(two.contains("below `best.` and `last.`"), "{two}");
        let two = refused(&["a.weight", "module.a.weight"]);
        assert!(two.contains("the top level and `module.`"), "{two}");
        let twice = refused(&["a.weight", "b", "module.b"]);
        assert!(twice.contains("b and module.b are the same tensor"), "{twice}");
    }

    #[test]
    fn a_prefix_of_some_tensors_alone_is_named() {
        let missing = |name: &str| Error::MissingTensor {
            file: "f".to_owned(),
            name: name.to_owned(),
            expected: vec![1],
        };
        let beside = found(&["module.a.weight", "b"], &HEAD).unwrap().beside;
        let error = beside.explain(str::to_owned, missing("b")).to_string();
        assert!(error.contains("tensor b is not below module."), "{error}");
        let Error::MissingTensor { .. } = beside.explain(str::to_owned, missing("c")) else {
            panic!()
        };
        let beside = found(&["a.weight"], &HEAD).unwrap().beside;
        let Error::MissingTensor { .. } = beside.explain(str::to_owned, missing("b")) else {
            panic!()
        };
    }

    #[test]
    fn keys_beside_the_network() {
        let names = ["loss", "optim.state.0.m", "optim.state.1.m", "sd.a.weight", "sd.loss_fn.w"];
        let keys = found(&names, &HEAD).unwrap().beside.keys();
        assert_eq!(keys, ["loss", "optim", "sd.loss_fn.w"]);
    }
}
