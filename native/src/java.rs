//! Java's arithmetic where it differs from Rust's.

use std::cmp::Ordering;

/// `Math.min`: NaN where either is.
pub(crate) fn min(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }
}

/// `Math.max`: NaN where either is.
pub(crate) fn max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// `Math.max` of floats: NaN where either is.
pub(crate) fn max_f32(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() { f32::NAN } else { a.max(b) }
}

/// `new java.util.Random(seed).nextDouble()`: a linear congruence of 48 bits, by Java's specification.
pub(crate) fn first_random_double(seed: i64) -> f64 {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let mut state = (seed as u64 ^ MULTIPLIER) & MASK;
    let mut next = |bits: u32| {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        state >> (48 - bits)
    };
    let (high, low) = (next(26), next(27));
    ((high << 27) + low) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// `Arrays.binarySearch`: where `key` stands, or where it would. Of equal values it finds one of its own
/// choice.
pub(crate) fn binary_search(sorted: &[f64], key: f64) -> Result<usize, usize> {
    let (mut low, mut end) = (0, sorted.len());
    while low < end {
        let middle = (low + end - 1) / 2; // Java's range includes its high end
        match sorted[middle].total_cmp(&key) {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => end = middle,
            Ordering::Equal => return Ok(middle),
        }
    }
    Err(low)
}

#[cfg(test)]
mod tests {
    use super::{binary_search, first_random_double, max, min};

    #[test]
    fn of_equal_values_the_one_that_java_meets_first_is_found() {
        let sorted = [0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1.0];
        assert_eq!(
            [0.25, 0.5, 0.75, 1.0, 0.6].map(|key| binary_search(&sorted, key)),
            [Ok(1), Ok(3), Ok(5), Ok(7), Err(5)]
        );
    }

    #[test]
    fn a_random_double_is_javas() {
        assert_eq!(first_random_double(42), 0.727_563_680_032_868_1);
        assert_eq!(first_random_double(0), 0.730_967_787_376_657);
    }

    #[test]
    fn nan_wins() {
        assert!(min(1.0, f64::NAN).is_nan() && max(f64::NAN, 1.0).is_nan());
    }
}
