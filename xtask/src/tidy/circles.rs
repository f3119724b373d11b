//! Circles in a graph of files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

/// The files that each file imports from, with the line of the first such import.
pub(super) type Graph<'a> = BTreeMap<&'a Path, BTreeMap<&'a Path, usize>>;

/// Files that all reach each other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group<'a> {
    pub(super) files: Vec<&'a Path>,
    /// The shortest circle among them: each imports from the next, and the last from the first.
    pub(super) circle: Vec<&'a Path>,
}

/// Every group of files that all reach each other.
pub(super) fn circles<'a>(graph: &Graph<'a>) -> Vec<Group<'a>> {
    let mut groups = Vec::new();
    let mut done = BTreeSet::new();
    for &file in graph.keys() {
        if done.contains(file) {
            continue;
        }
        let files: Vec<&Path> = reached(graph, file)
            .into_keys()
            .filter(|&other| reached(graph, other).contains_key(file))
            .collect();
        done.extend(files.iter().copied());
        let shortest = files.iter().filter_map(|&file| shortest_circle(graph, file));
        if let Some(circle) = shortest.min_by_key(Vec::len) {
            groups.push(Group { files, circle });
        }
    }
    groups
}

/// Every file that `from` reaches, each with the file from which it is reached first.
fn reached<'a>(graph: &Graph<'a>, from: &'a Path) -> BTreeMap<&'a Path, &'a Path> {
    let mut reached = BTreeMap::new();
    let mut waiting = VecDeque::from([from]);
    while let Some(file) = waiting.pop_front() {
        for &next in graph.get(file).into_iter().flat_map(BTreeMap::keys) {
            reached.entry(next).or_insert_with(|| {
                waiting.push_back(next);
                file
            });
        }
    }
    reached
}

/// The shortest way from `start` back to itself, which begins with `start`.
fn shortest_circle<'a>(graph: &Graph<'a>, start: &'a Path) -> Option<Vec<&'a Path>> {
    let reached = reached(graph, start);
    let mut way = vec![*reached.get(start)?];
    while let Some(&last) = way.last()
        && last != start
    {
        way.push(*reached.get(last)?);
    }
    way.reverse();
    Some(way)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(edges: &[(&'static str, &'static str)], expected: &[&[&str]]) {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry(Path::new(from)).or_default().insert(Path::new(to), 1);
        }
        let found: Vec<_> = circles(&graph).into_iter().map(|group| group.circle).collect();
        let expected: Vec<Vec<&Path>> =
            expected.iter().map(|circle| circle.iter().map(Path::new).collect()).collect();
        assert_eq!(found, expected, "{edges:?}");
    }

    #[test]
    fn each_group_is_reported_once() {
        check(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")], &[]);
        check(&[("a", "b"), ("b", "a")], &[&["a", "b"]]);
        check(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "b")], &[&["b", "c"]]);
        check(
            &[("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "c")],
            &[&["a", "b"], &["c", "d"]],
        );
    }
}
