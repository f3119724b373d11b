//! How well a head distinguishes viruses from others: calls, metrics with intervals, and the files that report them.

pub(crate) mod bootstrap;
pub(crate) mod calibration;
pub(crate) mod call;
pub(crate) mod comparison;
pub(crate) mod confusion;
pub(crate) mod evaluation;
pub(crate) mod ranking;
pub(crate) mod report;
pub(crate) mod score;
