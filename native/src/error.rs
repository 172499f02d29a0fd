//! What can be wrong: with a MOJO when it is loaded, with a row when it is scored.

use std::fmt;

/// The three answers other than a score. Texts name thing, value and expectation, and never a row's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Sound as far as it was read, but not carried here: the caller takes genmodel.
    Refused {
        /// The thing that is not carried, by its name in the MOJO.
        what: String,
        /// Its value, and what is carried.
        why: String,
    },
    /// Not a MOJO that H2O wrote.
    Corrupt {
        /// The entry of the zip, or [`ARCHIVE`] for the zip itself.
        entry: String,
        /// Where in the entry's own bytes; for [`ARCHIVE`], and for bytes that do not inflate, where in the
        /// file.
        offset: u64,
        /// What was found there, and what was expected.
        problem: String,
    },
    /// A row for which genmodel's `score0` throws. Allocates nothing.
    Unscorable(&'static str),
}

/// The entry named by errors of the zip itself.
pub const ARCHIVE: &str = "(archive)";

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused { what, why } => write!(out, "{what}: {why}"),
            Error::Corrupt { entry, offset, problem } => write!(out, "{entry} at byte {offset}: {problem}"),
            Error::Unscorable(why) => out.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

/// `what` is sound but not carried.
pub(crate) fn refused(what: impl Into<String>, why: impl Into<String>) -> Error {
    Error::Refused { what: what.into(), why: why.into() }
}

/// `entry` is damaged at `offset`. The name may be a forger's.
pub(crate) fn corrupt(entry: &str, offset: usize, problem: impl Into<String>) -> Error {
    Error::Corrupt { entry: shown(entry), offset: offset as u64, problem: problem.into() }
}

/// A text of the MOJO as an error may show it: no longer than a line, nothing that a terminal would obey.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}
