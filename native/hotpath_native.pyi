"""H2O's MOJOs scored natively, equal to genmodel's `score0`."""

from collections.abc import Sequence

from typing_extensions import Buffer

class Refused(Exception):
    """A MOJO that is sound as far as it was read, but not carried: take genmodel."""

    what: str
    why: str

class Corrupt(Exception):
    """Bytes that are no MOJO of H2O's: the entry, and where in it (for `(archive)`: where in the file)."""

    entry: str
    offset: int
    problem: str

class Unscorable(Exception):
    """A row for which genmodel's `score0` throws, or one of another length than the model's columns."""

class Model:
    """A model; any number of threads may score with it."""

    @staticmethod
    def load(mojo: bytes) -> Model:
        """Raises Refused or Corrupt."""

    @property
    def algorithm(self) -> str:
        """gbm, drf, glm, xgboost or deeplearning."""

    @property
    def category(self) -> str:
        """Binomial, Multinomial, Ordinal or Regression."""

    @property
    def size(self) -> int:
        """Doubles of an answer: a label and a probability a class; for a number two, the second 0."""

    @property
    def names(self) -> list[str]:
        """A row's columns in the MOJO's order."""

    @property
    def domains(self) -> list[list[str] | None]:
        """By column its levels; None for a number."""

    @property
    def classes(self) -> list[str] | None:
        """The names of the classes; None for a number, and where the response was of numbers 0 and 1."""

    @property
    def offset_column(self) -> str | None:
        """The column whose values are the caller's offsets."""

    @property
    def calibrated(self) -> bool:
        """Whether `calibrate` changes anything."""

    def score(self, row: Sequence[float], offset: float = 0.0) -> list[float]:
        """What `score0` returns; categories are indices of levels, missing is NaN. Raises Unscorable."""

    def calibrate(self, answer: Sequence[float]) -> list[float]:
        """An answer with its probabilities calibrated, the label as it was."""

    def score_many(self, rows: Buffer, n: int, offset: float = 0.0) -> bytes:
        """`n` rows of doubles, contiguous, to `n` answers of native doubles; NaN where unscorable.

        Frees the GIL; the rows are copied before, so that other threads may write to them meanwhile.
        """
