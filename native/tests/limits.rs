//! Small files that would cost much: each is refused by name, by counting and before the cost, within
//! `memory::MOST`.
//!
//! One test for all, so that no other allocates while it counts.

#[path = "support/memory.rs"]
mod memory;
mod support;

use hotpath_native::{Error, Model};
use support::{Entry, pack};

/// A sound MOJO's model.ini: a GBM of one tree, a number and a category.
const INI: &str = "[info]
algo = gbm
algorithm = Gradient Boosting Machine
mojo_version = 1.40
category = Regression
supervised = true
n_classes = 1
n_features = 2
n_columns = 3
balance_classes = false
default_threshold = 0.5
n_trees = 1
n_trees_per_class = 1
distribution = gaussian
init_f = 0.0
[columns]
x
c
y
[domains]
1: 2 d000.txt
";

const LEAF: [u8; 4] = [0; 4];
const LEAF_ALONE: [u8; 7] = [0, 0xFF, 0xFF, 0, 0, 0, 0];
/// As `Reader` takes them: left and right subtree are leaves, each in four bytes.
const LEFT_IS_LEAF: u8 = 48;
const RIGHT_IS_LEAF: u8 = 0x40;
/// A set of levels in 32 bits, and one told by its first level and their count.
const SET_OF_32: u8 = 8;
const SET: u8 = 12;
/// Only missing values go right: no bits follow, the set of the split before stands.
const MISSING_ALONE: u8 = 1;

fn mojo(ini: String, levels: &str, tree: Vec<u8>) -> Vec<u8> {
    let entry = |name: &str, content: Vec<u8>| -> Entry { (name.to_owned(), content) };
    pack(&[
        entry("model.ini", ini.into_bytes()),
        entry("domains/d000.txt", levels.as_bytes().to_vec()),
        entry("trees/t00_000.bin", tree),
    ])
}

fn with(ini: &str) -> Vec<u8> {
    mojo(ini.to_owned(), "a\nb\n", LEAF_ALONE.to_vec())
}

/// Three million tiny lines of a section, which cost a hundred bytes each to hold.
fn lines(section: &str, line: impl Fn(usize) -> String) -> Vec<u8> {
    let many: String = (0..3_000_000).map(line).collect();
    with(&INI.replace(&format!("[{section}]\n"), &format!("[{section}]\n{many}")))
}

fn numbers() -> Vec<u8> {
    let many = "0,".repeat(24_000_000);
    with(&INI.replace("init_f", &format!("model_class_distrib = [{many}0]\ninit_f")))
}

/// A tree that goes `depth` splits down before its first leaf.
fn deep() -> Vec<u8> {
    const DEPTH: usize = 1_000_000;
    let mut backwards = vec![LEAF.to_vec()];
    let mut size = LEAF.len();
    for level in 0..DEPTH {
        // type, column 0, missing goes right, threshold 0; the size of what is left in four bytes
        let leaf = if level == 0 { LEFT_IS_LEAF } else { 3 };
        let mut split = vec![leaf | RIGHT_IS_LEAF, 0, 0, 0, 0, 0, 0, 0];
        if level > 0 {
            split.extend((size as u32).to_le_bytes());
        }
        size += split.len() + LEAF.len();
        backwards.push(split);
    }
    let mut tree: Vec<u8> = backwards.into_iter().rev().flatten().collect();
    tree.extend(LEAF.repeat(DEPTH));
    mojo(INI.to_owned(), "a\nb\n", tree)
}

/// Few bytes a split, each telling anew of a set over millions of levels.
fn sets() -> Vec<u8> {
    const LEVELS: usize = 3_900_000;
    const SPLITS: usize = 5_000;
    let column = [1, 0];
    let mut tree = vec![LEFT_IS_LEAF | SET, column[0], column[1], 0];
    tree.extend([0, 0]); // from level 0 on
    tree.extend((LEVELS as i32).to_le_bytes());
    tree.extend(vec![0xAA; LEVELS.div_ceil(8)]);
    tree.extend(LEAF);
    for _ in 0..SPLITS {
        tree.extend([LEFT_IS_LEAF | SET_OF_32, column[0], column[1], MISSING_ALONE]);
        tree.extend(LEAF);
    }
    tree.extend(LEAF_ALONE);
    let ini = INI.replace("1: 2 d000", &format!("1: {LEVELS} d000"));
    mojo(ini, &"\n".repeat(LEVELS), tree)
}

/// Far more lines than there are levels.
fn levels() -> Vec<u8> {
    mojo(INI.to_owned(), &"\n".repeat(100_000_000), LEAF_ALONE.to_vec())
}

/// A thousand classes of 20,000 trees each to be looked for, and their shares in a line of 30 MB.
fn classes() -> Vec<u8> {
    let shares = vec!["0.0"; 1_000].join(&format!(",{}", " ".repeat(30_000)));
    let ini = INI
        .replace("category = Regression", "category = Multinomial")
        .replace("n_classes = 1", &format!("n_classes = 1000\nmodel_class_distrib = [{shares}]"))
        .replace("gaussian", "multinomial")
        .replace("n_trees = 1\n", "n_trees = 20000\n")
        .replace("n_trees_per_class = 1", "n_trees_per_class = 1000");
    let mut entries = support::unpack(&mojo(ini, "a\nb\n", Vec::new()));
    entries.pop();
    entries.extend((0..20_000).map(|at| (format!("other/{at}"), Vec::new())));
    pack(&entries)
}

#[test]
fn what_would_cost_much_is_refused_by_name() {
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("keys", lines("info", |at| format!("{at:x}=\n")), "model.ini: more than 500000 lines"),
        ("columns", lines("columns", |_| "x\n".to_owned()), "model.ini: more than 500000 lines"),
        ("domains", lines("domains", |_| "9:1 d\n".to_owned()), "model.ini: more than 500000 lines"),
        ("numbers", numbers(), "model_class_distrib: more than 16777216 numbers"),
        ("depth", deep(), "trees: deeper than 10000 splits"),
        ("sets of levels", sets(), "trees: sets of levels of more than 8388608 words"),
        ("levels", levels(), "domains/d000.txt at byte 0: more than 2 levels"),
        ("classes", classes(), "model.ini at byte 0: no class has trees"),
    ];
    let sound = with(INI);
    assert!(Model::load(&sound).is_ok(), "{:?}", Model::load(&sound).err());
    for (name, mojo, expected) in cases {
        let (peak, loaded) =
            memory::peak(|| Model::load(&mojo).map(drop).map_err(|error: Error| error.to_string()));
        println!("{name:16} {:4} MB", peak >> 20);
        match loaded {
            Err(text) => assert!(text.starts_with(expected), "{name}: {text}"),
            Ok(()) => panic!("{name}: loaded, holding {} MB", peak >> 20),
        }
        assert!(peak < memory::MOST, "{name}: {} MB", peak >> 20);
    }
}
