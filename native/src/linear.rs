//! GLM (`GlmMojoModel`, `GlmMultinomialMojoModel`, `GlmOrdinalMojoModel`). Columns: categories, then numbers.

use crate::error::{Error, Result};
use crate::ini::Ini;
use crate::java;

/// A GLM's coefficients and what fills in for missing values.
#[derive(Debug)]
pub(crate) struct Linear {
    kind: Kind,
    every_level: bool,
    /// By category where its levels' coefficients start, and behind the last where the numbers' do.
    offsets: Vec<i32>,
    numbers: usize,
    /// By column; none where missing values were skipped in training.
    fills: Option<Vec<f64>>,
    /// By class: levels, numbers, intercept.
    coefficients: Vec<f64>,
}

#[derive(Debug)]
enum Kind {
    Number(Link),
    TwoClasses { link: Link, threshold: f64 },
    Multinomial { classes: usize },
    Ordinal { classes: usize },
}

/// The inverse links that `GlmMojoModel` knows.
#[derive(Debug, Clone, Copy)]
enum Link {
    Identity,
    Logit,
    Log,
    Inverse,
    Tweedie(f64),
}

impl Linear {
    /// `classes` is 1 for a number; `threshold` that of a binomial label.
    pub fn read(ini: &Ini, features: usize, classes: usize, threshold: f64) -> Result<Self> {
        let kind = Kind::read(ini, classes, threshold)?;
        let categories: usize = ini.whole("cats", 0..=features)?;
        let numbers: usize = ini.whole("nums", 0..=features)?;
        let model = Linear {
            every_level: ini.flag_or("use_all_factor_levels", false)?,
            offsets: offsets(ini, categories)?,
            numbers,
            fills: fills(ini, categories, numbers)?,
            coefficients: ini.numbers_or_none("beta")?,
            kind,
        };
        if categories + numbers != features {
            return Err(ini.wrong("cats", format!("with nums the {features} features")));
        }
        let expected = model.per_class().checked_mul(model.kind.rows());
        if expected != Some(model.coefficients.len()) {
            return Err(
                ini.wrong("beta", "a coefficient for each level, number and intercept, of each class")
            );
        }
        Ok(model)
    }

    /// Coefficients a class.
    fn per_class(&self) -> usize {
        self.numbers_start() + self.numbers + 1
    }

    fn numbers_start(&self) -> usize {
        self.offsets[self.offsets.len() - 1] as usize
    }

    /// Writes the whole answer, label included. `filled` is scratch.
    pub fn score(&self, row: &[f64], offset: f64, filled: &mut Vec<f64>, out: &mut [f64]) -> Result<()> {
        filled.clear();
        filled.extend_from_slice(row);
        for (value, fill) in filled.iter_mut().zip(self.fills.iter().flatten()) {
            if value.is_nan() {
                *value = *fill;
            }
        }
        match self.kind {
            Kind::Number(link) => out[0] = link.inverse(self.eta(filled, 0)? + offset),
            Kind::TwoClasses { link, threshold } => {
                let mu = link.inverse(self.eta(filled, 0)? + offset);
                out[0] = f64::from(u8::from(mu >= threshold));
                (out[1], out[2]) = (1.0 - mu, mu);
            }
            Kind::Multinomial { classes } => {
                for class in 0..classes {
                    out[1 + class] = self.eta(filled, class)?;
                }
                multinomial(out);
            }
            Kind::Ordinal { classes } => {
                for class in 0..classes - 1 {
                    out[1 + class] = self.eta(filled, class)? + offset;
                }
                ordinal(out);
            }
        }
        Ok(())
    }

    /// The linear predictor of a class, without offset; summed in genmodel's order.
    fn eta(&self, row: &[f64], class: usize) -> Result<f64> {
        let coefficients = &self.coefficients[class * self.per_class()..][..self.per_class()];
        let categories = self.offsets.len() - 1;
        let mut eta = 0.0;
        for (category, bounds) in self.offsets.windows(2).enumerate() {
            if let Some(at) = self.level(row[category], bounds[0], bounds[1])? {
                eta += coefficients.get(at).ok_or(OUTSIDE)?;
            }
        }
        let numbers = &coefficients[self.numbers_start()..];
        for (coefficient, value) in numbers.iter().zip(&row[categories..]) {
            eta += coefficient * value;
        }
        Ok(eta + coefficients[self.per_class() - 1])
    }

    /// Where a level's coefficient is; none for the base level and for one beyond the last.
    ///
    /// As in genmodel a negative level may reach into the category before; it throws only below them all.
    fn level(&self, value: f64, start: i32, end: i32) -> Result<Option<usize>> {
        let (value, level) = match self.every_level {
            true => (value, value as i32),
            false if value == 0.0 => return Ok(None),
            false => (value - 1.0, (value as i32).wrapping_sub(1)),
        };
        if f64::from(level) != value {
            return Err(OUTSIDE); // a fraction, beyond an int, or missing where missing values were skipped
        }
        let at = level.wrapping_add(start);
        if at >= end {
            return Ok(None);
        }
        usize::try_from(at).map(Some).map_err(|_| OUTSIDE)
    }
}

const OUTSIDE: Error = Error::Unscorable("a category's value is out of range, expected the index of a level");

impl Kind {
    fn read(ini: &Ini, classes: usize, threshold: f64) -> Result<Self> {
        match (ini.text("family")?, classes) {
            ("multinomial", 2..) => Ok(Kind::Multinomial { classes }),
            ("ordinal", 2..) => Ok(Kind::Ordinal { classes }),
            ("binomial" | "quasibinomial" | "fractionalbinomial", 2) => {
                Ok(Kind::TwoClasses { link: Link::read(ini)?, threshold })
            }
            ("gaussian" | "poisson" | "gamma" | "tweedie" | "negativebinomial", 1) => {
                Ok(Kind::Number(Link::read(ini)?))
            }
            _ => {
                let carried = "binomial, quasibinomial, fractionalbinomial (two classes), multinomial, \
                               ordinal, gaussian, poisson, gamma, tweedie, negativebinomial (a number)";
                Err(ini.not_carried("family", format!("{carried}; here are {classes} classes")))
            }
        }
    }

    /// How many rows of coefficients there are.
    fn rows(&self) -> usize {
        match *self {
            Kind::Number(_) | Kind::TwoClasses { .. } => 1,
            Kind::Multinomial { classes } | Kind::Ordinal { classes } => classes,
        }
    }
}

impl Link {
    fn read(ini: &Ini) -> Result<Self> {
        Ok(match ini.text("link")? {
            "identity" => Link::Identity,
            "logit" => Link::Logit,
            "log" => Link::Log,
            "inverse" => Link::Inverse,
            "tweedie" => Link::Tweedie(ini.number_or("tweedie_link_power", 0.0)?),
            _ => return Err(ini.not_carried("link", "identity, logit, log, inverse, tweedie")),
        })
    }

    /// `GenModel.GLM_…Inv`.
    fn inverse(self, eta: f64) -> f64 {
        match self {
            Link::Identity => eta,
            Link::Logit => 1.0 / ((-eta).exp() + 1.0),
            Link::Log => eta.exp(),
            Link::Inverse => 1.0 / if eta < 0.0 { java::min(-1e-5, eta) } else { java::max(1e-5, eta) },
            Link::Tweedie(0.0) => java::max(2e-16, eta.exp()),
            Link::Tweedie(power) => java_pow(eta, 1.0 / power),
        }
    }
}

/// `Math.pow`: NaN where C has 1 (one to the power of NaN, and minus one to an infinite power).
fn java_pow(base: f64, exponent: f64) -> f64 {
    let c_has_one = (base == 1.0 && exponent.is_nan()) || (base.abs() == 1.0 && exponent.is_infinite());
    if c_has_one { f64::NAN } else { base.powf(exponent) }
}

/// Linear predictors to probabilities and label; never shifted upwards.
fn multinomial(out: &mut [f64]) {
    let greatest = out[1..].iter().fold(0.0, |greatest, &eta| if eta > greatest { eta } else { greatest });
    let mut sum = 0.0;
    for eta in &mut out[1..] {
        *eta = (*eta - greatest).exp();
        sum += *eta;
    }
    let share = 1.0 / sum;
    let mut best = 0.0;
    out[0] = 0.0;
    for class in 1..out.len() {
        out[class] *= share;
        if out[class] > best {
            best = out[class];
            out[0] = (class - 1) as f64;
        }
    }
}

/// Linear predictors of all classes but the last to probabilities, by differences of the cumulative ones.
fn ordinal(out: &mut [f64]) {
    let last = out.len() - 1;
    let mut before = 0.0;
    for eta in &mut out[1..last] {
        let cumulative = 1.0 / (1.0 + (-*eta).exp());
        *eta = cumulative - before;
        before = cumulative;
    }
    out[last] = 1.0 - before;
    // genmodel looks for the greatest place of the whole answer, its first one being 0: no class is label -1.
    out[0] = 0.0;
    let greatest = (1..out.len()).fold(0, |best, class| if out[class] > out[best] { class } else { best });
    out[0] = greatest as f64 - 1.0;
}

/// `cat_offsets`: rising from 0, one more than there are categories.
pub(crate) fn offsets(ini: &Ini, categories: usize) -> Result<Vec<i32>> {
    let mut offsets = ini.wholes("cat_offsets")?;
    if offsets.is_empty() && categories == 0 {
        offsets.push(0);
    }
    let sound = offsets.len() == categories + 1
        && offsets[0] == 0
        && offsets.windows(2).all(|pair| pair[0] <= pair[1]);
    if sound {
        Ok(offsets)
    } else {
        Err(ini.wrong("cat_offsets", format!("{} rising numbers from 0", categories + 1)))
    }
}

/// What stands in for missing values: the most frequent level, the mean.
fn fills(ini: &Ini, categories: usize, numbers: usize) -> Result<Option<Vec<f64>>> {
    if !ini.flag_or("mean_imputation", false)? {
        return Ok(None);
    }
    let (modes, means) = (ini.wholes("cat_modes")?, ini.numbers_or_none("num_means")?);
    if modes.len() < categories || means.len() < numbers {
        return Err(ini.wrong("mean_imputation", "a mode for each category and a mean for each number"));
    }
    let modes = modes[..categories].iter().map(|&mode| f64::from(mode));
    Ok(Some(modes.chain(means[..numbers].iter().copied()).collect()))
}
