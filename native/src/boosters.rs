//! XGBoost's binary booster, gbtree and dart (`XGBoostJavaMojoModel`; `biz.k11i.xgboost`: `Predictor`,
//! `GBTree`, `Dart`, `RegTreeImpl`, `ObjFunction`). All its arithmetic is in floats.

use crate::bytes::Bytes;
use crate::error::{Error, Result, refused, shown};
use crate::ini::{Domain, Ini};
use crate::java;
use crate::onehot::OneHot;
use crate::tables::{self, Builder, Forest, Slot, Split};
use crate::walk::{self, Row};
use crate::zip::Zip;

const BOOSTER: &str = "boosterBytes";

/// A booster and the encoding of its rows.
#[derive(Debug)]
pub(crate) struct Booster {
    onehot: OneHot,
    /// Zeros are missing, those of the cold places too.
    sparse: bool,
    /// The caller's offset takes the place of the base score.
    has_offset: bool,
    trees: Trees,
}

#[derive(Debug)]
struct Trees {
    forest: Forest,
    /// By tree.
    groups: Vec<u16>,
    /// By tree what its leaf is multiplied with; none for gbtree.
    weights: Option<Vec<f32>>,
    group_count: usize,
    base: f32,
    /// Since XGBoost 1.3; before, the base score was added last.
    base_first: bool,
    objective: Objective,
}

/// From margins to answers (`ObjFunction.predTransform`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Objective {
    Identity,
    Logistic,
    Exponential,
    Softmax,
}

/// What a row is encoded and summed in, so that no call allocates.
#[derive(Debug, Default)]
pub(crate) struct BoosterScratch {
    encoded: Vec<f32>,
    margins: Vec<f32>,
}

impl Booster {
    pub fn read(zip: &Zip<'_>, ini: &Ini, domains: &[Option<Domain>], classes: usize) -> Result<Self> {
        if !matches!(ini.text("booster")?, "gbtree" | "dart") {
            return Err(ini.not_carried("booster", "gbtree, dart"));
        }
        let onehot = OneHot::read(ini, domains)?;
        let content = zip.read(BOOSTER)?;
        let trees = Reader { bytes: Bytes::new(BOOSTER, &content), width: onehot.width() }.trees(classes)?;
        let has_offset = ini.flag_or("has_offset", false)?;
        Ok(Booster { onehot, sparse: ini.flag("sparse")?, has_offset, trees })
    }

    /// Writes probabilities from the second place on, or a number into the first.
    pub fn score(
        &self,
        row: &[f64],
        offset: f64,
        tree_row: &mut Row,
        scratch: &mut BoosterScratch,
        out: &mut [f64],
    ) -> Result<()> {
        let base = match (self.has_offset, offset == 0.0) {
            (true, _) => offset as f32,
            (false, true) => self.trees.base,
            (false, false) => {
                return Err(Error::Unscorable("an offset, expected none: the model was trained without"));
            }
        };
        self.encode(row, &mut scratch.encoded);
        let margins = &mut scratch.margins;
        self.trees.margins(base, &scratch.encoded, tree_row, margins);
        self.trees.objective.transform(margins);
        match (out.len(), &margins[..]) {
            (2, &[number]) => out[0] = f64::from(number),
            (3, &[yes]) => (out[1], out[2]) = (f64::from(1.0 - yes), f64::from(yes)),
            _ => out[1..].iter_mut().zip(margins).for_each(|(out, margin)| *out = f64::from(*margin)),
        }
        Ok(())
    }

    /// `OneHotEncoderFactory.fromArray`.
    fn encode(&self, row: &[f64], encoded: &mut Vec<f32>) {
        let cold = if self.sparse { f32::NAN } else { 0.0 };
        encoded.clear();
        encoded.resize(self.onehot.places(), cold);
        for (place, first, _) in self.onehot.hot(row) {
            if place >= first {
                encoded[place as usize] = 1.0;
            }
        }
        encoded.extend(row[self.onehot.categories()..].iter().map(|&value| {
            let number = value as f32;
            if self.sparse && number == 0.0 { f32::NAN } else { number }
        }));
    }
}

impl Trees {
    fn margins(&self, base: f32, encoded: &[f32], row: &mut Row, margins: &mut Vec<f32>) {
        margins.clear();
        margins.resize(self.group_count, if self.base_first { base } else { 0.0 });
        match &self.weights {
            None => walk::floats(&self.forest, encoded, row, |tree, leaf| {
                margins[usize::from(self.groups[tree])] += leaf
            }),
            Some(weights) => walk::floats(&self.forest, encoded, row, |tree, leaf| {
                margins[usize::from(self.groups[tree])] += weights[tree] * leaf;
            }),
        }
        if !self.base_first {
            margins.iter_mut().for_each(|margin| *margin += base);
        }
    }
}

impl Objective {
    fn read(name: &str) -> Result<Self> {
        Ok(match name {
            "reg:squarederror" | "reg:linear" | "rank:pairwise" | "rank:ndcg" | "binary:logitraw" => {
                Objective::Identity
            }
            "binary:logistic" | "reg:logistic" => Objective::Logistic,
            "reg:gamma" | "reg:tweedie" | "count:poisson" => Objective::Exponential,
            "multi:softprob" => Objective::Softmax,
            other => {
                let carried = "carried: reg:squarederror, reg:linear, rank:pairwise, rank:ndcg, \
                               binary:logitraw, binary:logistic, reg:logistic, reg:gamma, reg:tweedie, \
                               count:poisson, multi:softprob";
                return Err(refused(format!("objective {}", shown(other)), carried));
            }
        })
    }

    /// `probToMargin`: the base score as a margin.
    fn margin(self, probability: f32) -> f32 {
        match self {
            Objective::Logistic => -f64::from(1.0 / probability - 1.0).ln() as f32,
            Objective::Exponential => f64::from(probability).ln() as f32,
            Objective::Identity | Objective::Softmax => probability,
        }
    }

    fn transform(self, margins: &mut [f32]) {
        match self {
            Objective::Identity => {}
            Objective::Logistic => margins.iter_mut().for_each(|x| *x = 1.0 / (1.0 + exp(-*x))),
            Objective::Exponential => margins.iter_mut().for_each(|x| *x = exp(*x)),
            Objective::Softmax => softmax(margins),
        }
    }
}

/// `(float) Math.exp(x)`.
fn exp(x: f32) -> f32 {
    f64::from(x).exp() as f32
}

fn softmax(margins: &mut [f32]) {
    let greatest = margins.iter().copied().reduce(java::max_f32).unwrap_or(0.0);
    let mut sum = 0.0;
    for margin in margins.iter_mut() {
        *margin = exp(*margin - greatest);
        sum += f64::from(*margin);
    }
    margins.iter_mut().for_each(|share| *share /= sum as f32);
}

struct Reader<'a> {
    bytes: Bytes<'a>,
    /// Places of an encoded row.
    width: usize,
}

/// `Predictor.ModelParam`, as far as it is used.
struct Header {
    base_score: f32,
    classes: i32,
    with_buffer: bool,
    version: (i32, i32),
}

/// A node of a tree: 20 bytes, then for all nodes statistics of 16.
struct XgbNode {
    left: i32,
    right: i32,
    column: u32,
    missing_goes_left: bool,
    value: f32,
}

const NODE_SIZE: usize = 20;
const STATISTICS_SIZE: usize = 16;
const RESERVED: usize = 4 * 31;

impl<'a> Reader<'a> {
    fn trees(mut self, classes: usize) -> Result<Trees> {
        let header = self.header()?;
        let objective = Objective::read(self.string()?)?;
        let dart = match self.string()? {
            "gbtree" => false,
            "dart" => true,
            other => return Err(refused(format!("booster {}", shown(other)), "carried: gbtree, dart")),
        };
        let group_count = self.group_count(header.classes, objective, classes)?;
        let count = self.tree_count(&header)?;
        let mut builder = Builder::new(vec![None; self.width]);
        for _ in 0..count {
            self.tree(&mut builder)?;
        }
        let groups = self.groups(count, group_count)?;
        let weights = if dart && count > 0 { Some(self.weights(&groups)?) } else { None };
        Ok(Trees {
            forest: builder.finish(),
            groups,
            weights,
            group_count,
            base: if header.version.0 >= 1 { objective.margin(header.base_score) } else { header.base_score },
            base_first: header.version > (1, 2),
            objective,
        })
    }

    fn header(&mut self) -> Result<Header> {
        let mut start = self.bytes.clone();
        match start.take(4)? {
            b"binf" => drop(self.bytes.take(4)?), // the signature of older files
            [0, 5, b'_', b'c' | b'r'] => {
                return Err(refused("a booster of Spark", "boosters of H2O are carried"));
            }
            _ => {}
        }
        let base_score = self.finite()?;
        let features = self.bytes.i32()?;
        if usize::try_from(features).ok().is_none_or(|count| count > self.width) {
            return Err(self.bytes.corrupt(format!("{features} features, a row has {}", self.width)));
        }
        let (classes, with_buffer) = (self.bytes.i32()?, self.bytes.i32()? != 0);
        self.bytes.take(4)?; // evaluation metrics
        let version = (self.bytes.i32()?, self.bytes.i32()?);
        if version.0 < 0 || version.1 < 0 {
            return Err(self.bytes.corrupt("a negative version of XGBoost"));
        }
        self.bytes.take(4 * 27)?;
        Ok(Header { base_score, classes, with_buffer, version })
    }

    fn finite(&mut self) -> Result<f32> {
        let number = self.bytes.f32()?;
        if number.is_finite() { Ok(number) } else { Err(self.bytes.corrupt("expected a finite number")) }
    }

    fn string(&mut self) -> Result<&'a str> {
        let length = usize::try_from(self.bytes.i64()?)
            .map_err(|_| self.bytes.corrupt("a text of negative length"))?;
        str::from_utf8(self.bytes.take(length)?).map_err(|_| self.bytes.corrupt("a text that is not UTF-8"))
    }

    /// As many as classes where there are more than two, else one.
    fn group_count(&self, declared: i32, objective: Objective, classes: usize) -> Result<usize> {
        let expected = if classes > 2 { classes } else { 1 };
        let found = usize::try_from(declared.max(1)).unwrap_or(0);
        if found != expected || (objective == Objective::Softmax) != (classes > 2) {
            return Err(self.bytes.corrupt(format!("{declared} groups of trees for {classes} classes")));
        }
        Ok(found)
    }

    /// `GBTree.ModelParam`.
    fn tree_count(&mut self, header: &Header) -> Result<usize> {
        let count = self.bytes.i32()?;
        self.bytes.take(12)?; // roots, features, padding
        let buffer = self.bytes.i64()?;
        self.bytes.take(8 + RESERVED + 4)?; // groups, size of leaf vectors, padding
        if buffer != 0 && header.with_buffer {
            return Err(refused("a booster with a prediction buffer", "boosters without are carried"));
        }
        usize::try_from(count).map_err(|_| self.bytes.corrupt(format!("{count} trees")))
    }

    /// `RegTreeImpl`. Children may stand anywhere, so each node is counted: more than there are is a cycle.
    fn tree(&mut self, builder: &mut Builder) -> Result<()> {
        self.bytes.take(4)?; // roots
        let count = self.bytes.i32()?;
        self.bytes.take(16 + RESERVED)?;
        let count = usize::try_from(count).ok().filter(|&count| count > 0);
        let count = count.ok_or_else(|| self.bytes.corrupt("a tree without nodes"))?;
        let nodes = self.bytes.clone();
        let bytes = self.bytes.take(count.saturating_mul(NODE_SIZE))?;
        self.bytes.take(count * STATISTICS_SIZE)?;
        let mut pending = vec![(0_i32, builder.tree()?, 0_u32)];
        let mut seen = 0;
        while let Some((at, slot, depth)) = pending.pop() {
            seen += 1;
            let index = usize::try_from(at).ok().filter(|&at| at < count && seen <= count);
            let index =
                index.ok_or_else(|| nodes.corrupt(format!("node {at} of {count}, or one met twice")))?;
            let node = node(&bytes[index * NODE_SIZE..][..NODE_SIZE])?;
            if node.left == -1 {
                builder.leaf(slot, node.value, depth)?;
                continue;
            }
            let (left, right) = self.split(builder, slot, &node, &nodes)?;
            let depth = tables::below(depth)?;
            pending.push((node.right, right, depth));
            pending.push((node.left, left, depth));
        }
        Ok(())
    }

    fn split(
        &self,
        builder: &mut Builder,
        slot: Slot,
        node: &XgbNode,
        nodes: &Bytes<'_>,
    ) -> Result<(Slot, Slot)> {
        let column = node.column as usize;
        if column >= self.width {
            return Err(nodes.corrupt(format!("a split on place {column} of {}", self.width)));
        }
        builder.split(
            slot,
            column,
            &Split::From { threshold: node.value, missing_goes_left: node.missing_goes_left },
        )
    }

    fn groups(&mut self, trees: usize, groups: usize) -> Result<Vec<u16>> {
        let mut all = Vec::new();
        for _ in 0..trees {
            let group = self.bytes.i32()?;
            if usize::try_from(group).ok().is_none_or(|group| group >= groups) {
                return Err(self.bytes.corrupt(format!("group {group} of {groups}")));
            }
            all.push(group as u16);
        }
        Ok(all)
    }

    /// `Dart.pred` takes the weights of a group's trees from the front of the list, whichever group it is: so
    /// it does here.
    fn weights(&mut self, groups: &[u16]) -> Result<Vec<f32>> {
        let count = self.bytes.i64()?;
        if usize::try_from(count) != Ok(groups.len()) {
            return Err(self.bytes.corrupt(format!("{count} weights for {} trees", groups.len())));
        }
        let listed: Vec<f32> = (0..count).map(|_| self.finite()).collect::<Result<_>>()?;
        let mut met = vec![0; groups.iter().max().map_or(0, |&last| usize::from(last) + 1)];
        let weight = |&group: &u16| {
            met[usize::from(group)] += 1;
            listed[met[usize::from(group)] - 1]
        };
        Ok(groups.iter().map(weight).collect())
    }
}

fn node(bytes: &[u8]) -> Result<XgbNode> {
    const MISSING_GOES_LEFT: u32 = 1 << 31;
    let mut bytes = Bytes::new(BOOSTER, bytes);
    bytes.take(4)?; // parent
    let (left, right, split, value) = (bytes.i32()?, bytes.i32()?, bytes.u32()?, bytes.f32()?);
    let (column, missing_goes_left) = (split & !MISSING_GOES_LEFT, split & MISSING_GOES_LEFT != 0);
    Ok(XgbNode { left, right, column, missing_goes_left, value })
}
