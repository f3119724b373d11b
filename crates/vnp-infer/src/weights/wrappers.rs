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

/// Whether a part of a name has one of these words between its underscores.
pub(super) fn has_word(name: &str, words: &[&str]) -> bool {
    name.split(['.', '_', '-'])
        .any(|word| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
}
