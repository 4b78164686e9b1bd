//! Medians, percentiles and shares of samples. Pure.

/// The value below which `percent` of the samples lie (nearest rank); NaN without samples.
pub(crate) fn quantile(samples: &[f64], percent: usize) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// The median of the samples.
pub(crate) fn median(samples: &[f64]) -> f64 {
    quantile(samples, 50)
}

/// The 99th percentile as text; of so few samples that it is the largest, it says so.
pub(crate) fn p99(samples: &[f64], digits: usize) -> String {
    if samples.is_empty() {
        return "–".to_owned();
    }
    let value = quantile(samples, 99);
    let largest = samples.len() * 99 / 100 + 1 >= samples.len();
    format!("{value:.digits$}{}", if largest { " (max)" } else { "" })
}

/// A share or a rate, for counts far below 2^52.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark are small"
)]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let samples: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((quantile(&samples, 50) - 51.0).abs() < 1e-9);
        assert!((quantile(&samples, 99) - 100.0).abs() < 1e-9);
        assert!((quantile(&[7.0], 99) - 7.0).abs() < 1e-9);
        assert!(quantile(&[], 50).is_nan());
        assert_eq!(p99(&[], 0), "–");
        assert_eq!(p99(&samples, 0), "100 (max)");
        let more: Vec<f64> = (1..=101).map(f64::from).collect();
        assert_eq!(p99(&more, 0), "100");
        assert!((ratio(1, 4) - 0.25).abs() < 1e-9);
        assert!((ratio(0, 0)).abs() < 1e-9);
    }
}
