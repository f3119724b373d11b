//! The words in names of tensors that tell a network from its wrappers and from a training's state.

/// Parts of a name that wrappers add at any place; no network here has a module of such a name.
pub(super) const WRAPPERS: [&str; 6] = [
    "module",
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "_forward_module",
    "_flat_module",
];
/// Words in the key of a second copy of the weights, averaged over the steps of a training.
pub(super) const AVERAGED: [&str; 8] =
    ["ema", "swa", "averaged", "average", "avg", "polyak", "shadow", "teacher"];
/// Words in the key of other state of a training.
pub(super) const STATE: [&str; 25] = [
    "optimizer",
    "optimizers",
    "optim",
    "scheduler",
    "schedulers",
    "scaler",
    "rng",
    "loss",
    "losses",
    "criterion",
    "epoch",
    "step",
    "steps",
    "history",
    "metric",
    "metrics",
    "callbacks",
    "best",
    "momentum",
    "grad",
    "grads",
    "lr",
    "seed",
    "random",
    "args",
];

/// A name without the parts that wrappers added.
pub(super) fn without_wrappers(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').filter(|part| !WRAPPERS.contains(part)).collect();
    parts.join(".")
}

/// Words in the keys of what a training computes of the weights, in the weights' own names and shapes:
/// moments, gradients, losses. Nothing below such a key is ever the network.
const DERIVED: [&str; 30] = [
    "optimizer",
    "optimizers",
    "optimiser",
    "optimisers",
    "optim",
    "optims",
    "opt",
    "adam",
    "adamw",
    "sgd",
    "momentum",
    "momentums",
    "momenta",
    "moment",
    "moments",
    "velocity",
    "velocities",
    "grad",
    "grads",
    "gradient",
    "gradients",
    "loss",
    "losses",
    "criterion",
    "fisher",
    "hessian",
    "scheduler",
    "schedulers",
    "scaler",
    "rng",
];
/// The same in two words, as the optimizers of PyTorch name them.
const DERIVED_PAIRS: [[&str; 2]; 2] = [["exp", "avg"], ["square", "avg"]];

/// Whether a name has one of these words in it.
pub(super) fn has_word(name: &str, words: &[&str]) -> bool {
    words_of(name).any(|word| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

/// Whether a part of a name says that what lies below was computed of the weights.
pub(super) fn is_derived(name: &str) -> bool {
    let is_pair = |pair: &[&str]| {
        let is = |known: &[&str; 2]| {
            known.iter().zip(pair).all(|(known, word)| known.eq_ignore_ascii_case(word))
        };
        DERIVED_PAIRS.iter().any(is)
    };
    has_word(name, &DERIVED) || words_of(name).collect::<Vec<_>>().windows(2).any(is_pair)
}

/// The words of a name, which punctuation or a capital letter ends, without numbers at their ends.
fn words_of(name: &str) -> impl Iterator<Item = &str> {
    let parts = name.split(|letter: char| !letter.is_alphanumeric());
    parts
        .flat_map(split_at_capitals)
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// `studentOptimizer` and `EMAModel` are two words each.
fn split_at_capitals(part: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut before) = (0, None::<char>);
    let mut letters = part.char_indices().peekable();
    while let Some((offset, letter)) = letters.next() {
        let next = letters.peek().map(|(_, letter)| *letter);
        let is_start = before.is_some_and(|before| {
            letter.is_uppercase()
                && (!before.is_uppercase() || next.is_some_and(char::is_lowercase))
        });
        if is_start {
            words.extend(part.get(start..offset));
            start = offset;
        }
        before = Some(letter);
    }
    words.extend(part.get(start..));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_names() {
        let check = |name: &str, expected: &[&str]| {
            assert_eq!(words_of(name).collect::<Vec<_>>(), expected, "{name}");
        };
        check("studentOptimizer", &["student", "Optimizer"]);
        check("EMAModel.a-b_c", &["EMA", "Model", "a", "b", "c"]);
        check("modelEMA", &["model", "EMA"]);
        check("optimizer0", &["optimizer"]);
        check("SGD", &["SGD"]);
        check("", &[""]);
    }

    #[test]
    fn what_is_computed_of_the_weights() {
        let derived = [
            "optimizer.master_params",
            "student_optimizer",
            "studentOptimizer.w",
            "Optimizer_0",
            "momentum_buffer",
            "exp_avg",
            "state.max_exp_avg_sq",
            "square_avg",
            "grads",
            "model_grads",
            "train.loss",
            "LOSS",
        ];
        for name in derived {
            assert!(is_derived(name), "{name}");
        }
        for name in ["ema_avg", "optimized_model", "gloss", "state_dict", "best", "teacher", ""] {
            assert!(!is_derived(name), "{name}");
        }
    }
}
