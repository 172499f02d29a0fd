//! H2O's own trees: their bytes into tables.
//!
//! The bytes are those that `SharedTreeMojoModel.scoreTree` walks (MOJO 1.20 to 1.40):
//!
//! ```text
//! node  = type u8, column u16, (65535: a leaf's f32 | direction u8, [test], [size of left], left, right)
//! test  = nothing where only missing goes right | threshold f32 | 32 bits | first u16, count i32, bits
//! left, right = node, or where the type says so a leaf's f32
//! ```
//!
//! genmodel jumps by the sizes; here a tree is read from front to back, and every size must lead to where
//! reading arrived. So each byte is read once: no cycle, no overlap, no depth that costs stack.

use crate::bytes::Bytes;
use crate::error::{Result, corrupt};
use crate::ini::{Domain, Ini, MODEL};
use crate::tables::{self, Builder, Forest, Levels, Slot, Split};
use crate::zip::Zip;

/// Trees and the class that each votes for.
#[derive(Debug)]
pub(crate) struct H2oTrees {
    pub forest: Forest,
    /// By tree.
    pub classes: Vec<u16>,
    /// `_ntree_groups`: how many trees a class may have.
    pub groups: usize,
    /// `_ntrees_per_group`: how many classes have trees.
    per_group: usize,
}

/// A leaf of the whole tree where a column's number would be.
const ROOT_LEAF: u16 = u16::MAX;

impl H2oTrees {
    /// `SharedTreeMojoReader.readModelData`; `domains` are those of the features.
    pub fn read(zip: &Zip<'_>, ini: &Ini, domains: &[Option<Domain>], classes: usize) -> Result<Self> {
        let groups: usize = ini.whole("n_trees", 1..=zip.count())?;
        let per_group: usize = ini.whole("n_trees_per_class", 1..=classes)?;
        let levels = domains.iter().map(|domain| domain.as_ref().map(|domain| domain.count() as u32));
        let shares = ini.numbers_or_none("model_class_distrib")?;
        let mut builder = Builder::new(levels.collect());
        let mut votes = Vec::new();
        for class in 0..per_group {
            if !has_trees(zip, class, shares.get(class))? {
                continue;
            }
            for group in 0..groups {
                let entry = entry(class, group);
                let bytes = zip.read(&entry)?;
                Reader { bytes: Bytes::new(&entry, &bytes), builder: &mut builder, width: domains.len() }
                    .tree()?;
                votes.push(class as u16);
            }
        }
        if votes.is_empty() {
            return Err(corrupt(MODEL, 0, "no class has trees"));
        }
        Ok(H2oTrees { forest: builder.finish(), classes: votes, groups, per_group })
    }

    /// That so many classes have trees.
    pub fn of_classes(&self, ini: &Ini, expected: usize) -> Result<()> {
        if self.per_group == expected {
            Ok(())
        } else {
            Err(ini.wrong("n_trees_per_class", expected.to_string()))
        }
    }
}

fn entry(class: usize, group: usize) -> String {
    format!("{}{group:03}.bin", entries(class))
}

/// How the names of a class's trees begin.
fn entries(class: usize) -> String {
    format!("trees/t{class:02}_")
}

/// A class that the training frame had no row of has no tree at all; genmodel would also skip a lost one.
fn has_trees(zip: &Zip<'_>, class: usize, share: Option<&f64>) -> Result<bool> {
    let any = zip.has_any(&entries(class));
    if !any && share.is_some_and(|&share| share != 0.0) {
        return Err(corrupt(&entry(class, 0), 0, "missing from the archive, as all trees of its class"));
    }
    Ok(any)
}

struct Reader<'a, 'b> {
    bytes: Bytes<'a>,
    builder: &'b mut Builder,
    width: usize,
}

/// The range of levels that a set tells of.
#[derive(Clone, Copy)]
struct Range {
    first: u32,
    count: u32,
}

impl Range {
    /// The split that its bits make; without bits all of its levels go left.
    fn split(self, bits: Option<&[u8]>, missing_goes_right: bool) -> Split<'_> {
        Split::Levels(Levels { first: self.first, count: self.count, bits, missing_goes_right })
    }
}

/// A subtree still to be read.
struct Pending {
    slot: Slot,
    leaf: bool,
    depth: u32,
    /// Where its left sibling must have ended.
    start: usize,
    /// The set read last on its path: see `Reader::test`.
    last: Option<Range>,
}

impl<'a> Reader<'a, '_> {
    fn tree(mut self) -> Result<()> {
        let slot = self.builder.tree()?;
        let mut pending = vec![Pending { slot, leaf: false, depth: 0, start: 0, last: None }];
        while let Some(next) = pending.pop() {
            if self.bytes.at() != next.start {
                return Err(self
                    .bytes
                    .corrupt(format!("a subtree ends here, its size says byte {}", next.start)));
            }
            self.subtree(&next, &mut pending)?;
        }
        match self.bytes.size() - self.bytes.at() {
            0 => Ok(()),
            more => Err(self.bytes.corrupt(format!("{more} bytes behind the tree"))),
        }
    }

    fn subtree(&mut self, at: &Pending, pending: &mut Vec<Pending>) -> Result<()> {
        if at.leaf {
            return self.leaf(at);
        }
        let start = self.bytes.clone();
        let kind = self.bytes.u8()?;
        let column = self.bytes.u16()?;
        if column == ROOT_LEAF {
            return self.leaf(at);
        }
        let column = usize::from(column);
        if column >= self.width {
            return Err(start.corrupt(format!("a split on column {column} of {}", self.width)));
        }
        let direction = self.bytes.u8()?;
        let (last, (left, right)) = self.test(at, kind, column, direction)?;
        let left_is_leaf = kind & 0x33 == 48;
        let size = match kind & 0x33 {
            width @ 0..=3 => self.bytes.unsigned(usize::from(width) + 1)? as usize,
            48 => size_of::<f32>(),
            other => {
                return Err(start.corrupt(format!("kind of left subtree {other}, expected 0 to 3 or 48")));
            }
        };
        let (here, depth) = (self.bytes.at(), tables::below(at.depth)?);
        // What is pushed last is read first: left, then right.
        pending.push(Pending { slot: right, leaf: kind & 0x40 != 0, depth, start: here + size, last });
        pending.push(Pending { slot: left, leaf: left_is_leaf, depth, start: here, last });
        Ok(())
    }

    fn leaf(&mut self, at: &Pending) -> Result<()> {
        let value = self.bytes.f32()?;
        self.builder.leaf(at.slot, value, at.depth)
    }

    /// Reads what a split tests and writes it.
    fn test(
        &mut self,
        at: &Pending,
        kind: u8,
        column: usize,
        direction: u8,
    ) -> Result<(Option<Range>, (Slot, Slot))> {
        let missing_goes_left = match direction {
            0 | 1 | 3 | 5 => false, // NaSplitDir: None, NAvsREST, NARight, Right
            2 | 4 => true,          // NALeft, Left
            other => {
                return Err(self
                    .bytes
                    .corrupt(format!("direction of missing values {other}, expected 0 to 5")));
            }
        };
        let (only_missing, by_set) = (direction == 1, kind & 12 != 0);
        if only_missing {
            // genmodel keeps the set of the split before, and what is outside of that counts as missing.
            let split = at.last.filter(|_| by_set).map_or(Split::Missing, |range| range.split(None, true));
            let slots = self.split(at, column, &split)?;
            return Ok((at.last, slots));
        }
        if !by_set {
            let threshold = self.bytes.f32()?;
            return Ok((at.last, self.split(at, column, &Split::From { threshold, missing_goes_left })?));
        }
        let (range, bits) = self.set(kind & 12)?;
        Ok((Some(range), self.split(at, column, &range.split(Some(bits), !missing_goes_left))?))
    }

    /// `GenmodelBitSet.fill2` and `fill3`.
    fn set(&mut self, kind: u8) -> Result<(Range, &'a [u8])> {
        match kind {
            8 => Ok((Range { first: 0, count: 32 }, self.bytes.take(4)?)),
            12 => {
                let (first, start) = (u32::from(self.bytes.u16()?), self.bytes.clone());
                let count = u32::try_from(self.bytes.i32()?).ok().filter(|&count| count > 0);
                let count = count.ok_or_else(|| start.corrupt("a set of no levels"))?;
                Ok((Range { first, count }, self.bytes.take(count.div_ceil(8) as usize)?))
            }
            other => Err(self.bytes.corrupt(format!("kind of split {other}, expected 0, 8 or 12"))),
        }
    }

    fn split(&mut self, at: &Pending, column: usize, split: &Split<'_>) -> Result<(Slot, Slot)> {
        self.builder.split(at.slot, column, split)
    }
}
