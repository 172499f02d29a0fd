//! H2O's MOJOs, read into flat tables and scored natively; equal to genmodel's `score0` (see README.md).
//!
//! By step: `zip` → `ini` → `trees`, `linear`, `deep`, `boosters` → `tables` → `walk` → `forests`, `model`.
//! What is not carried is refused by name when it is loaded, and the caller takes genmodel for that model.
//!
//! Room is left for what follows: JSON, the feature program, bundles, the C border.

mod boosters;
mod bytes;
mod calibration;
mod classes;
mod deep;
mod error;
mod forests;
mod ini;
mod java;
mod linear;
mod links;
mod model;
mod onehot;
mod tables;
mod trees;
mod walk;
mod zip;

#[cfg(feature = "python")]
mod python;

pub use error::{ARCHIVE, Error, Result};
pub use ini::Domain;
pub use model::{Category, Model, Scratch};
pub use zip::BUDGET;
