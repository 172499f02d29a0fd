//! What GBM and DRF make of their trees' leaves (`GbmMojoModel`, `DrfMojoModel`). Labels are the
//! model's business.

use crate::classes::rescale;
use crate::error::Result;
use crate::ini::{Domain, Ini};
use crate::links::{Family, Link};
use crate::trees::H2oTrees;
use crate::walk::{self, Row};
use crate::zip::Zip;

/// A gradient boosting machine.
#[derive(Debug)]
pub(crate) struct Gbm {
    trees: H2oTrees,
    family: Family,
    link: Link,
    init: f64,
}

/// A distributed random forest.
#[derive(Debug)]
pub(crate) struct Drf {
    trees: H2oTrees,
    /// Whether each of two classes has trees of its own.
    double: bool,
}

impl Gbm {
    pub fn read(zip: &Zip<'_>, ini: &Ini, domains: &[Option<Domain>], classes: usize) -> Result<Self> {
        let family = Family::read(ini)?;
        let fits = match family {
            Family::TwoClasses => classes == 2,
            Family::Multinomial => classes >= 2,
            Family::Number | Family::Positive => classes == 1,
        };
        if !fits {
            return Err(ini.wrong("distribution", format!("one of {classes} classes")));
        }
        let trees = H2oTrees::read(zip, ini, domains, classes)?;
        trees.of_classes(ini, if classes > 2 { classes } else { 1 })?;
        Ok(Gbm { trees, family, link: Link::read(ini, family)?, init: ini.number("init_f")? })
    }

    /// `unifyPreds`, without balancing and label.
    pub fn score(&self, row: &[f64], offset: f64, scratch: &mut Row, out: &mut [f64]) {
        match self.family {
            Family::Number | Family::Positive => {
                out[0] = self.link.inverse(sum(&self.trees, row, scratch) + self.init + offset);
            }
            Family::TwoClasses => {
                out[2] = self.link.inverse(sum(&self.trees, row, scratch) + self.init + offset);
                out[1] = 1.0 - out[2];
            }
            Family::Multinomial if out.len() == 3 => {
                out[1] = sum(&self.trees, row, scratch) + (self.init + offset);
                out[2] = -out[1];
                rescale(&mut out[1..]);
            }
            Family::Multinomial => {
                sums(&self.trees, row, scratch, &mut out[1..]);
                rescale(&mut out[1..]);
            }
        }
    }
}

impl Drf {
    pub fn read(zip: &Zip<'_>, ini: &Ini, domains: &[Option<Domain>], classes: usize) -> Result<Self> {
        let double = ini.flag("binomial_double_trees")?;
        let trees = H2oTrees::read(zip, ini, domains, classes)?;
        trees.of_classes(ini, if classes > 2 || double { classes } else { 1 })?;
        Ok(Drf { trees, double })
    }

    /// `unifyPreds`, without balancing and label.
    pub fn score(&self, row: &[f64], scratch: &mut Row, out: &mut [f64]) {
        let groups = self.trees.groups as f64;
        match (out.len(), self.double) {
            (2, _) => out[0] = sum(&self.trees, row, scratch) / groups,
            (3, false) => {
                out[1] = sum(&self.trees, row, scratch) / groups;
                out[2] = 1.0 - out[1];
            }
            _ => {
                let shares = &mut out[1..];
                sums(&self.trees, row, scratch, shares);
                let all = shares.iter().fold(0.0, |sum, share| sum + share);
                if all > 0.0 {
                    shares.iter_mut().for_each(|share| *share /= all);
                }
            }
        }
    }
}

/// The leaves of all trees as doubles, in the trees' order (`SharedTreeMojoModel.scoreTreeRange`).
fn sum(trees: &H2oTrees, row: &[f64], scratch: &mut Row) -> f64 {
    let mut sum = 0.0;
    walk::columns(&trees.forest, row, scratch, |_, leaf| sum += f64::from(leaf));
    sum
}

/// The same by class.
fn sums(trees: &H2oTrees, row: &[f64], scratch: &mut Row, out: &mut [f64]) {
    walk::columns(&trees.forest, row, scratch, |tree, leaf| {
        out[usize::from(trees.classes[tree])] += f64::from(leaf);
    });
}
