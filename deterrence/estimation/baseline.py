"""The plain multinomial logit of the same outcomes on the same regressors: what a strategic model has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deterrence.estimation.fit import fit
from deterrence.estimation.penalties import Penalised
from deterrence.games.errors import ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import symbols
from deterrence.games.tree import end, move

if TYPE_CHECKING:
    from deterrence.estimation.result import Fit

_COUNT = "count of outcome "


def plain_logit(strategic: Fit, formula: str | None = None) -> Fit:
    """Return the multinomial logit of a fit's outcomes: nobody anticipates anybody.

    It is the game of a single player that picks an outcome, with a utility of its own for each outcome but the first.

    Parameters
    ----------
    strategic : Fit
        Its rows, weights, clusters and penalty are taken over.
    formula : str, optional
        Of every outcome; by default all regressors of the fit.

    Raises
    ------
    ParameterError
        If outcomes are only partly observed, or a regressor's name is no name that a formula can hold.
    """
    likelihood = strategic.likelihood
    counts = likelihood.outcome_counts()
    if counts is None:
        raise ParameterError("a plain logit needs every outcome to be observed; some are only partly")
    names = likelihood.outcomes
    utilities = symbols(" ".join(f"u{i}" for i in range(1, len(names))))
    utilities = utilities if isinstance(utilities, tuple) else (utilities,)
    ends = {name: end(name, {"chooser": 0 if not i else utilities[i - 1]}) for i, name in enumerate(names)}
    game = ExtensiveGame(("chooser",), move("chooser", ends), "plain multinomial logit")
    regressors = " + ".join(f"`{c}`" if not c.isidentifier() else c for c in likelihood.regressors)
    frame = strategic.frame[list(likelihood.regressors)].assign(
        **{f"{_COUNT}{name}": counts[:, i] for i, name in enumerate(names)}
    )
    prior = strategic.objective.penalty if isinstance(strategic.objective, Penalised) else None
    return fit(
        game,
        frame,
        outcome={name: f"{_COUNT}{name}" for name in names},
        utilities={str(u): formula or regressors or "1" for u in utilities},
        link="logit",
        scale=0.5**0.5,
        weights=likelihood.weights.tolist(),
        cluster=None if strategic.clusters is None else strategic.clusters.tolist(),
        covariance=strategic.kind,
        penalty=prior,
        starts=1,
    )
