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
}
