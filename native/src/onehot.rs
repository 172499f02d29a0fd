//! Categories as XGBoost and DeepLearning see them: one place a level, and one more for the missing
//! (`GenModel.setCats`). Columns: categories, then numbers.

use crate::error::{Result, corrupt};
use crate::ini::{Domain, Ini, MODEL};
use crate::linear;

/// Where each category's places start.
#[derive(Debug)]
pub(crate) struct OneHot {
    /// One more than there are categories.
    offsets: Vec<i32>,
    every_level: bool,
    pub numbers: usize,
}

impl OneHot {
    /// `domains` are those of the features.
    pub fn read(ini: &Ini, domains: &[Option<Domain>]) -> Result<Self> {
        let categories: usize = ini.whole("cats", 0..=domains.len())?;
        let numbers: usize = ini.whole("nums", 0..=domains.len())?;
        if categories + numbers != domains.len() {
            return Err(ini.wrong("cats", format!("with nums the {} features", domains.len())));
        }
        let offsets = linear::offsets(ini, categories)?;
        for (column, (bounds, domain)) in offsets.windows(2).zip(domains).enumerate() {
            let places = (bounds[1] - bounds[0]) as usize;
            let levels = domain.as_ref().map_or(0, Domain::count);
            if places == 0 || places > levels + 1 {
                return Err(corrupt(
                    MODEL,
                    0,
                    format!("{places} places for column {column} of {levels} levels"),
                ));
            }
        }
        Ok(OneHot { offsets, every_level: ini.flag("use_all_factor_levels")?, numbers })
    }

    pub fn categories(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Places of all categories together.
    pub fn places(&self) -> usize {
        self.offsets[self.categories()] as usize
    }

    pub fn width(&self) -> usize {
        self.places() + self.numbers
    }

    /// By category the place that genmodel computes, and the category's own first and last but one. A value
    /// outside of the domain may lead below the first place, and even below all.
    pub fn hot<'a>(&'a self, row: &'a [f64]) -> impl Iterator<Item = (i32, i32, i32)> + 'a {
        self.offsets
            .windows(2)
            .zip(row)
            .map(|(bounds, &value)| (self.place(value, bounds[0], bounds[1]), bounds[0], bounds[1]))
    }

    fn place(&self, value: f64, start: i32, end: i32) -> i32 {
        if value.is_nan() {
            return end - 1;
        }
        let level = value as i32; // as Java's (int); its sums wrap
        let place = match (self.every_level, level) {
            (true, level) => level.wrapping_add(start),
            (false, 0) => -1,
            (false, level) => level.wrapping_sub(1).wrapping_add(start),
        };
        place.min(end - 1)
    }
}
