//! Medians and percentiles.

/// The value below or at which `share` of `values` lie (nearest rank); 0 of none.
pub(crate) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * share).ceil() as usize;
    values.get(rank.max(1) - 1).copied().unwrap_or_default()
}

/// The middle of `values`.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(&mut values.to_vec(), 0.5)
}

/// The least of `values`.
pub(crate) fn least(values: &[f64]) -> f64 {
    percentile(&mut values.to_vec(), 0.0)
}
