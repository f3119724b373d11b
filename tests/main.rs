//! What a user sees of `vnp`: commands, files, exit codes, kills and damage.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod bad_input;
mod begun;
mod checkpoints;
mod commands;
mod crash;
mod damage;
mod defects;
mod directories;
mod disturbed;
mod embed;
mod embed_disturbed;
mod field;
mod guide;
mod heads;
mod heard;
mod hostile_models;
mod ids;
mod import;
mod interrupted;
mod orfs;
mod parity;
mod paths;
mod predict;
mod reads;
mod resume;
mod resume_from;
mod score_all;
mod shim;
mod shown;
mod signals;
mod special;
mod support;
mod tables;
mod train;
mod train_encoders;
mod vanished;
mod weights;
