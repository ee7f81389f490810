"""From a formula to a matrix: what a symbol of the game is made of, row by row."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from deterrence.estimation.data import check_columns, row_name
from deterrence.estimation.likelihood import Floats
from deterrence.games.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

_OFFSET = re.compile(r"^offset\((.*)\)$")
_FUNCTIONS = ("sqrt", "abs", "sin", "cos", "tanh")
_FORBIDDEN = re.compile(r"__|\b(?:lambda|import|eval|exec|open|getattr|globals|locals)\b|[\w)\]]\s*\.\s*[A-Za-z_]")
_NUMPY = re.compile(r"\bnp\.(?:log|log2|log10|log1p|exp|expm1|sqrt|abs|sign|minimum|maximum|where|clip|power|tanh)\(")
_POWER = re.compile(r"(?P<base>[\w.]*)[\s)]*(?:\*\*|\^)\s*(?P<exponent>-?[\w.]+|.?)(?P<chain>[\s)]*(?:\*\*|\^))?")
_LARGEST_POWER = 10
_RANK = 1e-9  # relative to the largest singular value of a matrix with columns of length one


@dataclass(frozen=True, eq=False)
class Design:
    """A linear combination of regressors, at the rows of a table: ``matrix @ coefficients + offset``.

    Attributes
    ----------
    equation : str
        What it stands for: a symbol of the game, or ``"log scale"``.
    formula : str
        As given.
    matrix : ndarray, shape (n, k)
        Regressors; k = 0 where the symbol is a number.
    names : tuple of str
        Of the coefficients: ``"equation:regressor"``.
    offset : ndarray, shape (n,)
        What enters with the coefficient one: terms ``offset(x)`` of the formula, or the number itself.
    """

    equation: str
    formula: str
    matrix: Floats
    names: tuple[str, ...]
    offset: Floats
    _spec: Any = field(repr=False, default=None)

    @classmethod
    def of(cls, formula: Any, frame: pd.DataFrame, equation: str) -> Self:
        """Return the design of a formula.

        Parameters
        ----------
        formula : str or number
            Right-hand side in Wilkinson's notation, with or without ``~`` (``"x + log(z)"``, ``"C(region) - 1"``); a
            term ``offset(x)`` enters with the coefficient one. ``"0"`` and numbers are fixed values.
        frame : pandas.DataFrame
            Without missing values in the columns that the formula reads.
        equation : str

        Raises
        ------
        ParameterError
            If the formula cannot be read, names an unknown column, or holds regressors that are linear combinations
            of one another (constant columns beside an intercept among them); the message names them.
        """
        fixed = _number(formula)
        if fixed is not None:
            size = len(frame)
            return cls(equation, f"{fixed:g}", np.zeros((size, 0)), (), np.full(size, fixed))
        text = _checked(formula, equation)
        check_columns(frame, columns_of(text, equation), f"formula of {equation!r}")
        spec, matrix, labels = _materialised(text, frame, equation)
        design = cls._split(equation, text, spec, matrix, labels)
        _check_rank(design)
        return design

    @classmethod
    def _split(cls, equation: str, text: str, spec: Any, matrix: Floats, labels: list[str]) -> Self:
        offsets = [i for i, label in enumerate(labels) if _OFFSET.match(label)]
        free = [i for i in range(len(labels)) if i not in offsets]
        return cls(
            equation=equation,
            formula=text,
            matrix=np.ascontiguousarray(matrix[:, free]),
            names=tuple(f"{equation}:{labels[i]}" for i in free),
            offset=matrix[:, offsets].sum(axis=1),
            _spec=spec,
        )

    @cached_property
    def columns(self) -> Floats:
        """The regressors, one after another: ``matrix`` transposed, shape (k, n)."""
        return np.ascontiguousarray(self.matrix.T)

    @property
    def units(self) -> Floats:
        """Root mean square of each regressor, shape (k,); 1 where it is zero in all of these rows."""
        sizes = np.sqrt((self.matrix**2).mean(axis=0))
        return np.asarray(np.where(sizes > 0, sizes, 1.0))

    def at(self, frame: pd.DataFrame) -> Self:
        """Return the same columns at other rows: levels of categories and centres stay those of the first table.

        Raises
        ------
        ParameterError
            If a column is missing, or a category holds a level that the first table did not.
        """
        if self._spec is None:
            value = float(self.offset[0]) if len(self.offset) else 0.0
            return type(self)(self.equation, self.formula, np.zeros((len(frame), 0)), (), np.full(len(frame), value))
        check_columns(frame, columns_of(self.formula, self.equation), f"formula of {self.equation!r}")
        matrix, labels = _evaluated(self._spec, frame, self.equation)
        return self._split(self.equation, self.formula, self._spec, matrix, labels)

    def values(self, coefficients: Floats) -> Floats:
        """Return the linear combination in each row, shape (n,)."""
        result: Floats = coefficients @ self.columns + self.offset
        return result


def columns_of(formula: Any, equation: str) -> tuple[str, ...]:
    """Return the columns that a formula reads, in alphabetical order.

    Raises
    ------
    ParameterError
        If the formula cannot be read.
    """
    if _number(formula) is not None:
        return ()
    text = _checked(formula, equation)
    try:
        return tuple(sorted({str(v) for v in _parsed(text).required_variables} - set(_context())))
    except Exception as error:  # formulaic raises many kinds
        raise ParameterError(f"the formula of {equation!r} cannot be read: {formula!r} ({error})") from None


@lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    import formulaic

    return formulaic.Formula(text)


def _number(formula: Any) -> float | None:
    """Return a formula that is a fixed number as one; ``"0"`` is, ``"1"`` is a constant to be estimated."""
    if isinstance(formula, bool):
        return None
    if isinstance(formula, int | float | np.number):
        if not np.isfinite(float(formula)):
            raise ParameterError(f"a fixed utility must be finite, got {formula}")
        return float(formula)
    if isinstance(formula, str) and formula.strip().lstrip("~").strip() in ("0", "-1", "+0"):
        return 0.0
    return None


def _checked(formula: Any, equation: str) -> str:
    if not isinstance(formula, str) or not formula.strip():
        raise ParameterError(
            f"the formula of {equation!r} must be a string such as 'x + z' or a number, got {formula!r}"
        )
    text = formula.strip().removeprefix("~").strip()
    if "~" in text or "|" in text:
        raise ParameterError(f"the formula of {equation!r} has only a right-hand side, got {formula!r}")
    if _FORBIDDEN.search(_NUMPY.sub("(", re.sub(r"`[^`]*`|\"[^\"]*\"|'[^']*'", "x", text))):
        raise ParameterError(f"the formula of {equation!r} may only combine columns by functions, got {formula!r}")
    _check_powers(text, equation)
    return text


def _check_powers(text: str, equation: str) -> None:
    """Raise ParameterError if a power could take for ever: ``9**9**9``, ``(a + b + c)**99``."""
    for power in _POWER.finditer(text):
        base, exponent = power["base"], power["exponent"]
        try:
            small = abs(float(exponent)) <= _LARGEST_POWER
        except ValueError:
            small = False
        if not small or power["chain"] or base[:1].isdigit() or base[:1] == ".":
            raise ParameterError(
                f"powers in the formula of {equation!r} are of columns or of terms, one at a time, to a number of at "
                f"most {_LARGEST_POWER}; got {power[0].strip()!r}"
            )


def _context() -> dict[str, Any]:
    functions: dict[str, Any] = {name: getattr(np, name) for name in _FUNCTIONS}
    return {**functions, "offset": _identity}


def _identity(values: Any) -> Any:
    return values


def _materialised(text: str, frame: pd.DataFrame, equation: str) -> tuple[Any, Floats, list[str]]:
    try:
        with np.errstate(all="ignore"):
            made = _parsed(text).get_model_matrix(frame, context=_context(), na_action="ignore")
    except Exception as error:
        raise ParameterError(
            f"the formula of {equation!r} cannot be evaluated: {text!r} ({type(error).__name__}: {error})"
        ) from None
    return made.model_spec, *_finite(made, frame, equation)


def _evaluated(spec: Any, frame: pd.DataFrame, equation: str) -> tuple[Floats, list[str]]:
    import warnings

    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")  # formulaic warns of levels that it has not seen, and sets them to zero
            made = spec.get_model_matrix(frame, context=_context(), na_action="ignore")
    except Exception as error:
        raise ParameterError(
            f"the formula of {equation!r} cannot be evaluated at these rows ({type(error).__name__}: {error})"
        ) from None
    return _finite(made, frame, equation)


def _finite(made: Any, frame: pd.DataFrame, equation: str) -> tuple[Floats, list[str]]:
    labels = [str(c) for c in made.columns]
    matrix = np.asarray(made, dtype=np.float64)
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise ParameterError(
            f"regressor {labels[column]!r} of {equation!r} is not finite in row {row_name(frame.index, row)}: "
            f"{matrix[row, column]}; transform it otherwise, or drop the row"
        )
    return matrix, labels


def _check_rank(design: Design) -> None:
    """Raise ParameterError, naming regressors, if the columns are linearly dependent."""
    matrix = design.matrix
    if not matrix.shape[1]:
        return
    regressors = [name.removeprefix(f"{design.equation}:") for name in design.names]
    lengths = np.linalg.norm(matrix, axis=0)
    if (lengths == 0).any():
        zero = regressors[int(np.flatnonzero(lengths == 0)[0])]
        raise ParameterError(f"regressor {zero!r} of {design.equation!r} is zero in every row; leave it out")
    constant = [r for r, c in zip(regressors, matrix.T, strict=True) if np.ptp(c) == 0 and r != "Intercept"]
    if constant and "Intercept" in regressors:
        raise ParameterError(
            f"column {constant[0]!r} of {design.equation!r} is constant, so it cannot be told from the intercept; "
            "leave it out"
        )
    _, values, right = np.linalg.svd(matrix / lengths, full_matrices=False)
    if values[-1] > _RANK * values[0] and len(values) == matrix.shape[1] <= matrix.shape[0]:
        return
    if matrix.shape[1] > matrix.shape[0]:
        raise ParameterError(
            f"{design.equation!r} has {matrix.shape[1]} regressors but the data only {matrix.shape[0]} rows"
        )
    involved = [r for r, v in zip(regressors, right[-1], strict=True) if abs(v) > 1e-6]
    raise ParameterError(
        f"regressors {', '.join(map(repr, involved))} of {design.equation!r} are linearly dependent; leave one out"
    )
