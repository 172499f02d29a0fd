//! Inverse link functions and distributions (`LinkFunctionType`, `DistributionFamily`, `GbmMojoModel`).

use crate::error::Result;
use crate::ini::Ini;
use crate::java;

/// What the response is distributed by, as far as scoring tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Two classes: bernoulli, quasibinomial, modified_huber.
    TwoClasses,
    Multinomial,
    /// A number under an identity link unless the MOJO says otherwise.
    Number,
    /// A number under a logarithmic link unless the MOJO says otherwise: poisson, gamma, tweedie.
    Positive,
}

impl Family {
    /// Reads `distribution`.
    pub fn read(ini: &Ini) -> Result<Self> {
        Ok(match ini.text("distribution")? {
            "bernoulli" | "quasibinomial" | "modified_huber" => Family::TwoClasses,
            "multinomial" => Family::Multinomial,
            "gaussian" | "laplace" | "quantile" | "huber" => Family::Number,
            "poisson" | "gamma" | "tweedie" => Family::Positive,
            _ => {
                let carried = "bernoulli, quasibinomial, modified_huber, multinomial, gaussian, laplace, \
                               quantile, huber, poisson, gamma, tweedie";
                return Err(ini.not_carried("distribution", carried));
            }
        })
    }
}

/// The inverse of a GBM's link function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Identity,
    Log,
    Logit,
    Loglog,
    Probit,
    Inverse,
}

impl Link {
    /// Reads `link_function`, by default the family's own (`ModelMojoReader.defaultLinkFunction`).
    pub fn read(ini: &Ini, family: Family) -> Result<Self> {
        Ok(match ini.maybe("link_function") {
            None => match family {
                Family::TwoClasses => Link::Logit,
                Family::Multinomial | Family::Positive => Link::Log,
                Family::Number => Link::Identity,
            },
            // A tweedie link stands in genmodel's list, and its GBM answers it as the identity.
            Some("identity" | "tweedie") => Link::Identity,
            Some("log") => Link::Log,
            Some("logit" | "ologit") => Link::Logit,
            Some("ologlog") => Link::Loglog,
            Some("oprobit") => Link::Probit,
            Some("inverse") => Link::Inverse,
            Some(_) => {
                let carried = "identity, tweedie, log, logit, ologit, ologlog, oprobit, inverse";
                return Err(ini.not_carried("link_function", carried));
            }
        })
    }

    /// `GbmMojoModel.linkInv`.
    pub fn inverse(self, f: f64) -> f64 {
        match self {
            Link::Identity => f,
            Link::Log => exp(f),
            Link::Logit => 1.0 / (1.0 + exp(-f)),
            Link::Loglog => 1.0 - exp(-exp(f)),
            Link::Probit => 0.0,
            // Not a slip here: GBM's keeps values from -1e-5 to 0 as they are, GLM's does not.
            Link::Inverse => 1.0 / if f < 0.0 { java::min(-1e-5, f) } else { java::max(-1e-5, f) },
        }
    }
}

/// `GbmMojoModel.exp`: bounded above.
pub(crate) fn exp(x: f64) -> f64 {
    java::min(1e19, x.exp())
}
