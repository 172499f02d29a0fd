//! From class probabilities to an answer: balancing taken back, ties broken (`GenModel`).
//!
//! An answer's first place is the label, then follows a probability a class.

use crate::error::Result;
use crate::ini::Ini;
use crate::java;

/// What a model knows of its classes.
#[derive(Debug)]
pub(crate) struct Classes {
    pub count: usize,
    /// From here on a binomial answer is class 1: the threshold of the greatest F1, of H2O's choice.
    pub threshold: f64,
    /// `_priorClassDistrib`: the shares before balancing.
    priors: Option<Vec<f64>>,
    /// By class what its probability is multiplied with, where classes were balanced in training.
    corrections: Option<Vec<f64>>,
}

impl Classes {
    pub fn read(ini: &Ini, count: usize) -> Result<Self> {
        let threshold = ini.number("default_threshold")?;
        let shares = |key: &str| match ini.numbers(key)? {
            Some(shares) if shares.len() != count => {
                Err(ini.wrong(key, format!("one share for each of {count} classes")))
            }
            shares => Ok(shares),
        };
        let (priors, trained) = (shares("prior_class_distrib")?, shares("model_class_distrib")?);
        let corrections = match (ini.flag("balance_classes")? && count > 1, &priors, &trained) {
            (false, ..) => None,
            (true, Some(priors), Some(trained)) => Some(corrections(priors, trained)),
            (true, ..) => return Err(ini.wrong("balance_classes", "both class distributions beside it")),
        };
        Ok(Classes { count, threshold, priors, corrections })
    }

    /// Takes balancing back, then labels: what GBM, DRF and DeepLearning end with.
    pub fn conclude(&self, row: &[f64], out: &mut [f64]) {
        if let Some(corrections) = &self.corrections {
            correct(&mut out[1..], corrections);
        }
        self.label(row, out);
    }

    /// `getPrediction`: writes the label of the probabilities behind it.
    pub fn label(&self, row: &[f64], out: &mut [f64]) {
        out[0] = match self.count {
            2 => f64::from(u8::from(out[2] >= self.threshold)),
            _ => likeliest(&out[1..], self.priors.as_deref(), row) as f64,
        };
    }
}

fn corrections(priors: &[f64], trained: &[f64]) -> Vec<f64> {
    let factor = |(&prior, &trained): (&f64, &f64)| match prior != 0.0 && trained != 0.0 {
        true => prior / trained,
        false => 1.0,
    };
    priors.iter().zip(trained).map(factor).collect()
}

/// `correctProbabilities`.
fn correct(probabilities: &mut [f64], corrections: &[f64]) {
    let mut sum = 0.0;
    for (probability, correction) in probabilities.iter_mut().zip(corrections) {
        *probability *= correction;
        sum += *probability;
    }
    if sum > 0.0 {
        probabilities.iter_mut().for_each(|probability| *probability /= sum);
    }
}

/// `getPredictionMultinomial`: among ties one is drawn by the priors, with the row's own bits as seed.
///
/// The classes "tied" are genmodel's: class 0, whether it is or not, and each class equal to the greatest one
/// at the time it was met.
fn likeliest(probabilities: &[f64], priors: Option<&[f64]>, row: &[f64]) -> usize {
    let (mut best, mut ties) = (0, 0);
    for class in 1..probabilities.len() {
        if probabilities[best] < probabilities[class] {
            (best, ties) = (class, 0);
        } else if probabilities[best] == probabilities[class] {
            ties += 1;
        }
    }
    if ties == 0 {
        return best;
    }
    let hash = row.iter().fold(0, |hash, value| hash ^ (value.to_bits() as i64 >> 6));
    let drawn = priors.and_then(|priors| draw(probabilities, priors, hash));
    drawn.unwrap_or_else(|| nth_tie(probabilities, best, hash as i32 % (ties + 1)))
}

fn draw(probabilities: &[f64], priors: &[f64], hash: i64) -> Option<usize> {
    let sum = tied(probabilities).fold(0.0, |sum, class| sum + priors[class]);
    let (at, mut reached) = (java::first_random_double(hash), 0.0);
    tied(probabilities).find(|&class| {
        reached += priors[class] / sum;
        at <= reached
    })
}

/// The classes that genmodel's loop puts on its list of ties, in its order.
fn tied(probabilities: &[f64]) -> impl Iterator<Item = usize> {
    let mut best = 0;
    let listed = (1..probabilities.len()).filter(move |&class| {
        if probabilities[best] < probabilities[class] {
            best = class;
            return false;
        }
        probabilities[best] == probabilities[class]
    });
    std::iter::once(0).chain(listed)
}

/// What genmodel falls back to without priors.
fn nth_tie(probabilities: &[f64], best: usize, mut nth: i32) -> usize {
    let equal = |class: &usize| probabilities[*class] == probabilities[best];
    let chosen = (0..probabilities.len()).filter(equal).find(|_| {
        nth -= 1;
        nth < 0
    });
    chosen.unwrap_or(best) // cannot be: one more tie than `nth` counts is among them
}

/// `GenModel.GBM_rescale`: logarithms to probabilities.
pub(crate) fn rescale(logs: &mut [f64]) {
    let greatest = logs.iter().copied().fold(f64::NEG_INFINITY, java::max);
    let mut sum = 0.0;
    for log in logs.iter_mut() {
        *log = (*log - greatest).exp();
        sum += *log;
    }
    logs.iter_mut().for_each(|share| *share /= sum);
}

#[cfg(test)]
mod tests {
    use super::{correct, likeliest};

    #[test]
    fn the_greatest_probability_is_the_label() {
        assert_eq!(likeliest(&[0.1, 0.6, 0.3], Some(&[0.4, 0.3, 0.3]), &[1.0]), 1);
        assert_eq!(likeliest(&[f64::NAN; 3], None, &[1.0]), 0);
    }

    #[test]
    fn a_correction_keeps_a_sum_of_one() {
        let mut shares = [0.5, 0.5];
        correct(&mut shares, &[1.8, 0.2]);
        assert_eq!(shares, [0.9, 0.1]);
    }
}
