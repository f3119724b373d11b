//! What `--json` shows of reports: a view of them, of which nothing is copied.

use std::borrow::Cow;
use std::path::Path;

use serde::{Serialize, Serializer};
use vnp_ckpt::{Integrity, Status};
use vnp_validate::{FailedCheckpoint, Finding, Report};

/// The reports on a tree, and the failures that its log holds.
#[derive(Serialize)]
pub(super) struct Reports<'a> {
    #[serde(serialize_with = "each")]
    files: &'a [Report],
    #[serde(serialize_with = "each")]
    recorded_failures: &'a [FailedCheckpoint],
}

impl<'a> Reports<'a> {
    pub(super) fn new(files: &'a [Report], recorded_failures: &'a [FailedCheckpoint]) -> Self {
        Self { files, recorded_failures }
    }
}

/// What a program reads of an item.
trait View {
    fn view(&self) -> impl Serialize;
}

/// The views of a list, one at a time.
fn each<T: View, S: Serializer>(items: &&[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(items.iter().map(View::view))
}

fn text(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy()
}

impl View for Report {
    fn view(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct File<'a> {
            #[serde(serialize_with = "each")]
            findings: &'a [Finding],
            integrity: Option<&'static str>,
            kind: Option<&'a str>,
            path: Cow<'a, str>,
            reason: String,
            result: &'static str,
            rows: Option<u64>,
            status: Option<&'static str>,
            version: Option<&'a str>,
        }
        File {
            findings: &self.findings,
            integrity: self.integrity.map(Integrity::name),
            kind: self.kind.as_deref(),
            path: text(&self.path),
            reason: self.reason(),
            result: self.outcome().name(),
            rows: self.rows,
            status: self.status.map(Status::name),
            version: self.version.as_deref(),
        }
    }
}

impl View for Finding {
    fn view(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct Found<'a> {
            code: &'static str,
            expected: &'a str,
            found: &'a str,
            subject: &'a str,
        }
        let Self { subject, expected, found, .. } = self;
        Found { code: self.code.name(), expected, found, subject }
    }
}

impl View for FailedCheckpoint {
    fn view(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct Failure<'a> {
            path: Cow<'a, str>,
            reason: &'a str,
            timestamp: &'a str,
        }
        Failure { path: text(&self.path), reason: &self.reason, timestamp: &self.timestamp }
    }
}
