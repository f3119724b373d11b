//! Imports between the files of one crate: those that form a circle, and those through `lib.rs`.

#![expect(clippy::indexing_slicing, reason = "modules are numbered by their index")]

use std::collections::BTreeSet;

use anyhow::Result;

use super::circles::{Graph, Group, circles};
use super::finding::{Finding, Kind};
use super::modules::{Sources, Target, is_root};
use super::references::{Reference, References};

/// Refuses circles of imports, and imports through `lib.rs`, in every target among `sources`.
pub(super) fn check(sources: &Sources) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for root in sources.keys().filter(|file| is_root(file, sources)) {
        findings.extend(check_target(&Target::read(root, sources)?));
    }
    Ok(findings)
}

fn check_target(target: &Target) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut graph = Graph::new();
    let root = &target.modules[0].file;
    let is_library = root.ends_with("lib.rs");
    let files: Vec<(usize, References)> =
        target.files.iter().map(|(module, syntax)| (*module, References::of(syntax))).collect();
    let macros: BTreeSet<&str> =
        files.iter().flat_map(|(_, found)| &found.macros).map(String::as_str).collect();
    for (module, references) in &files {
        let file = &target.modules[*module].file;
        if file == root {
            continue;
        }
        for reference in &references.found {
            let Some((to, rest)) = target.resolve(*module, reference) else { continue };
            let to = &target.modules[to].file;
            let item = rest.first().map_or("", |item| item.as_str());
            if to == root && is_library && !["", "self"].contains(&item) && !macros.contains(item) {
                let message = format!("import {item} from the module that defines it");
                findings.push(Finding::new(Kind::RootImport, file, reference.line, message));
            }
            if to != file {
                let imports = graph.entry(file).or_default();
                imports.entry(to.as_path()).or_insert(reference.line);
            }
        }
    }
    findings.extend(circles(&graph).iter().map(|group| circle_finding(&graph, group)));
    findings
}

fn circle_finding(graph: &Graph<'_>, Group { files, circle }: &Group<'_>) -> Finding {
    let line = |at: usize| {
        let to = circle[(at + 1) % circle.len()];
        graph.get(circle[at]).and_then(|imports| imports.get(to)).copied().unwrap_or(0)
    };
    let steps =
        (1..circle.len()).map(|at| format!(" imports {}:{}", circle[at].display(), line(at)));
    let mut message =
        format!("{}, which imports the first", steps.collect::<String>().trim_start());
    if files.len() > circle.len() {
        let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        message += &format!("; {} files reach each other: {}", files.len(), names.join(" "));
    }
    Finding::new(Kind::Circle, circle[0], line(0), message)
}

impl Target {
    /// The deepest module that a path from a file of `module` reaches, and what is left of the path.
    fn resolve<'a>(&self, module: usize, path: &'a Reference) -> Option<(usize, &'a [String])> {
        let child = |module: usize, name: &String| self.modules[module].children.get(name).copied();
        let here = path.within.iter().try_fold(module, child)?;
        let mut rest = path.segments.as_slice();
        let mut to = match rest.first()?.as_str() {
            "crate" => 0,
            "self" => here,
            "super" => self.modules[here].parent?,
            _ => child(here, rest.first()?)?,
        };
        rest = rest.get(1..)?;
        while let Some((name, after)) = rest.split_first() {
            to = match (name.as_str(), child(to, name)) {
                ("super", _) => self.modules[to].parent?,
                (_, Some(child)) => child,
                _ => break,
            };
            rest = after;
        }
        Some((to, rest))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn check_files(sources: &[(&str, &str)], expected: &[&str]) {
        let files = sources.iter().map(|(file, text)| (PathBuf::from(file), (*text).to_owned()));
        let found = check(&files.collect()).unwrap();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{sources:?}");
    }

    /// Checks a library of the files `a.rs`, `a/b.rs` and `c.rs`.
    fn check_library(a: &str, b: &str, c: &str, expected: &[&str]) {
        let lib = "mod a; mod c; #[macro_export] macro_rules! m { () => {} } use a::A;";
        let a = format!("mod b;\n{a}");
        check_files(&[("lib.rs", lib), ("a.rs", &a), ("a/b.rs", b), ("c.rs", c)], expected);
    }

    #[test]
    fn a_circle_of_files_is_found() {
        let circle = "a/b.rs:1: circles: imports a.rs:2, which imports the first";
        check_library("use b::X;", "use super::A;", "", &[circle]);
        check_library("fn f() { b::x() }", "fn f() { println!(\"{}\", super::A) }", "", &[circle]);
        check_library("pub use self::b::X;", "use crate::a::{A, B};", "", &[circle]);
        let circle = "a/b.rs:1: circles: imports a.rs:2 imports c.rs:1, which imports the first";
        check_library("use crate::c::C;", "use crate::a::A;", "use super::a::b::B;", &[circle]);
        check_library(
            "use b::X;",
            "use super::A; use crate::c::C;",
            "use crate::a::A;",
            &["a/b.rs:1: circles: imports a.rs:2, which imports the first; \
               3 files reach each other: a/b.rs a.rs c.rs"],
        );
    }

    #[test]
    fn trees_of_imports_are_no_circle() {
        check_library("", "use super::A; use crate::c::C;", "", &[]);
        check_library("use b::X;", "#[cfg(test)] mod tests { use super::super::A; }", "", &[]);
        check_library("use b::X; mod d { use super::E; }", "use crate::c;", "use c::D;", &[]);
    }

    #[test]
    fn imports_through_the_library_root_are_found() {
        let found = ["c.rs:1: root imports: import Error from the module that defines it"];
        check_library("", "", "use crate::{Error, a::A, m};", &found);
        check_library("", "", "fn f() { crate::m!(crate::Error) }", &found);
        check_library("", "", "use super::Error;", &found);
        check_files(&[("main.rs", "mod a;"), ("a.rs", "use crate::Args;")], &[]);
    }
}
