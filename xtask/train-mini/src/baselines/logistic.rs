//! Logistic regression by Newton's method, on standardised features and with a ridge penalty.

/// Penalty of the squared weights.
const RIDGE: f64 = 10.0;
const STEPS: usize = 15;

/// The fitted weights, and the mean and deviation that standardise each feature.
pub(super) struct Logistic {
    mean: Vec<f64>,
    deviation: Vec<f64>,
    /// One per feature, and the bias last.
    weights: Vec<f64>,
}

/// The probability that a row is of class 1.
pub(super) fn probability(model: &Logistic, row: &[f64]) -> f64 {
    sigmoid(dot(&model.weights, &model.standardised(row)))
}

/// Fits a model to weighted rows with labels 0 and 1.
pub(super) fn fit(rows: &[Vec<f64>], labels: &[f64], weights: &[f64]) -> Logistic {
    let features = rows.first().map_or(0, Vec::len);
    let mean_of = |value: &dyn Fn(&[f64]) -> f64| {
        rows.iter().map(|row| value(row)).sum::<f64>() / rows.len().max(1) as f64
    };
    let mean: Vec<f64> = (0..features).map(|i| mean_of(&|row| row[i])).collect();
    let deviation = (0..features)
        .map(|i| mean_of(&|row| (row[i] - mean[i]).powi(2)).max(1e-12).sqrt())
        .collect();
    let mut model = Logistic { mean, deviation, weights: vec![0.0; features + 1] };
    let rows: Vec<Vec<f64>> = rows.iter().map(|row| model.standardised(row)).collect();
    for _ in 0..STEPS {
        let size = features + 1;
        let mut gradient: Vec<f64> = model.weights.iter().map(|w| RIDGE * w).collect();
        let mut hessian = vec![vec![0.0; size]; size];
        for ((row, label), weight) in rows.iter().zip(labels).zip(weights) {
            let p = sigmoid(dot(&model.weights, row));
            let (slope, curve) = (weight * (p - label), weight * p * (1.0 - p));
            for i in 0..size {
                gradient[i] += slope * row[i];
                for j in 0..=i {
                    hessian[i][j] += curve * row[i] * row[j];
                }
            }
        }
        (0..size).for_each(|i| hessian[i][i] += RIDGE);
        for (weight, step) in model.weights.iter_mut().zip(solve(hessian, gradient)) {
            *weight -= step;
        }
    }
    model
}

impl Logistic {
    fn standardised(&self, row: &[f64]) -> Vec<f64> {
        let scaled = row.iter().zip(&self.mean).zip(&self.deviation).map(|((x, m), d)| (x - m) / d);
        scaled.chain([1.0]).collect()
    }
}

/// Solves a symmetric positive definite system by Cholesky's method; reads its lower half only.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let size = right.len();
    for i in 0..size {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| matrix[i][k] * matrix[j][k]).sum();
            let rest = matrix[i][j] - known;
            matrix[i][j] = if i == j { rest.max(1e-12).sqrt() } else { rest / matrix[j][j] };
        }
    }
    for i in 0..size {
        let known: f64 = (0..i).map(|k| matrix[i][k] * right[k]).sum();
        right[i] = (right[i] - known) / matrix[i][i];
    }
    for i in (0..size).rev() {
        let known: f64 = (i + 1..size).map(|k| matrix[k][i] * right[k]).sum();
        right[i] = (right[i] - known) / matrix[i][i];
    }
    right
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_solved() {
        let found = solve(vec![vec![4.0, 0.0], vec![2.0, 3.0]], vec![10.0, 11.0]);
        // 4 x + 2 y = 10, 2 x + 3 y = 11
        assert!((found[0] - 1.0).abs() < 1e-9 && (found[1] - 3.0).abs() < 1e-9, "{found:?}");
    }
}
