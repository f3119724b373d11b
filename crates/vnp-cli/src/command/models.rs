//! `vnp models`: lists, finds, checks and imports model bundles.

use anyhow::bail;
use vnp_escape::{escaped, escaped_path, listed, shown};
use vnp_infer::{Bundle, BundleSummary, ImportOptions, LengthSource};

use super::bundles::{find, search_dirs};
use crate::args::{ImportArgs, ModelsCommand};
use crate::exit::Exit;
use crate::output::{self, table::table};

/// `vnp models`
pub(crate) fn run(command: ModelsCommand) -> anyhow::Result<Exit> {
    match command {
        ModelsCommand::List => list(),
        ModelsCommand::Path => path(),
        ModelsCommand::Verify { name } => verify(name),
        ModelsCommand::Import(args) => import(args),
    }
}

fn list() -> anyhow::Result<Exit> {
    let mut rows = vec![["name", "length", "score-all", "where"].map(str::to_owned)];
    for entry in vnp_infer::list_bundles(&search_dirs())? {
        let path = entry.directory.map(|directory| escaped_path(&directory).to_string());
        let path =
            path.unwrap_or_else(|| "built in: a demonstration, not the published model".to_owned());
        rows.push(match entry.summary {
            Ok(BundleSummary { expected_length, has_fallback }) => {
                let score_all = if has_fallback { "yes" } else { "no" }.to_owned();
                [entry.name, format!("{expected_length} bp"), score_all, path]
            }
            Err(reason) => {
                log::warn!("{reason}");
                let unknown = "?".to_owned();
                [entry.name, unknown.clone(), unknown, format!("{path}: cannot be read")]
            }
        });
    }
    output::stream(|out| table(out, || rows.iter().cloned()))?;
    Ok(Exit::Done)
}

fn path() -> anyhow::Result<Exit> {
    let dirs: String = search_dirs().iter().map(|dir| format!("{}\n", escaped_path(dir))).collect();
    output::print(&dirs)?;
    Ok(Exit::Done)
}

/// Opens bundles, which checks every digest.
fn verify(name: Option<String>) -> anyhow::Result<Exit> {
    let names = match name {
        Some(name) => vec![name],
        None => {
            let name = |entry: vnp_infer::BundleEntry| match entry.directory {
                Some(directory) => directory.to_string_lossy().into_owned(),
                None => entry.name,
            };
            vnp_infer::list_bundles(&search_dirs())?.into_iter().map(name).collect()
        }
    };
    let mut bad = 0;
    for name in &names {
        match find(name) {
            Ok(bundle) => {
                output::print(&format!("{}: OK ({})\n", escaped(name), shown(bundle.name())))?;
                log_length(&bundle);
            }
            Err(error) => {
                bad += 1;
                output::print(&format!("{}: BAD\n", escaped(name)))?;
                log::error!("{error:#}");
            }
        }
    }
    Ok(if bad == 0 { Exit::Done } else { Exit::Failed })
}

fn import(args: ImportArgs) -> anyhow::Result<Exit> {
    let default_name = args.output_dir.file_name().map(|name| name.to_string_lossy().into_owned());
    let Some(name) = args.name.or(default_name) else {
        bail!(
            "{} has no name that the model could take: give --name",
            escaped_path(&args.output_dir)
        );
    };
    let bundle = vnp_infer::import(&ImportOptions {
        esm2: args.esm2,
        dnabert: args.dnabert,
        tokenizer: args.tokenizer,
        head: args.head,
        fallback: args.fallback,
        expected_length: args.expected_length,
        name,
        out: args.output_dir.clone(),
        licence: "that of the imported weights".to_owned(),
        provenance: serde_json::json!({
            "summary": "imported from files that the user supplied",
        }),
    })?;
    for (file, names) in bundle.left_out() {
        let names = listed(names.iter().map(shown), 50, ", ");
        let file = escaped(file);
        log::info!("{file}: tensors that vnp does not need were left out: {names}");
    }
    log_length(&bundle);
    log::info!(
        "model {} for chunks of {} bp was written to {}",
        shown(bundle.name()),
        bundle.expected_length(),
        escaped_path(&args.output_dir)
    );
    Ok(Exit::Done)
}

/// Logs where the model has its chunk length from, if only from the user.
fn log_length(bundle: &Bundle) {
    if bundle.expected_length_source() == Some(LengthSource::Stated) {
        log::info!(
            "the head of {} is not one that VirNucPro published: that it was trained on chunks of {} bp \
             was stated when it was imported, and nothing here can check it",
            shown(bundle.name()),
            bundle.expected_length()
        );
    }
}
