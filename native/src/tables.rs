//! Trees as flat arrays, in the one form that the walk steps through.
//!
//! A node is a comparison without branches: go to `child` where the input is below the threshold, else to
//! `child + 1`. The inputs of a row are, for column k, its value at 2k and its negation at 2k + 1, so that a
//! missing value (NaN, below nothing) always goes to `child + 1`, and either side can stand there:
//!
//! | split | input | threshold | child | child + 1 |
//! | --- | --- | --- | --- | --- |
//! | value >= t goes right, missing goes right | 2k | t | left | right |
//! | value >= t goes right, missing goes left | 2k + 1 | next float after -t | right | left |
//! | only missing goes right | 2k | infinity | left | right |
//! | level in a set goes right | 2k | infinity, turned by the level's bit | left | right |
//! | leaf | a constant -infinity | its value | itself | |
//!
//! A set of levels is a row of bits by the column's *code*: the level, `count` where it is missing or beyond
//! the domain, `count + 1` where it is negative. A missing level compares as NaN, so its bit is kept turned.

use crate::error::{Result, refused};

/// Nodes of all trees together: 192 MB.
const MOST_NODES: usize = 12 << 20;
/// Words of all sets of levels together: 32 MB. It bounds the time of loading too: a few bytes tell a set
/// over millions of levels.
const MOST_WORDS: usize = 8 << 20;

/// Splits above a leaf. It bounds the time of a row, and what readers hold of subtrees still to be read; H2O
/// writes its trees by recursion, and never so deep.
const DEEPEST: u32 = 10_000;

/// A split or a leaf; see the table above.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct Node {
    pub threshold: f32,
    pub child: u32,
    pub input: u32,
    /// The first word of its set of levels; 0, words of zeros, where it has none.
    pub bits: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Tree {
    pub root: u32,
    pub depth: u32,
}

/// Trees whose every index was checked by [`Builder::finish`]; nothing changes it afterwards.
#[derive(Debug)]
pub(crate) struct Forest {
    nodes: Vec<Node>,
    trees: Vec<Tree>,
    bits: Vec<u32>,
    columns: Vec<Column>,
    has_sets: bool,
}

/// How many levels a column has; none for a number.
pub(crate) type Column = Option<u32>;

/// Where a split's subtrees will be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot(u32);

/// A split as the formats tell it.
pub(crate) enum Split<'a> {
    /// Values from `threshold` on go right.
    From { threshold: f32, missing_goes_left: bool },
    /// Missing values go right.
    Missing,
    /// By a set of levels.
    Levels(Levels<'a>),
}

/// The levels from `first` on, `count` of them, go as their bits say, all others as missing values do.
#[derive(Clone, Copy)]
pub(crate) struct Levels<'a> {
    pub first: u32,
    pub count: u32,
    /// Whether a level goes right, by its distance from `first`; none: all of them go left.
    pub bits: Option<&'a [u8]>,
    pub missing_goes_right: bool,
}

/// Words that a set over so many levels takes: two codes stand beside the levels.
fn words(levels: u32) -> usize {
    (levels as usize + 2).div_ceil(32)
}

/// The depth of what stands below a split at `depth`.
pub(crate) fn below(depth: u32) -> Result<u32> {
    if depth < DEEPEST {
        Ok(depth + 1)
    } else {
        Err(refused("trees", format!("deeper than {DEEPEST} splits")))
    }
}

impl Forest {
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    pub fn bits(&self) -> &[u32] {
        &self.bits
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Whether any split is by a set of levels.
    pub fn has_sets(&self) -> bool {
        self.has_sets
    }

    /// How many inputs a row has: two a column, and two constants that leaves compare with.
    pub fn inputs(&self) -> usize {
        2 * (self.columns.len() + 1)
    }
}

/// Writes a [`Forest`] tree by tree.
pub(crate) struct Builder {
    forest: Forest,
}

impl Builder {
    pub fn new(columns: Vec<Column>) -> Self {
        let zeros = words(columns.iter().flatten().copied().max().unwrap_or(0));
        let forest =
            Forest { nodes: Vec::new(), trees: Vec::new(), bits: vec![0; zeros], columns, has_sets: false };
        Builder { forest }
    }

    /// The root of the next tree.
    pub fn tree(&mut self) -> Result<Slot> {
        let root = self.room(1)?;
        self.forest.trees.push(Tree { root, depth: 0 });
        Ok(Slot(root))
    }

    /// A leaf at `depth` of the tree begun last. `value` must be finite: see the table.
    pub fn leaf(&mut self, slot: Slot, value: f32, depth: u32) -> Result<()> {
        if !value.is_finite() {
            return Err(refused("a leaf that is no finite number", "finite leaves are carried"));
        }
        if let Some(tree) = self.forest.trees.last_mut() {
            tree.depth = tree.depth.max(depth);
        }
        self.forest.nodes[slot.0 as usize] = self.resting(slot.0, value);
        Ok(())
    }

    /// A split on a column: the places of its left and right subtree.
    pub fn split(&mut self, slot: Slot, column: usize, split: &Split<'_>) -> Result<(Slot, Slot)> {
        let child = self.room(2)?;
        let value = 2 * column as u32;
        let mut node = Node { threshold: f32::INFINITY, child, input: value, bits: 0 };
        let mut places = (Slot(child), Slot(child + 1));
        match *split {
            Split::From { threshold, .. } if !threshold.is_finite() => {
                return Err(refused("a split at no finite number", "finite thresholds are carried"));
            }
            Split::From { threshold, missing_goes_left: false } => node.threshold = threshold,
            Split::From { threshold, missing_goes_left: true } => {
                node.threshold = (-threshold).next_up();
                node.input = value + 1;
                places = (places.1, places.0);
            }
            Split::Missing => {}
            Split::Levels(levels) => node.bits = self.set(column, levels)?,
        }
        self.forest.nodes[slot.0 as usize] = node;
        Ok(places)
    }

    fn set(&mut self, column: usize, told: Levels<'_>) -> Result<u32> {
        let levels = self.forest.columns[column].ok_or_else(|| {
            refused("a set of levels on a column of numbers", "sets on columns with a domain are carried")
        })?;
        let first = self.forest.bits.len();
        if first + words(levels) > MOST_WORDS {
            return Err(refused("trees", format!("sets of levels of more than {MOST_WORDS} words")));
        }
        let others = if told.missing_goes_right { u32::MAX } else { 0 };
        self.forest.bits.resize(first + words(levels), others);
        self.forest.has_sets = true;
        let set = &mut self.forest.bits[first..];
        let mut put = |code: u32, goes_right: bool| {
            let bit = 1 << (code % 32);
            let word = &mut set[code as usize / 32];
            *word = if goes_right { *word | bit } else { *word & !bit };
        };
        for at in 0..told.count.min(levels.saturating_sub(told.first)) {
            let goes_right = told.bits.is_some_and(|bits| bits[at as usize / 8] >> (at % 8) & 1 != 0);
            put(told.first + at, goes_right);
        }
        put(levels, !told.missing_goes_right);
        put(levels + 1, told.missing_goes_right);
        Ok(first as u32)
    }

    fn room(&mut self, nodes: usize) -> Result<u32> {
        let first = self.forest.nodes.len();
        if first + nodes > MOST_NODES {
            return Err(refused("trees", format!("more than {MOST_NODES} nodes")));
        }
        for at in first..first + nodes {
            let leaf = self.resting(at as u32, 0.0);
            self.forest.nodes.push(leaf);
        }
        Ok(first as u32)
    }

    fn resting(&self, at: u32, value: f32) -> Node {
        Node { threshold: value, child: at, input: 2 * self.forest.columns.len() as u32, bits: 0 }
    }

    /// The forest, every index checked once more: the walk relies on this and on nothing else.
    ///
    /// Panics where the code above is wrong; no MOJO can bring that about.
    pub fn finish(mut self) -> Forest {
        let end = self.room_for_the_last_leaf();
        let forest = self.forest;
        let zeros = words(forest.columns.iter().flatten().copied().max().unwrap_or(0));
        for (at, node) in forest.nodes[..end].iter().enumerate() {
            let column = node.input as usize / 2;
            assert!((node.child as usize) + 1 < forest.nodes.len(), "child of node {at}");
            assert!(column <= forest.columns.len(), "input of node {at}");
            let rests = node.child as usize == at && column == forest.columns.len();
            assert!(rests || node.child as usize > at, "node {at} leads back: a walk without end");
            let set = forest.columns.get(column).copied().flatten().map_or(1, words);
            assert!(node.bits as usize + set <= forest.bits.len(), "bits of node {at}");
            assert!(node.bits == 0 || node.bits as usize >= zeros, "bits of node {at}");
        }
        assert!(forest.bits[..zeros].iter().all(|&word| word == 0), "the words of zeros");
        assert!(forest.trees.iter().all(|tree| (tree.root as usize) < end), "roots");
        forest
    }

    /// A node behind the last, so that `child + 1` of any leaf is inside the array. The count without it.
    fn room_for_the_last_leaf(&mut self) -> usize {
        let end = self.forest.nodes.len();
        // It rests on the node before it, or on itself where there is none: its `child + 1` is inside too.
        let rest = self.resting((end as u32).saturating_sub(1), 0.0);
        self.forest.nodes.push(rest);
        end
    }
}
