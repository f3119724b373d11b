//! The files that a command reads and writes, checked before any of them is opened: no output is an
//! input, and no two outputs are one file.

mod place;

use std::path::{Path, PathBuf};

use anyhow::bail;
use vnp_escape::escaped_path;
use vnp_job::JobKind;

use place::Place;

/// How standard input and output are named on the command line.
const STANDARD: &str = "-";
/// What the files of a job are called.
const RESULT: &str = "the result";

/// What a command reads and writes.
#[derive(Debug, Default)]
pub(crate) struct Files {
    inputs: Vec<Named>,
    outputs: Vec<Output>,
}

/// A path, and what it is to the user.
#[derive(Debug)]
struct Named {
    what: &'static str,
    path: PathBuf,
    place: Place,
}

#[derive(Debug)]
struct Output {
    file: Named,
    shape: Shape,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A file that is replaced.
    File,
    /// A file that is appended to.
    Log,
    /// A directory that is replaced with all that it holds.
    Whole,
    /// A directory in which files are written, each an output of its own.
    Root,
    /// The directory of a job's unfinished work, of which any file may be removed.
    Work,
}

impl Files {
    /// Adds a file or directory that is read.
    pub(crate) fn input(mut self, what: &'static str, path: &Path) -> Self {
        let place = if path == Path::new(STANDARD) { Place::of_stdin() } else { Place::of(path) };
        self.inputs.push(Named { what, path: path.to_owned(), place });
        self
    }

    /// Adds several.
    pub(crate) fn inputs<'a>(
        self,
        what: &'static str,
        paths: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Self {
        paths.into_iter().fold(self, |files, path| files.input(what, path))
    }

    /// Adds a file that is written; `-` is standard output.
    pub(crate) fn output(self, what: &'static str, path: &Path) -> Self {
        self.add(what, &standard_output(path), Shape::File)
    }

    /// Adds a log, which is appended to. A pipe, a terminal or standard error may be shared with others.
    pub(crate) fn log(self, what: &'static str, path: &Path) -> Self {
        let is_special = !path.is_dir() && vnp_job::publish::is_special(path);
        // Standard output that leads to a file is that file.
        let is_shared = is_special && !Place::of(path).is_file();
        if is_shared { self } else { self.add(what, path, Shape::Log) }
    }

    /// Adds a directory that is written as a whole.
    pub(crate) fn whole(self, what: &'static str, path: &Path) -> Self {
        self.add(what, path, Shape::Whole)
    }

    /// Adds the directory of a job with everything that it writes there.
    pub(crate) fn job(self, path: &Path, kind: &JobKind) -> Self {
        let checkpoints = path.join("checkpoints");
        let in_checkpoints = ["lock", "lock.claim", "failed_checkpoints.txt", "failed_files.txt"];
        let names = kind.state.iter().chain(&in_checkpoints);
        let results = kind.results.iter().map(|name| path.join(name));
        let files: Vec<PathBuf> = results.chain(names.map(|name| checkpoints.join(name))).collect();
        let root = self.add("output directory", path, Shape::Root);
        let root = root.add("the unfinished work in", &checkpoints, Shape::Work);
        let published = kind.result_directories.iter().map(|published| path.join(published.name));
        let root = published.fold(root, |files, path| files.whole(RESULT, &path));
        files.iter().fold(root, |files, path| files.output(RESULT, path))
    }

    fn add(mut self, what: &'static str, path: &Path, shape: Shape) -> Self {
        let file = Named { what, path: path.to_owned(), place: Place::of(path) };
        self.outputs.push(Output { file, shape });
        self
    }

    /// Whether a path lies in the directory of a job.
    pub(crate) fn is_in_job(&self, path: &Path) -> bool {
        let place = Place::of(path);
        let roots = self.outputs.iter().filter(|output| output.shape == Shape::Root);
        roots.into_iter().any(|root| place.is_within(&root.file.place))
    }

    /// Whether a path names a file in the directory of a job, and leads out of it through a link.
    pub(crate) fn leads_out_of_job(&self, path: &Path) -> bool {
        let roots = self.outputs.iter().filter(|output| output.shape == Shape::Root);
        let is_named = roots.into_iter().any(|root| path.starts_with(&root.file.path));
        is_named && (!self.is_in_job(path) || path.is_symlink())
    }

    /// Checks that nothing that is read would be written, and nothing written twice.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        for (index, output) in self.outputs.iter().enumerate() {
            for input in &self.inputs {
                output.check_input(input)?;
            }
            for other in self.outputs.iter().skip(index + 1) {
                output.check_output(other)?;
                other.check_output(output)?;
            }
        }
        Ok(())
    }
}

/// The path of an output, where `-` is standard output.
pub(crate) fn standard_output(path: &Path) -> PathBuf {
    if path == Path::new(STANDARD) { PathBuf::from("/dev/stdout") } else { path.to_owned() }
}

impl Output {
    fn check_input(&self, input: &Named) -> anyhow::Result<()> {
        let Self { file: Named { what, path, place }, shape } = self;
        let (read, shown) = (input.what, escaped_path(&input.path));
        if place.is_same(&input.place) {
            bail!(
                "{what} {} and {read} {shown} are the same file: name another file as the output",
                escaped_path(path)
            );
        }
        let fate = match shape {
            Shape::Whole => "is replaced as a whole",
            Shape::Work => "is removed when it is no longer needed",
            _ => "",
        };
        if !fate.is_empty() && input.place.is_within(place) {
            bail!(
                "{read} {shown} lies in {what} {}, which {fate}: move it, or choose another output",
                escaped_path(path)
            );
        }
        // Encoders are never read from .vnp: that is the output of an earlier session. The directory of
        // a job may lie in that of its input.
        let is_ours =
            path.extension().is_some_and(|extension| extension == "vnp") || *what == RESULT;
        if *shape == Shape::File && !is_ours && place.is_file() && place.is_within(&input.place) {
            bail!(
                "{what} {} is a file of {read} {shown}: name another file as the output",
                escaped_path(path)
            );
        }
        Ok(())
    }

    /// Checks one direction.
    fn check_output(&self, other: &Self) -> anyhow::Result<()> {
        let (file, other_file) = (&self.file, &other.file);
        let (path, other_path) = (escaped_path(&file.path), escaped_path(&other_file.path));
        let are_of_one_job = file.what == RESULT && other_file.what == RESULT;
        if file.place.is_same(&other_file.place) && !are_of_one_job {
            bail!(
                "{} {path} and {} {other_path} are the same file: give each output a file of its own",
                file.what,
                other_file.what
            );
        }
        if self.shape == Shape::Whole && other_file.place.is_within(&file.place) {
            bail!(
                "{} {other_path} lies in {} {path}, which is replaced as a whole: choose another place",
                other_file.what,
                file.what
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
