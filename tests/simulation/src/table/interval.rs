//! A mean over seeds, with its 95 % interval.

/// Two-sided 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom; beyond, the normal one.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
];

/// The mean, and half the width of its interval; with one value, no width is known.
#[must_use]
pub fn mean(values: &[f64]) -> (f64, Option<f64>) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count.max(1.0);
    if values.len() < 2 {
        return (mean, None);
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let student = STUDENT.get(values.len() - 2).copied().unwrap_or(1.96);
    (mean, Some(student * (squares / (count - 1.0) / count).sqrt()))
}

/// The exact upper end of a one-sided 95 % interval for the mean of a Poisson count (Garwood, Biometrika 28, 1936).
#[must_use]
pub fn at_most(count: u32) -> f64 {
    let chance_of_so_few = |mean: f64| {
        let mut term = (-mean).exp();
        let mut sum = term;
        for n in 1..=count {
            term *= mean / f64::from(n);
            sum += term;
        }
        sum
    };
    let (mut low, mut high) = (0.0, 10.0 + 3.0 * f64::from(count));
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if chance_of_so_few(middle) > 0.05 {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_values_by_hand() {
        let (middle, half) = mean(&[1.0, 2.0, 3.0]);
        assert!((middle - 2.0).abs() < 1e-12);
        assert!((half.expect("a width") - 4.303 / 3f64.sqrt()).abs() < 1e-9);
        assert_eq!(mean(&[5.0]), (5.0, None));
    }

    #[test]
    fn bounds_of_counts_as_in_tables() {
        for (count, bound) in [(0, 2.9957), (1, 4.7439), (5, 10.5130), (20, 29.0620)] {
            assert!((at_most(count) - bound).abs() < 1e-3, "{count}: {}", at_most(count));
        }
    }
}
