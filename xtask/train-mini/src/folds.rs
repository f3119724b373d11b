//! Runs the trainings: one for each fold of the cross-validation, and the final one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use vnp_seq::ChunkLength;
use vnp_train::{Identity, Split};

use super::baselines;
use super::chunks::Partition;
use super::corpus::Corpus;
use super::report::{Pool, difference, difference_json};
use super::settings::{Arguments, Settings};
use super::trial::{Scored, Trained};

/// The second chunk length to measure, in bp.
const SHORT: u32 = 300;

/// The scores of the test split of a fold.
struct Fold {
    mini: Scored,
    short: Scored,
    without_orf: Scored,
    baselines: [Scored; 2],
}

/// The scores of all folds.
#[derive(Default)]
pub(crate) struct Pools {
    mini: Pool,
    short: Pool,
    without_orf: Pool,
    baselines: [Pool; 2],
}

/// Trains and measures every fold, and with `with_final` trains once more on all groups. Each of
/// `arguments.jobs` threads runs one training at a time.
pub(crate) fn run(
    corpus: &Corpus,
    settings: &Settings,
    arguments: &Arguments,
    identity: &Identity,
    with_final: bool,
    log: &(dyn Fn(&str) + Sync),
) -> Result<(Pools, Option<Trained>)> {
    let count = settings.folds;
    let results: Mutex<Vec<Option<Result<Fold>>>> = Mutex::new((0..count).map(|_| None).collect());
    let last: Mutex<Option<Result<Trained>>> = Mutex::new(None);
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job < count {
                let found = fold(corpus, settings, arguments, identity, job, log);
                results.lock().expect("no thread panics")[job] = Some(found);
            } else if job == count && with_final {
                let partition = Partition::new(corpus, corpus.splits(None, settings));
                let directory = arguments.work.join("final");
                let settings = settings.of_final();
                let found = Trained::new(&partition, &settings, identity, &directory, log);
                *last.lock().expect("no thread panics") = Some(found);
            } else {
                return;
            }
        }
    };
    std::thread::scope(|scope| -> Result<()> {
        for _ in 0..arguments.jobs.max(1) {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
            scope.spawn(move || pool.install(work));
        }
        Ok(())
    })?;
    let mut pools = Pools::default();
    let folds = results.into_inner().expect("no thread panics");
    for (number, fold) in folds.into_iter().enumerate() {
        pools.add(&fold.with_context(|| format!("fold {number} was not run"))??)?;
    }
    Ok((pools, last.into_inner().expect("no thread panics").transpose()?))
}

fn fold(
    corpus: &Corpus,
    settings: &Settings,
    arguments: &Arguments,
    identity: &Identity,
    number: usize,
    log: &(dyn Fn(&str) + Sync),
) -> Result<Fold> {
    let partition = Partition::new(corpus, corpus.splits(Some(number), settings));
    let directory = arguments.work.join(format!("fold-{number}"));
    let trained = Trained::new(&partition, settings, identity, &directory, log)?;
    let length = ChunkLength::new(settings.chunk_length)?;
    let test = partition.with_orf(Split::Test, length, settings.test_chunks);
    let mini = trained.score(&partition, &test)?;
    let found = baselines::scores(&partition, length, settings.test_chunks, &test)?;
    let baselines = found.map(|scores| Scored { rows: mini.rows.clone(), scores });
    let short = partition.with_orf(Split::Test, ChunkLength::new(SHORT)?, settings.test_chunks);
    let without_orf = partition.without_orf(Split::Test, length, settings.test_chunks);
    let fold = Fold {
        short: trained.score(&partition, &short)?,
        without_orf: trained.score_strands(&partition, &without_orf)?,
        mini,
        baselines,
    };
    let figures = Pool::default().add(&fold.mini)?;
    log(&format!("fold {number}: {figures:?}"));
    Ok(fold)
}

impl Pools {
    fn add(&mut self, fold: &Fold) -> Result<()> {
        self.mini.add(&fold.mini)?;
        self.short.add(&fold.short)?;
        self.without_orf.add(&fold.without_orf)?;
        for (pool, scored) in self.baselines.iter_mut().zip(&fold.baselines) {
            pool.add(scored)?;
        }
        Ok(())
    }

    /// The figures as text.
    pub(crate) fn describe(&self) -> Result<Vec<String>> {
        let mut lines = vec![self.mini.describe("mini, 500 bp")?];
        for (name, pool) in baselines::NAMES.iter().zip(&self.baselines) {
            lines.push(pool.describe(name)?);
            lines.push(difference(name, &self.mini.compared(pool)?));
        }
        lines.push(self.short.describe("mini, 300 bp")?);
        lines.push(self.without_orf.describe("nucleotide-only head, 500 bp without an ORF")?);
        Ok(lines)
    }

    /// The figures for the metadata of the bundle.
    pub(crate) fn json(&self) -> Result<Value> {
        let mut others = serde_json::Map::new();
        for (name, pool) in baselines::NAMES.iter().zip(&self.baselines) {
            let figures = pool.json()?;
            others.insert(
                (*name).to_owned(),
                json!({
                    "fold_mean_auroc": figures["fold_mean_auroc"],
                    "fold_mean_balanced_accuracy": figures["fold_mean_balanced_accuracy"],
                    "folds": figures["folds"],
                    "mini_less_this": difference_json(&self.mini.compared(pool)?),
                }),
            );
        }
        Ok(json!({
            "open_500_bp": self.mini.json()?,
            "open_300_bp": self.short.json()?,
            "closed_500_bp_by_fallback": self.without_orf.json()?,
            "baselines_500_bp": others,
        }))
    }
}
