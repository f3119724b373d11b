//! The rows of each training step.

#![expect(clippy::indexing_slicing, reason = "rows are those of the examples")]

use std::collections::HashMap;
use std::ops::Range;

use crate::data::examples::{Examples, Row};
use crate::head::recipe::Sampling;
use crate::rng::Rng;

/// The rows of one split, and how batches are drawn from them.
#[derive(Debug)]
pub(super) struct Batches {
    seed: u64,
    size: usize,
    draw: Draw,
    /// The epoch whose order of rows this is.
    epoch: Option<usize>,
    order: Vec<usize>,
}

#[derive(Debug)]
enum Draw {
    Every(Vec<usize>),
    /// The rows of each class, each with the running sum of the weights.
    Balanced([Vec<(f64, usize)>; 2]),
}

impl Batches {
    pub(super) fn new(
        examples: &Examples,
        rows: Vec<usize>,
        sampling: Sampling,
        size: usize,
        seed: u64,
    ) -> Self {
        let draw = match sampling {
            Sampling::EveryRow => Draw::Every(rows),
            Sampling::Balanced => Draw::Balanced(weighed(examples, &rows)),
        };
        Self { seed, size, draw, epoch: None, order: Vec::new() }
    }

    /// The number of rows of an epoch.
    fn len(&self) -> usize {
        match &self.draw {
            Draw::Every(rows) => rows.len(),
            Draw::Balanced([viral, _]) => 2 * viral.len(),
        }
    }

    /// The number of steps of an epoch. A single last row joins the step before: there is no norm
    /// of one row.
    pub(super) fn steps(&self) -> usize {
        let (whole, rest) = (self.len() / self.size, self.len() % self.size);
        (whole + usize::from(rest > 1)).max(1)
    }

    /// The rows of a step.
    pub(super) fn rows(&mut self, epoch: usize, step: usize) -> &[usize] {
        if self.epoch != Some(epoch) {
            self.order = self.draw(epoch);
            self.epoch = Some(epoch);
        }
        &self.order[self.range(step)]
    }

    fn range(&self, step: usize) -> Range<usize> {
        let start = (step * self.size).min(self.len());
        start..if step + 1 >= self.steps() { self.len() } else { start + self.size }
    }

    fn draw(&self, epoch: usize) -> Vec<usize> {
        let mut rng = Rng::new(self.seed, &format!("rows of epoch {epoch}"));
        let mut rows = match &self.draw {
            Draw::Every(rows) => rows.clone(),
            Draw::Balanced([viral, others]) => {
                let mut draw = |class: &[_]| {
                    (0..viral.len()).filter_map(|_| rng.pick(class).copied()).collect()
                };
                let drawn: [Vec<usize>; 2] = [draw(viral), draw(others)];
                drawn.concat()
            }
        };
        rng.shuffle(&mut rows);
        rows
    }
}

/// The rows of each class with the running sums of their weights: for a row of a group of n rows of
/// the class, 1/sqrt(n).
fn weighed(examples: &Examples, rows: &[usize]) -> [Vec<(f64, usize)>; 2] {
    [true, false].map(|is_virus| {
        let of_class = || {
            let rows = rows.iter().map(|index| (*index, &examples.rows[*index]));
            rows.filter(move |(_, row)| row.is_virus == is_virus)
        };
        let mut sizes: HashMap<usize, u32> = HashMap::new();
        of_class().for_each(|(_, row)| *sizes.entry(row.group).or_default() += 1);
        let mut sum = 0.0;
        let weigh = |(index, row): (usize, &Row)| {
            sum += 1.0 / f64::from(sizes[&row.group]).sqrt();
            (sum, index)
        };
        of_class().map(weigh).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(rows: usize, size: usize) -> Batches {
        let rows = (0..rows).collect();
        Batches::new(&Examples::default(), rows, Sampling::EveryRow, size, 1)
    }

    #[track_caller]
    fn check_sizes(rows: usize, size: usize, expected: &[usize]) {
        let mut batches = batches(rows, size);
        let mut all = Vec::new();
        let sizes: Vec<usize> = (0..batches.steps())
            .map(|step| {
                all.extend_from_slice(batches.rows(3, step));
                batches.rows(3, step).len()
            })
            .collect();
        assert_eq!(sizes, expected);
        all.sort_unstable();
        assert_eq!(all, (0..rows).collect::<Vec<_>>());
    }

    #[test]
    fn an_epoch_has_every_row_once_and_no_step_has_one_row() {
        check_sizes(6, 3, &[3, 3]);
        check_sizes(8, 3, &[3, 3, 2]);
        check_sizes(7, 3, &[3, 4]);
        check_sizes(2, 32, &[2]);
        check_sizes(33, 32, &[33]);
    }

    #[test]
    fn orders_differ_by_epoch_and_do_not_depend_on_what_was_asked_before() {
        let order = |epochs: &[usize]| {
            let mut batches = batches(50, 50);
            epochs.iter().map(|epoch| batches.rows(*epoch, 0).to_vec()).collect::<Vec<_>>()
        };
        let all = order(&[0, 1, 2]);
        assert_ne!(all[0], all[1]);
        assert_eq!(order(&[2, 0]), [all[2].clone(), all[0].clone()]);
    }

    #[test]
    fn a_balanced_epoch_has_both_classes_and_its_share_of_every_group() {
        // 90 and 10 viral rows, and 400 of hosts.
        let row = |row| Row {
            id: String::new(),
            chunk: row,
            is_virus: row < 100,
            group: usize::from(row >= 90) + usize::from(row >= 100),
        };
        let examples = Examples { rows: (0..500).map(row).collect(), ..Examples::default() };
        let rows: Vec<usize> = (0..500).collect();
        let mut batches = Batches::new(&examples, rows, Sampling::Balanced, 200, 1);
        let (mut viral, mut small) = (0, 0);
        for epoch in 0..20 {
            let rows = batches.rows(epoch, 0);
            assert_eq!(rows.len(), 200);
            viral += rows.iter().filter(|row| **row < 100).count();
            small += rows.iter().filter(|row| (90..100).contains(*row)).count();
        }
        assert_eq!(viral, 2000);
        // sqrt(90) to sqrt(10): a quarter of the rows, and not a tenth.
        assert!((400..600).contains(&small), "{small}");
    }
}
