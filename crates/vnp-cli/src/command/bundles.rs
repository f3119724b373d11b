//! Where model bundles are found: by name in the directories of the user, or by path.

use std::path::PathBuf;
use std::sync::Once;

use vnp_escape::escaped_path;
use vnp_infer::Bundle;

/// Finds a bundle by name or directory.
pub(super) fn find(name: &str) -> anyhow::Result<Bundle> {
    Ok(vnp_infer::find_bundle(name, &search_dirs())?)
}

static WARNED: Once = Once::new();

/// `$VNP_MODELS` (several, separated as in `$PATH`), then the user's data directory. What cannot be
/// searched of the former is logged once.
pub(super) fn search_dirs() -> Vec<PathBuf> {
    let named = std::env::var_os("VNP_MODELS");
    let mut dirs: Vec<_> = named.iter().flat_map(std::env::split_paths).collect();
    // A command may look for several models.
    WARNED.call_once(|| {
        for dir in dirs.iter().filter(|dir| !dir.as_os_str().is_empty()) {
            if let Err(error) = std::fs::read_dir(dir) {
                let dir = escaped_path(dir);
                log::warn!("$VNP_MODELS: {dir} cannot be searched for models: {error}");
            }
        }
    });
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    dirs.extend(data.map(|data| data.join("vnp/models")));
    dirs
}
