//! Arrows between crates: what a manifest depends on, beside what the table of crates allows.

use std::path::Path;

use super::finding::{Finding, Kind};
use super::rules::Crate;

/// Refuses dependencies that the table does not allow. Dev-dependencies may point anywhere.
pub(super) fn manifest(file: &Path, text: &str, crates: &[Crate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut refuse = |line, message| findings.push(Finding::new(Kind::Arrow, file, line, message));
    let Some(name) = package_name(text) else { return findings };
    let Some(rules) = crates.iter().find(|known| known.name == name) else {
        refuse(0, format!("{name} has no row in the table of crates"));
        return findings;
    };
    for (line, dependency) in dependencies(text) {
        let is_ours = crates.iter().any(|known| known.name == dependency);
        let is_allowed = rules.allowed.iter().any(|allowed| allowed == dependency);
        if is_ours && !is_allowed || rules.never.iter().any(|never| never == dependency) {
            refuse(line, format!("{name} must not depend on {dependency}"));
        }
    }
    findings
}

fn package_name(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines().skip_while(|line| *line != "[package]");
    let name = lines.find_map(|line| line.strip_prefix("name = \""))?;
    name.strip_suffix('"')
}

/// Each dependency of a build, and its line.
fn dependencies(manifest: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_dependencies = false;
    for (line, text) in (1..).zip(manifest.lines()) {
        if let Some(table) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            let is_dev = table.contains("dev-dependencies");
            in_dependencies = table.ends_with("dependencies") && !is_dev;
            let named = table.rsplit_once("dependencies.").filter(|_| !is_dev);
            found.extend(named.map(|(_, name)| (line, name)));
        } else if in_dependencies {
            found.extend(text.split(['.', ' ', '=']).next().map(|name| (line, name)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(manifest_rest: &str, expected: &[&str]) {
        let row = |name: &str, allowed: &[&str], never: &[&str]| Crate {
            name: name.to_owned(),
            allowed: allowed.iter().map(|&name| name.to_owned()).collect(),
            never: never.iter().map(|&name| name.to_owned()).collect(),
        };
        let crates = [row("low", &[], &[]), row("x", &["low"], &["clap"]), row("high", &[], &[])];
        let text = format!("[package]\nname = \"x\"\n{manifest_rest}");
        let found = manifest(Path::new("x"), &text, &crates);
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_arrow_that_is_not_drawn_is_found() {
        check("[dependencies]\nlow.workspace = true\nelsewhere = \"1\"\n", &[]);
        check("[dev-dependencies]\nhigh.workspace = true\n[dev-dependencies.clap]\n", &[]);
        check("[dependencies]\nhigh = \"1\"\n", &["x:4: arrows: x must not depend on high"]);
        check("[build-dependencies]\nclap = \"4\"\n", &["x:4: arrows: x must not depend on clap"]);
        check("[dependencies.clap]\n", &["x:3: arrows: x must not depend on clap"]);
        check(
            "[target.'cfg(unix)'.dependencies]\nclap = \"4\"\n",
            &["x:4: arrows: x must not depend on clap"],
        );
    }

    #[test]
    fn a_crate_that_is_not_drawn_is_found() {
        let text = "[package]\nname = \"y\"\n";
        let found = manifest(Path::new("y"), text, &[]);
        assert_eq!(found[0].to_string(), "y: arrows: y has no row in the table of crates");
    }
}
