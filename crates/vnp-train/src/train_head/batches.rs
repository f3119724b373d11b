//! Which rows a step has.

use std::collections::HashMap;
use std::ops::Range;

use crate::recipe::Sampling;
use crate::{Examples, Rng};

/// The rows of one part, and what is drawn of them.
#[derive(Debug)]
pub(super) struct Batches {
    seed: u64,
    size: usize,
    draw: Draw,
    /// The epoch whose order this is.
    order: Option<(usize, Vec<usize>)>,
}

#[derive(Debug)]
enum Draw {
    Every(Vec<usize>),
    /// Rows of either class, each with the sum of the weights up to it.
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
        Self { seed, size, draw, order: None }
    }

    /// The rows of an epoch.
    fn len(&self) -> usize {
        match &self.draw {
            Draw::Every(rows) => rows.len(),
            Draw::Balanced([viral, _]) => 2 * viral.len(),
        }
    }

    /// The steps of an epoch. A last row that would be alone joins the step before: there is no norm
    /// of one row.
    pub(super) fn steps(&self) -> usize {
        let (whole, rest) = (self.len() / self.size, self.len() % self.size);
        (whole + usize::from(rest > 1)).max(1)
    }

    /// The rows of a step.
    pub(super) fn rows(&mut self, epoch: usize, step: usize) -> &[usize] {
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            self.order = Some((epoch, self.draw(epoch)));
        }
        let Range { start, end } = self.range(step);
        self.order.as_ref().and_then(|(_, rows)| rows.get(start..end)).unwrap_or_default()
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
                let classes = [viral, others].into_iter();
                classes.flat_map(|class| sample(class, viral.len(), &mut rng)).collect()
            }
        };
        rng.shuffle(&mut rows);
        rows
    }
}

fn weighed(examples: &Examples, rows: &[usize]) -> [Vec<(f64, usize)>; 2] {
    let meta = |row: &usize| examples.rows.get(*row);
    let mut sizes = HashMap::new();
    for row in rows.iter().filter_map(meta) {
        *sizes.entry((row.is_virus, row.group)).or_insert(0.0f64) += 1.0;
    }
    [true, false].map(|is_virus| {
        let mut sum = 0.0;
        let of_class = rows.iter().filter_map(|row| Some((*row, meta(row)?)));
        of_class
            .filter(|(_, meta)| meta.is_virus == is_virus)
            .map(|(row, meta)| {
                sum += 1.0 / sizes.get(&(is_virus, meta.group)).copied().unwrap_or(1.0).sqrt();
                (sum, row)
            })
            .collect()
    })
}

fn sample(class: &[(f64, usize)], count: usize, rng: &mut Rng) -> Vec<usize> {
    let total = class.last().map_or(0.0, |(sum, _)| *sum);
    let draw = |_| {
        let at = rng.uniform() * total;
        let found = class.partition_point(|(sum, _)| *sum <= at);
        class.get(found).or(class.last()).map(|(_, row)| *row)
    };
    (0..count).filter_map(draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Row;

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
