//! The Python module `hotpath_native`; its types are told in `hotpath_native.pyi`.

use std::cell::RefCell;

use pyo3::buffer::PyBuffer;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyMemoryError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::{Domain, Error, Scratch};

create_exception!(hotpath_native, Refused, PyException, "A MOJO that is not carried: `what` and `why`.");
create_exception!(
    hotpath_native,
    Corrupt,
    PyException,
    "A MOJO that is damaged: `entry`, `offset`, `problem`."
);
create_exception!(hotpath_native, Unscorable, PyException, "A row for which genmodel's score0 throws.");

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

fn raised(py: Python<'_>, error: &Error) -> PyErr {
    let text = error.to_string();
    let fields = |raised: PyErr, fields: &[(&str, Bound<'_, PyAny>)]| {
        let set = fields.iter().try_for_each(|(name, value)| raised.value(py).setattr(*name, value));
        set.err().unwrap_or(raised)
    };
    let string = |text: &str| text.into_pyobject(py).expect("a str").into_any();
    match error {
        Error::Refused { what, why } => {
            fields(Refused::new_err(text), &[("what", string(what)), ("why", string(why))])
        }
        Error::Corrupt { entry, offset, problem } => {
            let offset = offset.into_pyobject(py).expect("an int").into_any();
            fields(
                Corrupt::new_err(text),
                &[("entry", string(entry)), ("offset", offset), ("problem", string(problem))],
            )
        }
        Error::Unscorable(_) => Unscorable::new_err(text),
    }
}

/// A model; any number of threads may score with it.
#[pyclass(frozen, module = "hotpath_native")]
struct Model(crate::Model);

#[pymethods]
impl Model {
    #[staticmethod]
    fn load(py: Python<'_>, mojo: &Bound<'_, PyBytes>) -> PyResult<Model> {
        let bytes = mojo.as_bytes();
        py.detach(|| crate::Model::load(bytes)).map(Model).map_err(|error| raised(py, &error))
    }

    #[getter]
    fn algorithm(&self) -> &str {
        self.0.algorithm()
    }

    #[getter]
    fn category(&self) -> &str {
        self.0.category().name()
    }

    #[getter]
    fn size(&self) -> usize {
        self.0.size()
    }

    #[getter]
    fn names(&self) -> Vec<String> {
        self.0.names().to_vec()
    }

    #[getter]
    fn domains(&self) -> Vec<Option<Vec<&str>>> {
        self.0.domains().iter().map(|domain| domain.as_ref().map(levels)).collect()
    }

    #[getter]
    fn classes(&self) -> Option<Vec<&str>> {
        self.0.response().map(levels)
    }

    #[getter]
    fn offset_column(&self) -> Option<&str> {
        self.0.offset_column()
    }

    #[getter]
    fn calibrated(&self) -> bool {
        self.0.is_calibrated()
    }

    #[pyo3(signature = (row, offset = 0.0))]
    fn score(&self, py: Python<'_>, row: Vec<f64>, offset: f64) -> PyResult<Vec<f64>> {
        let mut answer = vec![0.0; self.0.size()];
        SCRATCH
            .with_borrow_mut(|scratch| self.0.score(&row, offset, &mut answer, scratch))
            .map_err(|error| raised(py, &error))?;
        Ok(answer)
    }

    /// An answer with its probabilities calibrated; as it was, where the model has no calibration.
    fn calibrate(&self, mut answer: Vec<f64>) -> Vec<f64> {
        self.0.calibrate(&mut answer);
        answer
    }

    #[pyo3(signature = (rows, n, offset = 0.0))]
    fn score_many<'py>(
        &self,
        py: Python<'py>,
        rows: PyBuffer<f64>,
        n: usize,
        offset: f64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let width = self.0.names().len();
        if !rows.is_c_contiguous() || Some(rows.item_count()) != n.checked_mul(width) {
            return Err(PyValueError::new_err(format!("rows: expected {n} x {width} doubles, contiguous")));
        }
        let rows = rows.to_vec(py)?; // a copy: other threads may write to the buffer meanwhile
        let answers = py.detach(|| answers(&self.0, &rows, n, offset));
        let answers = answers.ok_or_else(|| PyMemoryError::new_err(format!("no room for {n} answers")))?;
        Ok(PyBytes::new(py, &answers))
    }
}

/// All answers as native doubles one after another; NaN for a row that is unscorable. None: too many to hold.
fn answers(model: &crate::Model, rows: &[f64], count: usize, offset: f64) -> Option<Vec<u8>> {
    let (mut scratch, mut answer) = (Scratch::default(), vec![0.0; model.size()]);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(count.checked_mul(size_of_val(&answer[..]))?).ok()?;
    for row in rows.chunks_exact(model.names().len()) {
        if model.score(row, offset, &mut answer, &mut scratch).is_err() {
            answer.fill(f64::NAN);
        }
        answer.iter().for_each(|number| bytes.extend(number.to_ne_bytes()));
    }
    Some(bytes)
}

fn levels(domain: &Domain) -> Vec<&str> {
    domain.levels().collect()
}

#[pymodule]
fn hotpath_native(py: Python<'_>, module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("Refused", py.get_type::<Refused>())?;
    module.add("Corrupt", py.get_type::<Corrupt>())?;
    module.add("Unscorable", py.get_type::<Unscorable>())?;
    module.add_class::<Model>()
}
