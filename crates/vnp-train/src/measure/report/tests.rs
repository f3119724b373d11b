//! The reports and their bytes.

use fs_err as fs;

use super::*;
use crate::data::examples::Examples;
use crate::data::examples::tests::examples;
use crate::split::Split;
use crate::testing::directory;

/// Viral chunks of the test split at 0.9 but for the first, the others at 0.2.
fn evaluation() -> (Examples, Evaluation) {
    let mut examples = examples(1);
    examples.groups[10].kind = "large\tvirus".to_owned();
    let score = |(row, meta): (usize, &crate::Row)| match (meta.is_virus, row) {
        (true, 200 | 201) => [0.75, 0.25],
        (true, _) => [0.125, 0.875],
        (false, _) => [0.8125, 0.1875],
    };
    let scores: Vec<_> = examples.rows.iter().enumerate().map(score).collect();
    let evaluation = Evaluation::of(&examples, &scores, Split::Test).unwrap();
    (examples, evaluation)
}

#[test]
fn a_table_has_a_figure_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let (_, evaluation) = evaluation();
    write_metrics(&directory(dir.path()), std::slice::from_ref(&evaluation)).unwrap();
    let text = fs::read_to_string(dir.path().join("metrics.tsv")).unwrap();
    assert_eq!(text.lines().next(), Some("part\tunit\tkind\tclass\tmetric\tvalue\tlower\tupper"));
    for line in [
        "test\tframes\tall\tboth\ttrue_viral\t18\tNA\tNA",
        "test\tchunks\tall\tboth\tfalse_other\t1\tNA\tNA",
        "test\tchunks\tall\tboth\trecall\t0.900000\tNA\tNA",
        "test\tchunks\tall\tboth\tauroc\t1.000000\t1.000000\t1.000000",
        "test\tchunks\tall\tboth\tbalanced_accuracy\t0.950000\t0.950000\t0.950000",
        "test\tchunks\tall\tboth\tbin_0.0_0.1_mean_score\tNA\tNA\tNA",
        "test\tchunks\tall\tboth\tbin_0.8_0.9_viral_share\t1.000000\tNA\tNA",
        "test\tchunks\tlarge virus\tvirus\taccuracy\t0.900000\t0.900000\t0.900000",
        "test\tchunks\tbacterium\tothers\tmean_score\t0.187500\tNA\tNA",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.lines().all(|line| line.split('\t').count() == 8), "{text}");
    // (9 * 0.125^2 + 0.75^2 + 10 * 0.1875^2) / 20
    assert!(text.contains("chunks\tall\tboth\tbrier_score\t0.052734\t"), "{text}");
}

#[test]
fn json_has_the_same_figures_and_what_is_undefined_is_null() {
    let (_, evaluation) = evaluation();
    let value = Evaluation::json(std::slice::from_ref(&evaluation)).unwrap();
    let split = &value["parts"][0];
    assert_eq!(split["part"], "test");
    assert_eq!(split["chunks"]["confusion"]["true_viral"], 9);
    assert_eq!(split["chunks"]["recall"], 0.9);
    assert_eq!(split["chunks"]["calibration"]["brier"], 0.052734);
    assert_eq!(split["chunks"]["calibration"]["bins"][0]["mean_score"], Value::Null);
    assert_eq!(split["kinds"][0]["kind"], "large\tvirus");
}

#[test]
fn the_same_figures_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let directory = directory(dir.path());
    let bytes = || {
        write_metrics(&directory, &[evaluation().1]).unwrap();
        ["metrics.tsv", "metrics.json"].map(|name| fs::read(dir.path().join(name)).unwrap())
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_history_has_an_epoch_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let directory = directory(dir.path());
    let epoch = |epoch, validation_loss, is_best| Epoch {
        epoch,
        rate: 0.0002,
        training_loss: 0.5,
        validation_loss,
        is_best,
    };
    write_history(&directory, &[epoch(0, 0.25, true), epoch(1, 0.3, false)]).unwrap();
    let expected = "epoch\tlearning_rate\ttraining_loss\tvalidation_loss\tbest\n\
                    1\t0.0002\t0.5\t0.25\tyes\n2\t0.0002\t0.5\t0.3\tno\n";
    assert_eq!(fs::read_to_string(dir.path().join("history.tsv")).unwrap(), expected);
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let directory = directory(dir.path());
    fs::create_dir(dir.path().join("history.tsv")).unwrap();
    let Err(error) = write_history(&directory, &[]) else { panic!("written") };
    assert!(error.to_string().contains("history.tsv"), "{error}");
}
