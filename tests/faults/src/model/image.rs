//! A directory tree with its contents, read from the model or from a real directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;

/// A directory or file of an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A directory.
    Directory,
    /// A file with its contents.
    File(Arc<[u8]>),
}

/// A directory tree, by paths from its root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Image {
    /// Everything below the root.
    pub nodes: BTreeMap<PathBuf, Node>,
}

impl Image {
    /// The contents of a file; nothing if there is none.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        match self.nodes.get(Path::new(path)) {
            Some(Node::File(contents)) => Some(contents),
            _ => None,
        }
    }

    /// The tree below a real directory.
    ///
    /// # Errors
    /// What reading it gives; links and devices are not followed but refused.
    pub fn read(root: &Path) -> std::io::Result<Self> {
        let mut image = Self::default();
        let mut directories = vec![PathBuf::new()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(root.join(&directory))? {
                let entry = entry?;
                let (path, kind) = (directory.join(entry.file_name()), entry.file_type()?);
                let node = if kind.is_dir() {
                    directories.push(path.clone());
                    Node::Directory
                } else if kind.is_file() {
                    Node::File(fs::read(entry.path())?.into())
                } else {
                    let reason = format!("{} is neither file nor directory", path.display());
                    return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, reason));
                };
                image.nodes.insert(path, node);
            }
        }
        Ok(image)
    }

    /// Writes the tree into an empty directory.
    ///
    /// # Errors
    /// What writing gives.
    pub fn write(&self, root: &Path) -> std::io::Result<()> {
        // Paths are sorted: a directory comes before what is in it.
        for (path, node) in &self.nodes {
            match node {
                Node::Directory => fs::create_dir(root.join(path))?,
                Node::File(contents) => fs::write(root.join(path), contents)?,
            }
        }
        Ok(())
    }
}
