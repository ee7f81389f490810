"""The table of a fit in text, HTML and LaTeX."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deterrence.games.display import Display

if TYPE_CHECKING:
    from deterrence.estimation.result import Fit

_COLUMNS = ("coef", "std err", "z", "P>|z|")
_ERRORS = {
    "hessian": "inverse Hessian",
    "robust": "robust (sandwich)",
    "clustered": "clustered sandwich",
    "opg": "outer product of scores",
}


@dataclass(frozen=True, eq=False)
class Summary(Display):
    """A table in three forms.

    Attributes
    ----------
    head : tuple of (str, str)
        Facts about the fit.
    columns : tuple of str
    sections : tuple of (str, tuple of (str, tuple of str))
        By equation: the regressors and their cells.
    foot : tuple of str
        What a reader must know, such as that the search did not converge.
    """

    head: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    sections: tuple[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], ...]
    foot: tuple[str, ...]

    def as_text(self) -> str:
        """Return the table as text."""
        labels = [f"  {name}" for _, rows in self.sections for name, _ in rows] + [s for s, _ in self.sections]
        first = max(map(len, labels), default=10)
        widths = [
            max([len(column), *(len(cells[j]) for _, rows in self.sections for _, cells in rows)])
            for j, column in enumerate(self.columns)
        ]
        width = first + sum(widths) + 2 * len(widths)
        lines = ["=" * width]
        key = max((len(k) for k, _ in self.head), default=0)
        lines += [f"{k.ljust(key)}  {v}" for k, v in self.head]
        lines += ["=" * width, " " * first + _spread(self.columns, widths), "-" * width]
        for section, rows in self.sections:
            lines.append(section)
            lines += [f"  {name}".ljust(first) + _spread(cells, widths) for name, cells in rows]
        return "\n".join([*lines, "=" * width, *self.foot])

    __str__ = as_text

    def as_html(self) -> str:
        """Return the table as HTML."""
        heads = "".join(f"<th>{html.escape(c)}</th>" for c in ("", *self.columns))
        body = []
        for section, rows in self.sections:
            body.append(
                f'<tr><th colspan="{len(self.columns) + 1}" style="text-align:left">{html.escape(section)}</th></tr>'
            )
            for name, cells in rows:
                told = "".join(f"<td>{html.escape(c)}</td>" for c in cells)
                body.append(f'<tr><td style="text-align:left">{html.escape(name)}</td>{told}</tr>')
        facts = "".join(f"<tr><td>{html.escape(k)}</td><td>{html.escape(v)}</td></tr>" for k, v in self.head)
        foot = "".join(f"<p>{html.escape(line)}</p>" for line in self.foot)
        return (
            f"<table>{facts}</table><table><thead><tr>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table>{foot}"
        )

    _repr_html_ = as_html

    def as_latex(self) -> str:
        """Return the table as a LaTeX ``tabular``, with the facts as a comment and the notes below."""
        lines = [f"% {k}: {v}" for k, v in self.head]
        lines += [rf"\begin{{tabular}}{{l{'r' * len(self.columns)}}}", r"\hline"]
        lines += [" & ".join(["", *map(_latex, self.columns)]) + r" \\", r"\hline"]
        for section, rows in self.sections:
            lines.append(rf"\multicolumn{{{len(self.columns) + 1}}}{{l}}{{\emph{{{_latex(section)}}}}} \\")
            lines += [" & ".join([rf"\quad {_latex(name)}", *map(_latex, cells)]) + r" \\" for name, cells in rows]
        lines += [r"\hline", r"\end{tabular}"]
        return "\n".join(lines + [rf"\par {_latex(line)}" for line in self.foot])

    _repr_latex_ = as_latex


def summary_of(fit: Fit, alpha: float) -> Summary:
    """Return the table of a fit, with confidence intervals of level ``1 - alpha``."""
    intervals = fit.conf_int(alpha).to_numpy()
    cells = {
        name: (*_row(fit, k), _number(intervals[k, 0]), _number(intervals[k, 1])) for k, name in enumerate(fit.names)
    }
    sections = tuple(
        (equation, tuple((name.partition(":")[2] or name, cells[name]) for name in names))
        for equation, names in fit.likelihood.sections
    )
    columns = (*_COLUMNS, f"[{alpha / 2:.3f}".replace("0.", ".", 1), f"{1 - alpha / 2:.3f}]".replace("0.", ".", 1))
    return Summary(_head(fit), columns, sections, _foot(fit))


def _row(fit: Fit, k: int) -> tuple[str, ...]:
    p = float(fit.pvalues.iloc[k])
    return (
        _number(fit.theta[k]),
        _number(fit.bse.iloc[k]),
        f"{fit.tvalues.iloc[k]:.2f}" if np.isfinite(p) else "",
        f"{p:.3f}" if np.isfinite(p) else "",
    )


def _head(fit: Fit) -> tuple[tuple[str, str], ...]:
    dropped = f" ({fit.dropped} rows dropped: values missing)" if fit.dropped else ""
    errors = f"bootstrap, {len(fit.draws)} draws" if fit.draws is not None else _ERRORS[fit.kind]
    return (
        ("Model", fit.likelihood.title),
        ("Observations", f"{fit.nobs:g}{dropped}"),
        ("Parameters", str(fit.likelihood.size)),
        ("Log-likelihood", f"{fit.llf:.6f}"),
        ("AIC, BIC", f"{fit.aic:.3f}, {fit.bic:.3f}"),
        ("Status", fit.status),
        ("Starts", f"{len(fit.search.runs)}, distinct maxima {fit.distinct_optima}"),
        ("Standard errors", errors),
        *fit.notes.items(),
    )


def _foot(fit: Fit) -> tuple[str, ...]:
    return () if fit.converged else (f"Not an interior maximum of the likelihood: {fit.message}.",)


def _number(value: float) -> str:
    value = float(value)
    if not np.isfinite(value):
        return ""
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.3e}"


def _spread(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join("  " + cell.rjust(width) for cell, width in zip(cells, widths, strict=True))


def _latex(text: str) -> str:
    special = {
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
    }
    special |= {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "|": r"$|$", ">": r"$>$", "<": r"$<$"}
    return "".join(special.get(c, c) for c in text)
