//! Quantiles of samples. Pure.

/// The value below which `percent` of the samples lie (nearest rank); NaN without samples.
pub(super) fn quantile(samples: &[f64], percent: usize) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let samples: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        let of = |percent| quantile(&samples, percent).to_string();
        assert_eq!([of(50), of(95), of(100)], ["10", "19", "20"]);
        assert!(quantile(&[], 50).is_nan());
    }
}
