"""Whether the parameters can be told apart at all, whatever the outcomes."""

from __future__ import annotations

import numpy as np

from deterrence.estimation.likelihood import Floats
from deterrence.estimation.tree import TreeLikelihood
from deterrence.games.errors import ParameterError

_ROWS = 400  # looked at first
_POINTS = 2
_RANK = 1e-7  # a singular value below this, relative to the largest, with columns of length one, counts as zero


def check_identified(likelihood: TreeLikelihood) -> None:
    """Raise ParameterError, naming regressors, if some direction of the parameters leaves every probability as it is.

    The derivatives of all probabilities in the parameters, at random points, have as many independent columns as there
    are parameters iff the model is locally identified [1]_. A regressor in all utilities of a player below its move is
    the usual fault: it adds the same to whatever the player does.

    References
    ----------
    .. [1] T. J. Rothenberg, "Identification in Parametric Models", Econometrica 39 (1971), 577-591.
    """
    generator = np.random.default_rng(0)
    sample = likelihood
    if likelihood.rows > _ROWS:
        chosen = generator.choice(likelihood.rows, _ROWS, replace=False)
        sample = likelihood.of_rows(chosen)
    points = generator.normal(0, 0.5, (_POINTS, likelihood.size)) / likelihood.units
    if any(_null(sample, theta) is None for theta in points):
        return
    null = _null(likelihood, points[0])
    if null is not None:
        raise ParameterError(_message(likelihood, null))


def _null(likelihood: TreeLikelihood, theta: Floats) -> Floats | None:
    """Return a direction, in units of utility, that changes no probability; None if there is none."""
    slopes = likelihood.probability_derivatives(theta)
    matrix = slopes.reshape(-1, likelihood.size) / likelihood.units
    lengths = np.linalg.norm(matrix, axis=0)
    scaled = matrix / np.where(lengths > 0, lengths, 1.0)
    if len(scaled) < likelihood.size:
        return np.ones(likelihood.size)
    triangular = np.linalg.qr(scaled, mode="r")
    _, values, right = np.linalg.svd(triangular)
    if values[-1] > _RANK * values[0]:
        return None
    direction: Floats = right[-1] / np.where(lengths > 0, lengths, 1.0)
    return np.asarray(direction / np.abs(direction).max())


def _message(likelihood: TreeLikelihood, null: Floats) -> str:
    involved = [name for name, entry in zip(likelihood.names, null, strict=True) if abs(entry) > 1e-5]
    regressors = list(dict.fromkeys(name.partition(":")[2] for name in involved))
    equations = [name.partition(":")[0] for name in involved]
    topology = likelihood.model.topology
    for p, player in enumerate(topology.players):
        own = {
            symbol
            for z, node in enumerate(topology.terminal.tolist())
            if p in likelihood.model.needed[node]
            for symbol in likelihood.model.payoffs[z][p].symbols
        }
        if set(equations) <= own and len(regressors) == 1:
            what = "the constant" if regressors[0] == "Intercept" else f"regressor {regressors[0]!r}"
            return (
                f"{what} cannot be identified: it stands in every utility of {player} below its move "
                f"({', '.join(equations)}), so that it changes nothing; leave it out of one of them"
            )
    return (
        f"the parameters {', '.join(map(repr, involved))} cannot be told apart: some combination of them changes no "
        "probability; leave one out, or fix its utility at a number"
    )
