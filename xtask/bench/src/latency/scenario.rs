//! The commands that are interrupted.

use clap::ValueEnum;

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    PredictMini,
    PredictT33,
    ImportT33,
    Train,
    Embed,
    ValidateCheckpoints,
}

impl Scenario {
    /// The name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The words of the command, begun or continued.
    pub(crate) fn words(self, resume: bool) -> Vec<&'static str> {
        let mut words = match self {
            Self::PredictMini => vec!["predict", "long.fa", "-o", "out/run"],
            Self::PredictT33 => vec!["predict", "short.fa", "-m", "t33", "-o", "out/run"],
            Self::ImportT33 => vec![
                "models",
                "import",
                "--esm2",
                "t33/esm2",
                "--dnabert",
                "t33/dnabert",
                "--head",
                "t33/head.safetensors",
                "--expected-length",
                "500",
                "-o",
                "out/imported",
            ],
            Self::Train => {
                vec!["train", "--virus", "virus.fa", "--others", "others.fa", "-o", "out/trained"]
            }
            Self::Embed => vec![
                "embed",
                "long.fa",
                "--encoder",
                "dnabert-s",
                "--weights",
                "mini",
                "-o",
                "out/e.vnp",
            ],
            Self::ValidateCheckpoints => vec!["validate-checkpoints", "checkpoints"],
        };
        if resume {
            words.push("--resume");
        }
        words
    }

    /// Whether it can be continued.
    pub(crate) fn is_job(self) -> bool {
        matches!(self, Self::PredictMini | Self::PredictT33 | Self::Train | Self::Embed)
    }

    /// The results that are the same each time.
    pub(crate) fn results(self) -> &'static [&'static str] {
        match self {
            Self::PredictMini | Self::PredictT33 => {
                &["run/prediction_results.txt", "run/sequences.tsv"]
            }
            Self::Train => &["trained/metrics.tsv", "trained/bundle/head.safetensors"],
            Self::ImportT33 | Self::Embed | Self::ValidateCheckpoints => &[],
        }
    }
}
