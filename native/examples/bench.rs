//! Nanoseconds a row and milliseconds a load: `cargo run --release --example bench [model.zip …]`.
//!
//! By default every sample of tests/mojos. The least of many rounds, since the machine is shared.

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::time::Instant;

use hotpath_native::{Model, Scratch};

const ROWS: usize = 2_000;
const ROUNDS: usize = 15;

fn main() {
    let named: Vec<support::Sample> = std::env::args()
        .skip(1)
        .map(|path| support::Sample { mojo: std::fs::read(&path).expect("a readable file"), name: path })
        .collect();
    for sample in if named.is_empty() { support::samples() } else { named } {
        match Model::load(&sample.mojo) {
            Ok(model) => println!(
                "{:24} {:8.0} ns a row, {:6.2} ms a load",
                sample.name,
                row_ns(&model),
                load_ms(&sample.mojo)
            ),
            Err(error) => println!("{:24} {error}", sample.name),
        }
    }
}

fn row_ns(model: &Model) -> f64 {
    let mut random = support::Random(1);
    let rows: Vec<Vec<f64>> = (0..ROWS).map(|_| row(model, &mut random)).collect();
    let (mut scratch, mut answer) = (Scratch::default(), vec![0.0; model.size()]);
    least(|| {
        for row in &rows {
            let _ = black_box(model.score(black_box(row), 0.0, &mut answer, &mut scratch));
            black_box(&answer);
        }
    }) * 1e9
        / ROWS as f64
}

/// Numbers about 0, levels of the domain, one in twenty missing.
fn row(model: &Model, random: &mut support::Random) -> Vec<f64> {
    let value = |levels: Option<usize>| match (random.below(20), levels) {
        (0, _) => f64::NAN,
        (_, Some(levels)) => random.below(levels) as f64,
        (_, None) => (random.below(2_000_001) as f64 - 1e6) / 500_000.0,
    };
    model
        .domains()
        .iter()
        .map(|domain| domain.as_ref().map(hotpath_native::Domain::count))
        .map(value)
        .collect()
}

fn load_ms(mojo: &[u8]) -> f64 {
    least(|| drop(black_box(Model::load(black_box(mojo))))) * 1e3
}

/// Seconds.
fn least(mut work: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(time).fold(f64::INFINITY, f64::min)
}
