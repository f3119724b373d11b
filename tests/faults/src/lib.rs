//! Kills, errors and losses of power at every system call of a program, for tests.
//!
//! A [`Tracer`] runs a command under `ptrace`. It counts the system calls, disturbs the one that a
//! [`Fault`] names, and records what the command does to the files below one directory. A
//! [`Disk`] replays such a record up to any point and yields what a loss of power there may leave.
//! `docs/CONTRIBUTING.md`, "Faults", explains what is proved with them.
//!
//! A [`WholeRun`] does all this to `vnp predict` and compares the results after a resume; the program
//! `disturb` repeats it many times.
//!
//! The program `saver` saves a checkpoint over an older one, as `vnp_ckpt::atomic_save` does or,
//! for the controls, in ways that are known to be wrong. A harness that does not catch those
//! proves nothing.

mod error;
mod event;
mod fault;
mod model;
mod random;
mod sample;
mod tracer;
mod whole_run;

pub use error::Error;
pub use event::{Event, Id, Record};
pub use fault::{Calls, Errno, Fault, Harm};
pub use model::{Disk, Image, Node};
pub use random::Random;
pub use sample::{Which, sample};
pub use tracer::{Call, Trace, Tracer, skip_reason};
pub use whole_run::{Counts, WholeRun};
