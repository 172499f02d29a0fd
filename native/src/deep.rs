//! DeepLearning (`DeeplearningMojoModel`, `NeuralNetwork`, `ActivationUtils`). The sums are formed in the
//! order of genmodel's unrolled loop, so that they agree to the bit.

use crate::error::{Error, Result};
use crate::ini::{Domain, Ini};
use crate::links::exp;
use crate::onehot::OneHot;

/// A network and the encoding of its rows.
#[derive(Debug)]
pub(crate) struct Network {
    onehot: OneHot,
    /// By number what it is reduced and multiplied by; none where rows are taken as they are.
    standard: Option<Vec<(f64, f64)>>,
    layers: Vec<Layer>,
    output: Output,
}

#[derive(Debug)]
struct Layer {
    inputs: usize,
    /// By node its weights; for maxout by node and input a pair.
    weights: Vec<f32>,
    biases: Vec<f64>,
    activation: Activation,
    /// What is left of its outputs, where a share of them was dropped in training.
    kept: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activation {
    Tanh,
    Rectifier,
    ExpRectifier,
    Maxout,
    Softmax,
    Linear,
}

#[derive(Debug)]
enum Output {
    Classes,
    Number { standard: Option<(f64, f64)>, link: Link },
}

#[derive(Debug, Clone, Copy)]
enum Link {
    Identity,
    Log,
    Logit,
}

/// The values between layers, so that no call allocates.
#[derive(Debug, Default)]
pub(crate) struct NetworkScratch {
    /// The inputs that are not zero, by rising place.
    present: Vec<(u32, f64)>,
    from: Vec<f64>,
    to: Vec<f64>,
}

impl Network {
    pub fn read(ini: &Ini, domains: &[Option<Domain>], classes: usize) -> Result<Self> {
        let onehot = OneHot::read(ini, domains)?;
        let layers = layers(ini, onehot.width(), classes)?;
        let standard = standard(ini, "norm_sub", "norm_mul", onehot.numbers)?;
        let output = if classes > 1 { Output::Classes } else { number(ini)? };
        if classes > 1 && ini.text("distribution")? == "modified_huber" {
            return Err(
                ini.not_carried("distribution", "any other: genmodel gives every row the same answer")
            );
        }
        Ok(Network { onehot, standard, layers, output })
    }

    /// Writes probabilities from the second place on, or a number into the first. Offsets are ignored, as by
    /// genmodel.
    pub fn score(&self, row: &[f64], scratch: &mut NetworkScratch, out: &mut [f64]) -> Result<()> {
        let NetworkScratch { present, from, to } = scratch;
        self.encode(row, present);
        for (number, layer) in self.layers.iter().enumerate() {
            to.clear();
            match number {
                0 => layer.fill_first(present, from, to),
                _ => layer.fill(from, to),
            }
            layer.activate(to);
            std::mem::swap(from, to);
        }
        match self.output {
            Output::Classes => {
                if from.iter().any(|share| share.is_nan()) {
                    return Err(Error::Unscorable("a class probability that is no number"));
                }
                out[1..].copy_from_slice(from);
            }
            Output::Number { standard, link } => {
                let raw = standard.map_or(from[0], |(sub, mul)| from[0] / mul + sub);
                out[0] = link.inverse(raw);
                if out[0].is_nan() {
                    return Err(Error::Unscorable("a prediction that is no number"));
                }
            }
        }
        Ok(())
    }

    /// `GenModel.setInput`: hot places, then standardised numbers; a missing number is 0.
    fn encode(&self, row: &[f64], present: &mut Vec<(u32, f64)>) {
        present.clear();
        // A value below the domain may light a place of another category, and even one that is lit already.
        present
            .extend(self.onehot.hot(row).filter_map(|(place, ..)| Some((u32::try_from(place).ok()?, 1.0))));
        present.sort_unstable_by_key(|&(place, _)| place);
        present.dedup_by_key(|&mut (place, _)| place);
        let numbers = &row[self.onehot.categories()..];
        for (at, &value) in numbers.iter().enumerate() {
            let value =
                self.standard.as_ref().map_or(value, |standard| (value - standard[at].0) * standard[at].1);
            if !value.is_nan() && value != 0.0 {
                present.push(((self.onehot.places() + at) as u32, value));
            }
        }
    }
}

impl Layer {
    /// The first layer, of whose inputs most are zero.
    fn fill_first(&self, present: &[(u32, f64)], dense: &mut Vec<f64>, to: &mut Vec<f64>) {
        if self.activation == Activation::Maxout {
            dense.clear();
            dense.resize(self.inputs, 0.0);
            present.iter().for_each(|&(place, value)| dense[place as usize] = value);
            return self.fill(dense, to);
        }
        let whole = (self.inputs - self.inputs % 8) as u32;
        let (head, tail) = present.split_at(present.partition_point(|&(place, _)| place < whole));
        for (weights, bias) in self.weights.chunks_exact(self.inputs).zip(&self.biases) {
            let mut parts = [0.0; 8];
            for &(place, value) in head {
                parts[place as usize % 8] += f64::from(weights[place as usize]) * value;
            }
            let sum = tail.iter().fold(eighths(parts), |sum, &(place, value)| {
                sum + f64::from(weights[place as usize]) * value
            });
            to.push(sum + bias);
        }
    }

    fn fill(&self, from: &[f64], to: &mut Vec<f64>) {
        if self.activation == Activation::Maxout {
            return self.fill_maxout(from, to);
        }
        let whole = self.inputs - self.inputs % 8;
        for (weights, bias) in self.weights.chunks_exact(self.inputs).zip(&self.biases) {
            let mut parts = [0.0; 8];
            for (weights, values) in weights[..whole].chunks_exact(8).zip(from[..whole].chunks_exact(8)) {
                for lane in 0..8 {
                    parts[lane] += f64::from(weights[lane]) * values[lane];
                }
            }
            let tail = weights[whole..].iter().zip(&from[whole..]);
            let sum = tail.fold(eighths(parts), |sum, (weight, value)| sum + f64::from(*weight) * value);
            to.push(sum + bias);
        }
    }

    /// The greater of each node's two sums.
    fn fill_maxout(&self, from: &[f64], to: &mut Vec<f64>) {
        for (weights, biases) in self.weights.chunks_exact(2 * self.inputs).zip(self.biases.chunks_exact(2)) {
            let (mut first, mut second) = (0.0, 0.0);
            for (pair, value) in weights.chunks_exact(2).zip(from) {
                first += value * f64::from(pair[0]);
                second += value * f64::from(pair[1]);
            }
            let (first, second) = (first + biases[0], second + biases[1]);
            to.push(if first > second { first } else { second });
        }
    }

    fn activate(&self, values: &mut [f64]) {
        match self.activation {
            Activation::Tanh => values.iter_mut().for_each(|x| *x = 1.0 - 2.0 / (1.0 + (2.0 * *x).exp())),
            Activation::Rectifier => values.iter_mut().for_each(|x| *x = 0.5 * (*x + x.abs())),
            Activation::ExpRectifier => {
                values.iter_mut().for_each(|x| *x = if *x >= 0.0 { *x } else { x.exp() - 1.0 })
            }
            Activation::Softmax => softmax(values),
            Activation::Maxout | Activation::Linear => {}
        }
        if let Some(kept) = self.kept {
            values.iter_mut().for_each(|x| *x *= kept);
        }
    }
}

/// The eight partial sums of the unrolled loop, added as it adds them.
fn eighths(parts: [f64; 8]) -> f64 {
    (parts[0] + parts[1] + parts[2] + parts[3]) + (parts[4] + parts[5] + parts[6] + parts[7])
}

fn softmax(values: &mut [f64]) {
    let greatest = values.iter().copied().reduce(|a, b| if a < b { b } else { a }).unwrap_or(0.0);
    let mut sum = 0.0;
    for value in values.iter_mut() {
        *value = (*value - greatest).exp();
        sum += *value;
    }
    values.iter_mut().for_each(|share| *share /= sum);
}

impl Link {
    /// `DeeplearningMojoModel.linkInv`.
    fn inverse(self, f: f64) -> f64 {
        match self {
            Link::Identity => f,
            Link::Log => exp(f),
            Link::Logit => 1.0 / (1.0 + exp(-f)),
        }
    }
}

fn layers(ini: &Ini, width: usize, classes: usize) -> Result<Vec<Layer>> {
    const UNITS: &str = "neural_network_sizes";
    let units: Vec<usize> =
        ini.wholes(UNITS)?.iter().map(|&units| usize::try_from(units).unwrap_or(0)).collect();
    if units.len() < 2 || units.contains(&0) || units[0] != width || units[units.len() - 1] != classes {
        return Err(ini.wrong(UNITS, format!("sizes from {width} inputs to {classes} outputs")));
    }
    let (hidden, with_dropout) = activation(ini)?;
    let dropouts = ini.numbers_or_none("hidden_dropout_ratios")?;
    if dropouts.len() + 1 < units.len() || !dropouts.iter().all(|share| (0.0..1.0).contains(share)) {
        return Err(ini.wrong("hidden_dropout_ratios", "a share below 1 for each layer"));
    }
    let last = units.len() - 2;
    let output = if classes > 1 { Activation::Softmax } else { Activation::Linear };
    let layer = |at: usize| {
        let is_hidden = at < last;
        let activation = if is_hidden { hidden } else { output };
        let kept = (is_hidden && with_dropout && dropouts[at] > 0.0).then(|| 1.0 - dropouts[at]);
        layer(ini, at, (units[at], units[at + 1]), activation, kept)
    };
    (0..=last).map(layer).collect()
}

fn layer(
    ini: &Ini,
    at: usize,
    (inputs, nodes): (usize, usize),
    activation: Activation,
    kept: Option<f64>,
) -> Result<Layer> {
    let (weight_key, bias_key) = (format!("weight_layer{at}"), format!("bias_layer{at}"));
    let weights = ini.numbers_or_none(&weight_key)?;
    let biases = ini.numbers_or_none(&bias_key)?;
    let sums = if activation == Activation::Maxout { 2 } else { 1 };
    if nodes.checked_mul(sums) != Some(biases.len()) {
        return Err(ini.wrong(&bias_key, format!("{sums} for each of {nodes} nodes")));
    }
    if inputs.checked_mul(biases.len()) != Some(weights.len()) {
        return Err(ini.wrong(&weight_key, format!("{inputs} for each of {} sums", biases.len())));
    }
    let weights: Vec<f32> = weights.iter().map(|&weight| weight as f32).collect();
    if !weights.iter().all(|weight| weight.is_finite()) {
        return Err(ini.wrong(&weight_key, "weights within a float's range"));
    }
    Ok(Layer { inputs, weights, biases, activation, kept })
}

/// The hidden layers' activation, and whether outputs were dropped in training.
fn activation(ini: &Ini) -> Result<(Activation, bool)> {
    let name = ini.text("activation")?;
    let (plain, with_dropout) = name.strip_suffix("WithDropout").map_or((name, false), |plain| (plain, true));
    let activation = match plain {
        "Tanh" => Activation::Tanh,
        "Rectifier" => Activation::Rectifier,
        "ExpRectifier" => Activation::ExpRectifier,
        "Maxout" => Activation::Maxout,
        _ => {
            return Err(
                ini.not_carried("activation", "Tanh, Rectifier, ExpRectifier, Maxout, each also WithDropout")
            );
        }
    };
    Ok((activation, with_dropout))
}

fn number(ini: &Ini) -> Result<Output> {
    let standard = standard(ini, "norm_resp_sub", "norm_resp_mul", 1)?.map(|all| all[0]);
    let link = match ini.text("distribution")? {
        "bernoulli" | "quasibinomial" | "ordinal" => Link::Logit,
        "multinomial" | "poisson" | "gamma" | "tweedie" => Link::Log,
        "gaussian" | "laplace" | "quantile" | "huber" => Link::Identity,
        _ => {
            let carried = "bernoulli, quasibinomial, ordinal, multinomial, poisson, gamma, tweedie, \
                           gaussian, laplace, quantile, huber";
            return Err(ini.not_carried("distribution", carried));
        }
    };
    Ok(Output::Number { standard, link })
}

fn standard(ini: &Ini, sub: &str, mul: &str, numbers: usize) -> Result<Option<Vec<(f64, f64)>>> {
    let (subs, muls) = (ini.numbers_or_none(sub)?, ini.numbers_or_none(mul)?);
    if muls.is_empty() {
        return Ok(None);
    }
    if muls.len() < numbers || subs.len() < numbers {
        return Err(ini.wrong(mul, format!("with {sub} a pair for each of {numbers} numbers")));
    }
    Ok(Some(subs.into_iter().zip(muls).take(numbers).collect()))
}
