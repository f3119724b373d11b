//! The modules of one target (a library, a binary, a test suite …) and the files that hold them.

#![expect(clippy::indexing_slicing, reason = "modules are numbered by their index")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use syn::{Expr, ExprLit, Item, ItemMod, Lit, Meta};

use super::references::is_test;

/// The text of every source file, by its path from the root of the repository.
pub(super) type Sources = BTreeMap<PathBuf, String>;

/// Folders in which every file is a target of its own, unless a `main.rs` there is the only one.
const TARGET_FOLDERS: [&str; 5] = ["bin", "tests", "benches", "examples", "fuzz_targets"];

/// A module, and the file that holds it. Modules for tests only are left out.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) file: PathBuf,
    pub(super) parent: Option<usize>,
    pub(super) children: BTreeMap<String, usize>,
}

/// The modules of one target. The first one is the root.
#[derive(Default)]
pub(super) struct Target {
    pub(super) modules: Vec<Module>,
    /// The syntax of each file, and the module that it holds.
    pub(super) files: Vec<(usize, syn::File)>,
}

/// Whether `file` is the root of a target.
pub(super) fn is_root(file: &Path, sources: &Sources) -> bool {
    let folder = file.parent().and_then(Path::file_name);
    let is_target_folder = TARGET_FOLDERS.iter().any(|name| folder.is_some_and(|f| f == *name));
    ["lib.rs", "main.rs", "build.rs"].iter().any(|name| file.ends_with(name))
        || is_target_folder && !sources.contains_key(&file.with_file_name("main.rs"))
}

impl Target {
    /// Reads the files that the root `root` reaches through `mod`.
    pub(super) fn read(root: &Path, sources: &Sources) -> Result<Self> {
        let mut target = Self::default();
        let beside = root.parent().unwrap_or(Path::new("")).to_owned();
        target.grow(None, root, &beside, sources)?;
        Ok(target)
    }

    /// Reads `file`; the files of its child modules lie in `folder`.
    fn grow(
        &mut self,
        parent: Option<usize>,
        file: &Path,
        folder: &Path,
        sources: &Sources,
    ) -> Result<usize> {
        let text = sources.get(file).with_context(|| format!("no file {}", file.display()))?;
        let syntax = syn::parse_file(text).with_context(|| file.display().to_string())?;
        let own = self.add(file, parent);
        self.children(own, &syntax.items, folder, sources)?;
        self.files.push((own, syntax));
        Ok(own)
    }

    fn add(&mut self, file: &Path, parent: Option<usize>) -> usize {
        self.modules.push(Module { file: file.to_owned(), parent, children: BTreeMap::new() });
        self.modules.len() - 1
    }

    fn children(
        &mut self,
        own: usize,
        items: &[Item],
        folder: &Path,
        sources: &Sources,
    ) -> Result<()> {
        for item in items {
            let Item::Mod(module) = item else { continue };
            if is_test(&module.attrs) {
                continue;
            }
            let name = module.ident.to_string();
            let file = self.modules[own].file.clone();
            let child = if let Some((_, items)) = &module.content {
                let child = self.add(&file, Some(own));
                self.children(child, items, &folder.join(&name), sources)?;
                child
            } else if let Some(path) = path_attribute(module) {
                let file = normal(&file.with_file_name(path));
                let folder = file.parent().unwrap_or(Path::new("")).to_owned();
                self.grow(Some(own), &file, &folder, sources)?
            } else {
                let file = folder.join(format!("{name}.rs"));
                self.grow(Some(own), &file, &folder.join(&name), sources)?
            };
            self.modules[own].children.insert(name, child);
        }
        Ok(())
    }
}

fn path_attribute(module: &ItemMod) -> Option<String> {
    module.attrs.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    })
}

/// The path without `..`, as paths from the root of the repository are written.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        if part.as_os_str() == ".." {
            normal.pop();
        } else {
            normal.push(part);
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sources: &[(&str, &str)], expected: &[&str]) {
        let files = sources.iter().map(|(file, text)| (PathBuf::from(file), (*text).to_owned()));
        let target = Target::read(Path::new(sources[0].0), &files.collect()).unwrap();
        let files: Vec<_> = target.modules.iter().map(|module| module.file.clone()).collect();
        assert_eq!(files, expected.iter().map(PathBuf::from).collect::<Vec<_>>());
    }

    #[test]
    fn files_are_found_where_rustc_looks_for_them() {
        check(
            &[("a/lib.rs", "mod b;"), ("a/b.rs", "mod c;"), ("a/b/c.rs", "")],
            &["a/lib.rs", "a/b.rs", "a/b/c.rs"],
        );
        check(
            &[("a/lib.rs", "mod b { mod c; }"), ("a/b/c.rs", "")],
            &["a/lib.rs", "a/lib.rs", "a/b/c.rs"],
        );
        check(
            &[
                ("a/b/main.rs", "#[path = \"../c/d.rs\"] mod d;"),
                ("a/c/d.rs", "mod e;"),
                ("a/c/e.rs", ""),
            ],
            &["a/b/main.rs", "a/c/d.rs", "a/c/e.rs"],
        );
        check(&[("a/lib.rs", "#[cfg(test)] mod b;")], &["a/lib.rs"]);
    }
}
