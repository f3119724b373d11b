//! What a file of weights holds beside the network: the state of a training, and copies.

use std::collections::BTreeSet;

use vnp_escape::{Escaped, escaped};

use super::wrappers::{STATE, has_word, is_derived, without_wrappers};
use crate::error::Error;
use crate::error::weights::WeightsError;

/// What a file holds beside the network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beside {
    /// The names that all of the network's tensors begin with.
    pub(crate) prefix: String,
    /// The names of tensors that are not the network's.
    pub(crate) tensors: Vec<String>,
    /// The keys of values that are no tensors.
    pub(crate) values: Vec<String>,
    /// What the names of averaged copies of the network begin with; they are among `tensors`.
    pub(crate) averaged: Vec<String>,
}

impl Beside {
    /// A better error for a tensor that is missing below the prefix, but stands elsewhere.
    /// `rename` gives a tensor the name that the network has for it.
    pub(crate) fn explain(&self, rename: impl Fn(&str) -> String, error: Error) -> Error {
        let Error::MissingTensor { file, name, .. } = &error else { return error };
        let is_it = |other: &&String| {
            let bare = rename(&without_wrappers(other));
            bare == *name
                || bare.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'))
        };
        // Names of copies are complete sets of their own.
        let elsewhere = self.tensors.iter().filter(|name| !self.is_of_copy(name)).find(is_it);
        match elsewhere {
            Some(elsewhere) if !self.prefix.is_empty() => WeightsError::PartlyWrapped {
                file: file.clone(),
                prefix: self.prefix.clone(),
                name: elsewhere.clone(),
            }
            .into(),
            _ => error,
        }
    }

    fn is_of_copy(&self, name: &str) -> bool {
        let is_averaged = self.averaged.iter().any(|prefix| name.starts_with(prefix));
        is_averaged || has_word(name, &STATE) || is_derived(name)
    }

    /// Logs what is left out of a file.
    pub(crate) fn log(&self, file: &str) {
        let keys = self.keys();
        if !keys.is_empty() {
            log::info!(
                "{}: left out, because it is not the network: {}",
                escaped(file),
                listed(&keys)
            );
        }
        if !self.averaged.is_empty() {
            let top_level = "the top level".to_owned();
            let prefix =
                if self.prefix.is_empty() { top_level } else { shown(&self.prefix).to_string() };
            log::warn!(
                "{file}: the weights of {prefix} are taken, the averaged copy {} is left out: to take \
                 that one, save it alone",
                listed(&self.averaged)
            );
        }
    }

    /// The keys of the top level that hold nothing of the network.
    pub(crate) fn keys(&self) -> Vec<String> {
        let (prefix, values) = (self.prefix.as_str(), self.values.iter());
        let top = |name: &String| {
            // Below the network's own key the name of a tensor says more than that key.
            let known = prefix.split_inclusive('.').next().unwrap_or_default();
            let below = name.strip_prefix(known).filter(|_| !known.is_empty());
            match below {
                Some(_) => name.clone(),
                None => name.split('.').next().unwrap_or_default().to_owned(),
            }
        };
        let tensors = self.tensors.iter().map(top);
        let keys: BTreeSet<String> = values.cloned().chain(tensors).collect();
        keys.into_iter().collect()
    }
}

/// Names of a file, as many as a line of a log should hold.
fn listed(names: &[String]) -> String {
    vnp_escape::listed(names.iter().map(|name| shown(name)), 50, ", ")
}

/// A name in one line, shortened where it is long.
fn shown(name: &str) -> Escaped<&str> {
    escaped(name).cut(60)
}
