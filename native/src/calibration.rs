//! Calibrated probabilities, which `score0` does not give (`CalibrationMojoHelper`, `IsotonicCalibrator`).

use crate::bytes::Bytes;
use crate::error::{Result, corrupt};
use crate::ini::Ini;
use crate::java;
use crate::zip::Zip;

/// How probabilities of two classes are calibrated.
#[derive(Debug)]
pub(crate) enum Calibration {
    /// A logistic regression on the probability of class **0**.
    Platt { slope: f64, intercept: f64 },
    /// A rising line of straight pieces on the probability of class 1.
    Isotonic { least: f64, greatest: f64, xs: Vec<f64>, ys: Vec<f64> },
}

impl Calibration {
    pub fn read(zip: &Zip<'_>, ini: &Ini) -> Result<Option<Self>> {
        Ok(Some(match ini.maybe("calib_method") {
            None => return Ok(None),
            Some("platt") => match ini.numbers_or_none("calib_glm_beta")?[..] {
                [slope, intercept] => Calibration::Platt { slope, intercept },
                _ => return Err(ini.wrong("calib_glm_beta", "a slope and an intercept")),
            },
            Some("isotonic") => isotonic(zip, ini)?,
            Some(_) => return Err(ini.not_carried("calib_method", "platt, isotonic")),
        }))
    }

    /// Rewrites the two probabilities of an answer; its label stays.
    pub fn apply(&self, out: &mut [f64]) {
        let yes = match self {
            Calibration::Platt { slope, intercept } => 1.0 / ((-(out[1] * slope + intercept)).exp() + 1.0),
            Calibration::Isotonic { least, greatest, xs, ys } => rising(out[2], *least, *greatest, xs, ys),
        };
        (out[1], out[2]) = (1.0 - yes, yes);
    }
}

fn isotonic(zip: &Zip<'_>, ini: &Ini) -> Result<Calibration> {
    let (xs, ys) = (doubles(zip, "calib/thresholds_x")?, doubles(zip, "calib/thresholds_y")?);
    let (least, greatest) = (ini.number("calib_min_x")?, ini.number("calib_max_x")?);
    if xs.is_empty() || xs.len() != ys.len() || !xs.windows(2).all(|pair| pair[0] <= pair[1]) {
        return Err(corrupt(
            "calib/thresholds_x",
            0,
            "expected thresholds that do not fall, one for each of thresholds_y",
        ));
    }
    if !(xs[0] <= least && least <= greatest && greatest <= xs[xs.len() - 1]) {
        return Err(ini.wrong("calib_min_x", "the range within the thresholds"));
    }
    Ok(Calibration::Isotonic { least, greatest, xs, ys })
}

/// `ModelMojoReader.readblobDoubles`.
fn doubles(zip: &Zip<'_>, entry: &str) -> Result<Vec<f64>> {
    let content = zip.read(entry)?;
    let mut bytes = Bytes::new(entry, &content);
    let count = bytes.java_i32()?;
    if usize::try_from(count).ok().and_then(|count| count.checked_mul(8)) != Some(content.len() - bytes.at())
    {
        return Err(bytes.corrupt(format!("{count} doubles declared in {} bytes", content.len())));
    }
    let all: Vec<f64> = (0..count).map(|_| bytes.java_f64()).collect::<Result<_>>()?;
    match all.iter().all(|number| number.is_finite()) {
        true => Ok(all),
        false => Err(corrupt(entry, 0, "a threshold that is no finite number")),
    }
}

/// `IsotonicRegressionUtils.score` of the clipped probability.
fn rising(x: f64, least: f64, greatest: f64, xs: &[f64], ys: &[f64]) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    let x = if x < least { least } else { x.min(greatest) };
    match java::binary_search(xs, x) {
        Ok(at) => ys[at],
        // Between two thresholds, as loading made sure but for zeros of either sign.
        Err(at) if at == 0 || at == xs.len() => ys[at.min(xs.len() - 1)],
        Err(high) => {
            let low = high - 1;
            let slope = (ys[high] - ys[low]) / (xs[high] - xs[low]);
            ys[low] + slope * (x - xs[low])
        }
    }
}
