//! Parts: the finished rows of a run on disk, and what is still missing.
//!
//! A [`Part`] is a checkpoint with the rows `[start, end)` of one [`Stage`]. A stage is finished when
//! its parts cover `[0, total)`; there is no other record of progress. Resuming, repairing, several
//! devices and reading the embeddings of a finished run are then the same operations:
//!
//! * [`inspect`] finds which parts of a directory may be trusted: an [`Inventory`];
//! * [`Inventory::missing`] names the rows that no part holds, [`windows`] cuts them into portions;
//! * [`Part::read`] and [`Part::save`] read and write [`Rows`];
//! * [`StoredEmbeddings::read`] reads every row of a finished run;
//! * [`Manifest`] is `run.json`, the record of a finished run.

mod identity;
mod inspect;
mod inventory;
mod manifest;
mod part;
mod row_set;
mod rows;
mod stage;
mod stored;
mod track;

pub use identity::{IDENTITY_KEY, Identity, PartIdentity, differences_of_metadata};
pub use inspect::{Expectation, Inspection, Trust, inspect};
pub use inventory::Inventory;
pub use manifest::{Counts, DnaOnlyCounts, Manifest, ModelRecord, RUN_JSON, Session};
pub use part::{Part, Provenance};
pub use row_set::{RowSet, windows};
pub use rows::{RowSource, RowStatus, Rows};
pub use stage::Stage;
pub use stored::{Encoders, StoredEmbeddings};
pub use track::Track;
