//! The walk: a row through all trees, several of them at once, without a branch that depends on the row.
//!
//! The crate's one unsafe function is [`step`]; why it is sound stands beside it.

use crate::tables::{Column, Forest, Tree};

/// Trees in flight: their steps wait for memory independently of each other.
const LANES: usize = 8;
/// Steps between two looks whether all trees in flight have come to rest, where trees are deep.
const STRIDE: u32 = 4;
/// Up to here a look costs more than the steps that it may save.
const SHALLOW: u32 = 8;

/// A row as trees read it. It lives in the caller's [`Scratch`](crate::Scratch), so that no call allocates.
#[derive(Debug, Default)]
pub(crate) struct Row {
    inputs: Vec<f32>,
    codes: Vec<u32>,
}

impl Row {
    /// Room for a row of this forest, all of it missing, and behind it what leaves compare with.
    fn fit(&mut self, forest: &Forest) {
        self.inputs.clear();
        self.inputs.resize(forest.inputs() - 2, f32::NAN);
        self.inputs.extend([f32::NEG_INFINITY; 2]);
        self.codes.clear();
        self.codes.resize(forest.columns().len() + 1, 0);
    }
}

/// Calls `leaf` with each tree's value, in the trees' order, for a row of H2O's columns: a value a column.
#[inline]
pub(crate) fn columns(forest: &Forest, values: &[f64], row: &mut Row, leaf: impl FnMut(usize, f32)) {
    row.fit(forest);
    let cells = row.inputs.chunks_exact_mut(2).zip(&mut row.codes);
    for ((&value, &column), (pair, code)) in values.iter().zip(forest.columns()).zip(cells) {
        let input;
        (input, *code) = read(value, column);
        pair.copy_from_slice(&[input, -input]);
    }
    if forest.has_sets() {
        run::<true>(forest, row, leaf);
    } else {
        run::<false>(forest, row, leaf);
    }
}

/// The same for a row of floats, one a column, of trees that have no sets of levels.
#[inline]
pub(crate) fn floats(forest: &Forest, values: &[f32], row: &mut Row, leaf: impl FnMut(usize, f32)) {
    assert!(!forest.has_sets(), "a row of floats has no codes");
    row.fit(forest);
    for (&value, pair) in values.iter().zip(row.inputs.chunks_exact_mut(2)) {
        let input = bounded(value);
        pair.copy_from_slice(&[input, -input]);
    }
    run::<false>(forest, row, leaf);
}

/// A value as a tree's input and its code.
#[inline]
fn read(value: f64, column: Column) -> (f32, u32) {
    let input = bounded(rounded_down(value));
    let Some(levels) = column else { return (input, 0) };
    let level = value as i32; // as Java's (int): towards zero, saturating
    if value.is_nan() || i64::from(level) >= i64::from(levels) {
        (f32::NAN, levels)
    } else if level < 0 {
        (input, levels + 1)
    } else {
        (input, level as u32)
    }
}

/// The greatest float that is not above `value`: then `value >= t` and `rounded_down(value) >= t` are the
/// same for every float t, and genmodel compares the double.
#[inline]
fn rounded_down(value: f64) -> f32 {
    let nearest = value as f32;
    // The bits as a whole number that rises with the float (or falls, where the sign is set): one less is the
    // float below. A branch would be taken for every second value.
    let bits = nearest.to_bits() as i32;
    let rising = bits ^ (((bits >> 31) as u32) >> 1) as i32;
    let below = rising - i32::from(f64::from(nearest) > value);
    f32::from_bits((below ^ (((below >> 31) as u32) >> 1) as i32) as u32)
}

/// Infinity is no missing value, but would not be below the threshold of [`Split::Missing`]; the greatest
/// float is, and answers every finite threshold as infinity does.
///
/// [`Split::Missing`]: crate::tables::Split::Missing
#[inline]
fn bounded(value: f32) -> f32 {
    if value > f32::MAX { f32::MAX } else { value }
}

fn run<const SETS: bool>(forest: &Forest, row: &Row, mut leaf: impl FnMut(usize, f32)) {
    assert_eq!(row.inputs.len(), forest.inputs());
    assert!(!SETS || row.codes.len() == forest.columns().len() + 1);
    let blocks = forest.trees().chunks_exact(LANES);
    let rest = blocks.remainder();
    let mut next = 0;
    let mut tell = |at: &[u32]| {
        for &at in at {
            leaf(next, forest.nodes()[at as usize].threshold);
            next += 1;
        }
    };
    for trees in blocks {
        tell(&come_to_rest::<SETS>(forest, row, trees));
    }
    if !rest.is_empty() {
        tell(&come_to_rest::<SETS>(forest, row, rest)[..rest.len()]);
    }
}

/// The leaves at which the trees end; lanes without a tree repeat the first.
#[inline(always)]
fn come_to_rest<const SETS: bool>(forest: &Forest, row: &Row, trees: &[Tree]) -> [u32; LANES] {
    let mut at = [trees[0].root; LANES];
    for (lane, tree) in at.iter_mut().zip(trees) {
        *lane = tree.root;
    }
    let depth = trees.iter().map(|tree| tree.depth).max().unwrap_or(0);
    if depth <= SHALLOW {
        for _ in 0..depth {
            at = at.map(|node| step::<SETS>(forest, row, node));
        }
        return at;
    }
    loop {
        let before = at;
        for _ in 0..STRIDE {
            at = at.map(|node| step::<SETS>(forest, row, node));
        }
        if at == before {
            return at;
        }
    }
}

/// One step of one tree; a leaf stays where it is.
///
/// # Why it is sound
///
/// `Builder::finish` asserted for every node of a forest, and nothing changes one afterwards:
///
/// 1. `child + 1` is inside `nodes`, as are all roots. `at` is a root or the outcome of a step, so it is
///    inside.
/// 2. `input / 2` is at most the number of columns, so `input` is inside a row of `Forest::inputs` values,
///    which `run` asserts, and `input / 2` is inside the codes, which `run` asserts where `SETS`.
/// 3. `bits` has behind it the words for each code of the node's column. Codes come from `read` alone (the
///    fields of `Row` are private to this module, and `columns`, the one caller with `SETS`, writes them anew
///    for this very forest): at most the column's levels + 1; for numbers and the constant 0.
#[allow(unsafe_code)]
#[allow(clippy::neg_cmp_op_on_partial_ord)] // NaN is below nothing, and so goes aside
#[inline(always)]
fn step<const SETS: bool>(forest: &Forest, row: &Row, at: u32) -> u32 {
    // SAFETY: see above.
    unsafe {
        let node = forest.nodes().get_unchecked(at as usize);
        let input = *row.inputs.get_unchecked(node.input as usize);
        let mut aside = u32::from(!(input < node.threshold));
        if SETS {
            let code = *row.codes.get_unchecked(node.input as usize / 2);
            let word = *forest.bits().get_unchecked(node.bits as usize + code as usize / 32);
            aside ^= word >> (code % 32) & 1;
        }
        node.child.wrapping_add(aside)
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, columns, read, rounded_down};
    use crate::tables::{Builder, Column, Levels, Slot, Split};

    #[test]
    fn a_value_is_rounded_towards_minus_infinity() {
        for (value, float) in [(0.1, 0.099_999_994), (-0.1, -0.1), (1e308, f32::MAX), (-1e-320, -1e-45)] {
            assert_eq!(rounded_down(value), float, "{value}");
        }
        for (value, float) in [(-1e308, f32::NEG_INFINITY), (f64::INFINITY, f32::INFINITY), (1e-320, 0.0)] {
            assert_eq!(rounded_down(value), float, "{value}");
        }
        assert!(rounded_down(f64::NAN).is_nan());
    }

    #[test]
    fn a_level_is_read_as_java_casts_it() {
        assert_eq!(read(2.5, Some(3)), (2.5, 2));
        assert_eq!(read(-0.5, Some(3)), (-0.5, 0));
        assert_eq!(read(-1.0, Some(3)), (-1.0, 4));
        for outside in [3.0, 1e300, f64::INFINITY, f64::NAN] {
            let (input, code) = read(outside, Some(3));
            assert!(input.is_nan() && code == 3, "{outside}");
        }
    }

    /// A tree as genmodel walks it, branch by branch.
    enum Plain {
        Leaf(f32),
        Inner { column: usize, test: Test, left: Box<Plain>, right: Box<Plain> },
    }

    enum Test {
        From(f32, bool),
        Missing,
        Levels(Vec<bool>, bool),
    }

    const COLUMNS: [Column; 4] = [None, Some(3), None, Some(70)];

    impl Plain {
        fn grown(random: &mut impl FnMut(usize) -> usize, depth: usize) -> Plain {
            if depth == 0 || random(if depth > 6 { 4 } else { 9 }) == 0 {
                return Plain::Leaf(random(1000) as f32 - 500.0);
            }
            let column = random(COLUMNS.len());
            let missing = random(2) == 0;
            let test = match (random(4), COLUMNS[column]) {
                (0, _) => Test::Missing,
                (1.., Some(levels)) => Test::Levels((0..levels).map(|_| random(2) == 0).collect(), missing),
                (_, None) => Test::From(random(20) as f32 / 4.0 - 2.5, missing),
            };
            let left = Box::new(Plain::grown(random, depth - 1));
            Plain::Inner { column, test, left, right: Box::new(Plain::grown(random, depth - 1)) }
        }

        fn write(&self, builder: &mut Builder, slot: Slot, depth: u32) {
            let Plain::Inner { column, test, left, right } = self else {
                let Plain::Leaf(value) = self else { unreachable!() };
                return builder.leaf(slot, *value, depth).unwrap();
            };
            let slots = match test {
                Test::From(threshold, missing_goes_left) => {
                    let split = Split::From { threshold: *threshold, missing_goes_left: *missing_goes_left };
                    builder.split(slot, *column, &split)
                }
                Test::Missing => builder.split(slot, *column, &Split::Missing),
                Test::Levels(set, missing_goes_left) => {
                    let mut bits = vec![0; set.len().div_ceil(8)];
                    set.iter()
                        .enumerate()
                        .for_each(|(at, &right)| bits[at / 8] |= u8::from(right) << (at % 8));
                    let (count, missing_goes_right) = (set.len() as u32, !missing_goes_left);
                    let levels = Levels { first: 0, count, bits: Some(&bits), missing_goes_right };
                    builder.split(slot, *column, &Split::Levels(levels))
                }
            };
            let (to_left, to_right) = slots.unwrap();
            left.write(builder, to_left, depth + 1);
            right.write(builder, to_right, depth + 1);
        }

        fn leaf(&self, row: &[f64]) -> f32 {
            let Plain::Inner { column, test, left, right } = self else {
                let Plain::Leaf(value) = self else { unreachable!() };
                return *value;
            };
            let (value, level) = (row[*column], row[*column] as i32);
            let missing = value.is_nan() || COLUMNS[*column].is_some_and(|levels| level >= levels as i32);
            let goes_right = match test {
                Test::From(_, missing_goes_left) if missing => !missing_goes_left,
                Test::From(threshold, _) => value >= f64::from(*threshold),
                Test::Missing => missing,
                Test::Levels(_, missing_goes_left) if missing || level < 0 => !missing_goes_left,
                Test::Levels(set, _) => set[level as usize],
            };
            if goes_right { right.leaf(row) } else { left.leaf(row) }
        }
    }

    /// Shallow and deep trees, fewer and more than are in flight together; Miri runs this too.
    #[test]
    fn trees_in_flight_end_where_plain_ones_do() {
        let mut state = 1_u64;
        let mut random = |end: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % end
        };
        for (trees, depth) in [(1, 3), (8, 5), (19, 5), (11, 12)] {
            let plain: Vec<Plain> = (0..trees).map(|_| Plain::grown(&mut random, depth)).collect();
            let mut builder = Builder::new(COLUMNS.to_vec());
            for tree in &plain {
                let slot = builder.tree().unwrap();
                tree.write(&mut builder, slot, 0);
            }
            let (forest, mut row) = (builder.finish(), Row::default());
            for _ in 0..if cfg!(miri) { 10 } else { 4_000 } {
                let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -0.5, 1e300, -0.0, 5e-324, 80.0];
                let value = |_| match random(4) {
                    0 => odd[random(odd.len())],
                    1 => random(40) as f64 / 4.0 - 2.5,
                    _ => random(72) as f64,
                };
                let values: Vec<f64> = COLUMNS.iter().map(value).collect();
                let mut found = Vec::new();
                columns(&forest, &values, &mut row, |tree, leaf| found.push((tree, leaf)));
                let expected: Vec<_> = plain.iter().map(|tree| tree.leaf(&values)).enumerate().collect();
                assert_eq!(found, expected, "{values:?}");
            }
        }
    }
}
