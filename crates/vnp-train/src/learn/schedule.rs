//! The schedule of a training: learning rate, epochs, patience.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::learn::optimizer::Optimizer;

/// All settings of fitting apart from network and data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The optimizer.
    pub optimizer: Optimizer,
    /// The highest learning rate.
    pub rate: f64,
    /// The course of the rate.
    pub course: Course,
    /// The largest number of epochs.
    pub epochs: usize,
    /// Training stops after this many epochs without a smaller validation loss.
    pub patience: usize,
    /// The norm to which the gradients together are clipped.
    pub clip: Option<f64>,
    /// The decay per step of an exponential moving average of the parameters; if given, the average is
    /// validated, and is the result.
    pub average: Option<f64>,
}

/// The learning rate over time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Course {
    /// A constant rate.
    Constant,
    /// A rate that is multiplied by `factor` at regular intervals.
    Step {
        /// The interval in epochs.
        epochs: usize,
        /// The factor.
        factor: f64,
    },
    /// A linear rise, then a fall along half a cosine until the last epoch ends.
    Cosine {
        /// Epochs, possibly fractional, until the highest rate.
        warm_up: f64,
        /// The share of the rate that remains at the end.
        floor: f64,
    },
}

impl Schedule {
    /// The rate of a step; `steps` is the number of steps of its epoch.
    #[must_use]
    pub fn rate(&self, epoch: usize, step: usize, steps: usize) -> f64 {
        self.rate
            * match self.course {
                Course::Constant => 1.0,
                Course::Step { epochs, factor } => {
                    let times = i32::try_from(epoch / epochs.max(1)).unwrap_or(i32::MAX);
                    factor.powi(times)
                }
                Course::Cosine { warm_up, floor } => {
                    // In epochs, at the end of the step: the first one has a rate too.
                    let steps = steps.max(1) as f64;
                    let at = epoch as f64 + (step + 1) as f64 / steps;
                    if at < warm_up {
                        return self.rate * at / warm_up;
                    }
                    let length = (self.epochs as f64 - warm_up).max(1.0 / steps);
                    let progress = ((at - warm_up) / length).clamp(0.0, 1.0);
                    let cosine = (std::f64::consts::PI * progress).cos();
                    floor + (1.0 - floor) * 0.5 * (1.0 + cosine)
                }
            }
    }

    /// Refuses settings out of range.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Self { optimizer, rate, course, epochs, patience, clip, average } = *self;
        let above = |setting, value: f64| within(setting, value, 0.0, f64::MAX, "above 0");
        let share =
            |setting, value| within(setting, value, -f64::MIN_POSITIVE, 1.0, "from 0 to below 1");
        let positive =
            |setting, value: f64| within(setting, value, -f64::MIN_POSITIVE, f64::MAX, "0 or more");
        above("rate", rate)?;
        above("epochs", epochs as f64)?;
        above("patience", patience as f64)?;
        clip.map_or(Ok(()), |clip| above("clip", clip))?;
        average.map_or(Ok(()), |average| share("average", average))?;
        match course {
            Course::Constant => {}
            Course::Step { epochs, factor } => {
                above("course epochs", epochs as f64)?;
                above("course factor", factor)?;
            }
            Course::Cosine { warm_up, floor } => {
                positive("course warm_up", warm_up)?;
                share("course floor", floor)?;
            }
        }
        match optimizer {
            Optimizer::Sgd { momentum, decay } => {
                share("momentum", momentum)?;
                positive("decay", decay)
            }
            Optimizer::AdamW { beta1, beta2, epsilon, decay } => {
                share("beta1", beta1)?;
                share("beta2", beta2)?;
                above("epsilon", epsilon)?;
                positive("decay", decay)
            }
        }
    }
}

/// Refuses a setting that is not between `low` and `high`, both excluded, and NaN.
pub(crate) fn within(
    setting: &'static str,
    value: f64,
    low: f64,
    high: f64,
    expected: &'static str,
) -> Result<(), Error> {
    if value > low && value < high {
        return Ok(());
    }
    Err(Error::BadSetting { setting, expected, found: value.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(course: Course) -> Schedule {
        Schedule {
            optimizer: Optimizer::Sgd { momentum: 0.9, decay: 0.0 },
            rate: 2.0,
            course,
            epochs: 10,
            patience: 5,
            clip: None,
            average: None,
        }
    }

    #[track_caller]
    fn check(course: Course, at: (usize, usize), expected: f64) {
        let found = schedule(course).rate(at.0, at.1, 4);
        assert!((found - expected).abs() < 1e-12, "{at:?}: {found}");
    }

    #[test]
    fn rates_follow_their_course() {
        check(Course::Constant, (7, 3), 2.0);
        // StepLR(10, 0.85) as in PyTorch: epochs 0 to 9, 10 to 19, 20 to 29.
        let step = Course::Step { epochs: 10, factor: 0.85 };
        check(step, (0, 0), 2.0);
        check(step, (9, 3), 2.0);
        check(step, (10, 0), 1.7);
        check(step, (29, 0), 2.0 * 0.85 * 0.85);
        let cosine = Course::Cosine { warm_up: 2.0, floor: 0.1 };
        check(cosine, (0, 0), 0.25);
        check(cosine, (0, 3), 1.0);
        check(cosine, (1, 3), 2.0);
        check(cosine, (5, 3), 1.1);
        check(cosine, (9, 3), 0.2);
        check(cosine, (20, 0), 0.2);
        check(Course::Cosine { warm_up: 0.0, floor: 0.0 }, (9, 3), 0.0);
    }

    #[track_caller]
    fn check_refused(change: impl Fn(&mut Schedule), expected: &str) {
        let mut schedule = schedule(Course::Constant);
        assert!(schedule.check().is_ok());
        change(&mut schedule);
        let Err(Error::BadSetting { setting, .. }) = schedule.check() else { panic!("{expected}") };
        assert_eq!(setting, expected);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        check_refused(|s| s.rate = 0.0, "rate");
        check_refused(|s| s.rate = f64::NAN, "rate");
        check_refused(|s| s.epochs = 0, "epochs");
        check_refused(|s| s.patience = 0, "patience");
        check_refused(|s| s.clip = Some(-1.0), "clip");
        check_refused(|s| s.average = Some(1.0), "average");
        check_refused(|s| s.course = Course::Step { epochs: 0, factor: 0.5 }, "course epochs");
        check_refused(
            |s| s.course = Course::Cosine { warm_up: -1.0, floor: 0.0 },
            "course warm_up",
        );
        check_refused(|s| s.optimizer = Optimizer::Sgd { momentum: 1.0, decay: 0.0 }, "momentum");
        check_refused(|s| s.optimizer = Optimizer::adam_w(-0.1), "decay");
    }
}
