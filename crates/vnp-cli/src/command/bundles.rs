//! Where model bundles are found: by name in the directories of the user, or by path.

use std::path::PathBuf;

use vnp_infer::Bundle;

/// Finds a bundle by name or directory.
pub(super) fn find(name: &str) -> anyhow::Result<Bundle> {
    Ok(vnp_infer::find_bundle(name, &search_dirs())?)
}

/// `$VNP_MODELS` (several, separated as in `$PATH`), then the user's data directory.
pub(super) fn search_dirs() -> Vec<PathBuf> {
    let named = std::env::var_os("VNP_MODELS");
    let mut dirs: Vec<_> = named.iter().flat_map(std::env::split_paths).collect();
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    dirs.extend(data.map(|data| data.join("vnp/models")));
    dirs
}
