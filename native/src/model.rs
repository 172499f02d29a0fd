//! A MOJO as a model: which algorithm, which category, and from a row to what genmodel's `score0` returns.

use crate::boosters::{Booster, BoosterScratch};
use crate::calibration::Calibration;
use crate::classes::Classes;
use crate::deep::{Network, NetworkScratch};
use crate::error::{Error, Result};
use crate::forests::{Drf, Gbm};
use crate::ini::{Domain, Ini};
use crate::linear::Linear;
use crate::walk::Row;
use crate::zip::Zip;

/// A model, read and checked whole. Any number of threads may score with it, each with a [`Scratch`] of its
/// own.
///
/// ```no_run
/// let mojo = std::fs::read("model.zip").unwrap();
/// let model = hotpath_native::Model::load(&mojo).unwrap();
/// let (mut scratch, mut answer) = (hotpath_native::Scratch::default(), vec![0.0; model.size()]);
/// model.score(&[1.0, f64::NAN], 0.0, &mut answer, &mut scratch).unwrap();
/// ```
#[derive(Debug)]
pub struct Model {
    algorithm: String,
    category: Category,
    names: Vec<String>,
    domains: Vec<Option<Domain>>,
    response: Option<Domain>,
    offset_column: Option<String>,
    classes: Classes,
    calibration: Option<Calibration>,
    method: Method,
}

/// What a model answers (`hex.ModelCategory`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// One of two classes, by a threshold.
    Binomial,
    /// One of several classes, the likeliest.
    Multinomial,
    /// One of several classes that have an order.
    Ordinal,
    /// A number.
    Regression,
}

/// What calls work in, so that none allocates once it has grown. Of one thread, for any models.
#[derive(Debug, Default)]
pub struct Scratch {
    row: Row,
    filled: Vec<f64>,
    booster: BoosterScratch,
    network: NetworkScratch,
}

#[derive(Debug)]
enum Method {
    Gbm(Gbm),
    Drf(Drf),
    Linear(Linear),
    Booster(Booster),
    Network(Network),
}

/// An algorithm of H2O: its names, and the versions of its MOJO that H2O 3.46's genmodel reads and are read
/// here.
struct Algorithm {
    short: &'static str,
    long: &'static [&'static str],
    versions: (f64, f64),
}

/// Long names as `ModelMojoFactory` knows them.
const ALGORITHMS: [Algorithm; 5] = [
    Algorithm {
        short: "gbm",
        long: &["Gradient Boosting Machine", "Gradient Boosting Method"],
        versions: (1.20, 1.40), // before, categories outside of the domain went another way
    },
    Algorithm { short: "drf", long: &["Distributed Random Forest"], versions: (1.20, 1.40) },
    Algorithm {
        short: "glm",
        long: &["Generalized Linear Modeling", "Generalized Linear Model"],
        versions: (1.0, 1.0),
    },
    Algorithm { short: "xgboost", long: &["XGBoost"], versions: (1.10, 1.10) }, // 1.00 encoded rows otherwise
    Algorithm { short: "deeplearning", long: &["Deep Learning", "deep learning"], versions: (1.0, 1.10) },
];

/// H2O itself trains on no more.
const MOST_CLASSES: usize = 1_000;

impl Model {
    /// Reads a MOJO from the bytes of its zip.
    ///
    /// [`Error::Refused`] where it holds something that is not carried, [`Error::Corrupt`] where it is
    /// damaged.
    pub fn load(mojo: &[u8]) -> Result<Model> {
        let zip = Zip::open(mojo)?;
        let mut ini = Ini::read(&zip)?;
        let algorithm = algorithm(&ini)?;
        let category = Category::read(&ini)?;
        if !ini.flag("supervised")? {
            return Err(ini.not_carried("supervised", "true"));
        }
        let count: usize = ini.whole("n_classes", 1..=MOST_CLASSES)?;
        category.takes(&ini, count)?;
        let features: usize = ini.whole("n_features", 1..=ini.columns.len())?;
        let mut domains = std::mem::take(&mut ini.domains);
        let response = domains.pop().flatten().filter(|_| category != Category::Regression);
        if features >= ini.columns.len() {
            return Err(ini.wrong("n_features", "fewer than there are columns: the last is the response"));
        }
        if response.as_ref().is_some_and(|domain| domain.count() != count) {
            return Err(ini.wrong("n_classes", "the number of levels of the response"));
        }
        domains.truncate(features);
        let classes = Classes::read(&ini, count)?;
        let method = Method::read(&zip, &ini, algorithm, &domains, &classes)?;
        let calibration = Calibration::read(&zip, &ini)?;
        if calibration.is_some() && category != Category::Binomial {
            return Err(ini.wrong("calib_method", "none but for two classes"));
        }
        let offset_column = ini.maybe("offset_column").map(str::to_owned);
        let mut names = std::mem::take(&mut ini.columns);
        names.truncate(features);
        Ok(Model {
            algorithm: algorithm.to_owned(),
            category,
            names,
            domains,
            response,
            offset_column,
            classes,
            calibration,
            method,
        })
    }

    /// H2O's short name: gbm, drf, glm, xgboost, deeplearning.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// What it answers.
    pub fn category(&self) -> Category {
        self.category
    }

    /// The columns of a row, in the MOJO's order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// By column of a row its levels; none for a number.
    pub fn domains(&self) -> &[Option<Domain>] {
        &self.domains
    }

    /// The classes' names; none for a number, and where the response was of numbers 0 and 1.
    pub fn response(&self) -> Option<&Domain> {
        self.response.as_ref()
    }

    /// The column whose values are the caller's offsets, where the model was trained with one.
    pub fn offset_column(&self) -> Option<&str> {
        self.offset_column.as_deref()
    }

    /// The doubles of an answer (`getPredsSize`): a label and a probability a class; for a number two, of
    /// which the second is 0.
    pub fn size(&self) -> usize {
        self.classes.count + 1
    }

    /// Whether [`Model::calibrate`] changes anything.
    pub fn is_calibrated(&self) -> bool {
        self.calibration.is_some()
    }

    /// What genmodel's `score0(row, offset, answer)` returns. Categories are indices of levels, missing is
    /// NaN.
    ///
    /// [`Error::Unscorable`] where genmodel throws, and where `row` or `answer` is not of the model's size.
    pub fn score(&self, row: &[f64], offset: f64, answer: &mut [f64], scratch: &mut Scratch) -> Result<()> {
        if row.len() != self.names.len() {
            return Err(Error::Unscorable("a row of another length than the model's columns"));
        }
        if answer.len() != self.size() {
            return Err(Error::Unscorable("room for an answer of another size than the model's"));
        }
        answer.fill(0.0);
        match &self.method {
            Method::Gbm(gbm) => gbm.score(row, offset, &mut scratch.row, answer),
            Method::Drf(drf) => drf.score(row, &mut scratch.row, answer),
            Method::Linear(linear) => linear.score(row, offset, &mut scratch.filled, answer)?,
            Method::Booster(booster) => {
                booster.score(row, offset, &mut scratch.row, &mut scratch.booster, answer)?;
            }
            Method::Network(network) => network.score(row, &mut scratch.network, answer)?,
        }
        if self.category != Category::Regression {
            self.label(row, answer);
        }
        Ok(())
    }

    /// GLM labels by itself; XGBoost's classes are never balanced by H2O, so genmodel takes nothing back.
    fn label(&self, row: &[f64], answer: &mut [f64]) {
        match &self.method {
            Method::Linear(_) => {}
            Method::Booster(_) => self.classes.label(row, answer),
            _ => self.classes.conclude(row, answer),
        }
    }

    /// Rewrites an answer's probabilities as calibrated ones, as genmodel's `calibrateClassProbabilities`
    /// does; the label stays. False, and nothing changed, where the model has no calibration.
    pub fn calibrate(&self, answer: &mut [f64]) -> bool {
        match &self.calibration {
            Some(calibration) if answer.len() == self.size() => {
                calibration.apply(answer);
                true
            }
            _ => false,
        }
    }
}

impl Method {
    fn read(
        zip: &Zip<'_>,
        ini: &Ini,
        algorithm: &str,
        domains: &[Option<Domain>],
        classes: &Classes,
    ) -> Result<Self> {
        let plain = |encodings: &[&str]| match ini.maybe("_genmodel_encoding") {
            Some(found) if !encodings.contains(&found) => {
                Err(ini.not_carried("_genmodel_encoding", encodings.join(", ")))
            }
            _ => Ok(()),
        };
        match algorithm {
            "gbm" => {
                plain(&["AUTO", "Enum", "SortByResponse"])?;
                Ok(Method::Gbm(Gbm::read(zip, ini, domains, classes.count)?))
            }
            "drf" => {
                plain(&["AUTO", "Enum", "SortByResponse"])?;
                Ok(Method::Drf(Drf::read(zip, ini, domains, classes.count)?))
            }
            "glm" => Ok(Method::Linear(Linear::read(ini, domains.len(), classes.count, classes.threshold)?)),
            "xgboost" => Ok(Method::Booster(Booster::read(zip, ini, domains, classes.count)?)),
            _ => {
                plain(&["AUTO", "SortByResponse", "OneHotInternal"])?;
                Ok(Method::Network(Network::read(ini, domains, classes.count)?))
            }
        }
    }
}

impl Category {
    /// As H2O names it.
    pub fn name(self) -> &'static str {
        match self {
            Category::Binomial => "Binomial",
            Category::Multinomial => "Multinomial",
            Category::Ordinal => "Ordinal",
            Category::Regression => "Regression",
        }
    }

    fn read(ini: &Ini) -> Result<Self> {
        Ok(match ini.text("category")? {
            "Binomial" => Category::Binomial,
            "Multinomial" => Category::Multinomial,
            "Ordinal" => Category::Ordinal,
            "Regression" => Category::Regression,
            _ => return Err(ini.not_carried("category", "Binomial, Multinomial, Ordinal, Regression")),
        })
    }

    fn takes(self, ini: &Ini, classes: usize) -> Result<()> {
        let fits = match self {
            Category::Regression => classes == 1,
            Category::Binomial => classes == 2,
            Category::Multinomial | Category::Ordinal => classes > 2,
        };
        if fits { Ok(()) } else { Err(ini.wrong("n_classes", format!("as many as a {} has", self.name()))) }
    }
}

/// The short name, after a check of what every MOJO says first.
fn algorithm(ini: &Ini) -> Result<&'static str> {
    let long = ini.text("algorithm")?;
    let Some(found) = ALGORITHMS.iter().find(|algorithm| algorithm.long.contains(&long)) else {
        let carried: Vec<_> = ALGORITHMS.iter().map(|algorithm| algorithm.long[0]).collect();
        return Err(ini.not_carried("algorithm", carried.join(", ")));
    };
    if ini.text("algo")? != found.short {
        return Err(ini.wrong("algo", found.short));
    }
    let (first, last) = found.versions;
    let version = ini.number("mojo_version")?;
    if !(first..=last).contains(&version) {
        return Err(ini.not_carried("mojo_version", format!("{first:.2} to {last:.2} of {}", found.short)));
    }
    if ini.maybe("endianness").is_some_and(|order| order != "LITTLE_ENDIAN") {
        return Err(ini.not_carried("endianness", "LITTLE_ENDIAN"));
    }
    Ok(found.short)
}
