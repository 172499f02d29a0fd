//! The sample MOJOs against the scores that H2O itself gave them.

mod support;

use hotpath_native::{Error, Model, Scratch};

/// Where `exp`, `log` or `pow` are part of an answer: Java's and C's differ in the last bit.
const TOLERANCE: f64 = 1e-9;
/// Samples without any of them: equal to the bit.
const EXACT: [&str; 5] = ["drf_double", "drf_multi", "gbm_gaussian", "gbm_quantile", "glm_gauss"];
const REFUSED: [&str; 1] = ["gbm_ce_OneHotExplicit"];

#[test]
fn every_sample_scores_as_h2o_does() {
    for sample in support::samples() {
        if REFUSED.contains(&sample.name.as_str()) {
            continue;
        }
        let model = Model::load(&sample.mojo).unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        let (rows, expected) =
            (support::table(&sample.name, "rows"), support::table(&sample.name, "expected"));
        let offsets = support::table(&sample.name, "offset");
        let (mut answer, mut scratch) = (vec![0.0; model.size()], Scratch::default());
        assert_eq!((rows.len(), expected[0].len()), (expected.len(), model.size()), "{}", sample.name);
        let (mut worst, mut exact, mut thrown) = (0.0_f64, 0, 0);
        for (at, (row, expected)) in rows.iter().zip(&expected).enumerate() {
            let offset = offsets.get(at).map_or(0.0, |offset| offset[0]);
            if let Err(error) = model.score(row, offset, &mut answer, &mut scratch) {
                assert!(
                    matches!(error, Error::Unscorable(_)) && expected.iter().all(|x| x.is_nan()),
                    "{} row {at}: {error}",
                    sample.name
                );
                thrown += 1;
                continue;
            }
            exact += usize::from(same(&answer, expected));
            for (found, expected) in answer.iter().zip(expected) {
                if found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan() {
                    continue;
                }
                let difference = (found - expected).abs() / expected.abs().max(1.0);
                assert!(difference <= TOLERANCE, "{} row {at}: {answer:?}, H2O {expected:?}", sample.name);
                worst = worst.max(difference);
            }
            assert!(
                model.category().name() == "Regression" || answer[0] == expected[0] || expected[0].is_nan(),
                "{} row {at}: label",
                sample.name
            );
        }
        println!(
            "{:24} worst {worst:.1e}, to the bit {exact} of {}, thrown {thrown}",
            sample.name,
            rows.len()
        );
        assert!(
            !EXACT.contains(&sample.name.as_str()) || exact + thrown == rows.len(),
            "{} is not exact",
            sample.name
        );
    }
}

fn same(found: &[f64], expected: &[f64]) -> bool {
    found.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan())
}

#[test]
fn expanded_columns_are_refused_by_name() {
    for name in REFUSED {
        let sample = support::samples().into_iter().find(|sample| sample.name == name).expect(name);
        match Model::load(&sample.mojo) {
            Err(Error::Refused { what, .. }) => assert_eq!(what, "_genmodel_encoding = OneHotExplicit"),
            other => panic!("{name}: {other:?}"),
        }
    }
}
