"""From data to payoffs: what is beside ``deterrence.fit``. Every name is imported when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deterrence.games.lazy_names import lazy_names

_HOME = {
    "vuong": "comparison",
    "clarke": "comparison",
    "NonNestedTest": "comparison",
    "plain_logit": "baseline",
    "cross_validate": "cross_validation",
    "goodness_of_fit": "goodness",
    "GoodnessOfFit": "goodness",
    "Likelihood": "likelihood",
    "FitFile": "fit_file",
    "fit_crisis": "crisis_signaling",
    "fit_signaling": "signaling",
    "fit_participation": "participation",
    "fit_ultimatum": "ultimatum",
    "fit_quantal_response": "quantal_response",
}

__all__ = [*_HOME]

if TYPE_CHECKING:
    from deterrence.estimation.baseline import plain_logit as plain_logit
    from deterrence.estimation.comparison import NonNestedTest as NonNestedTest
    from deterrence.estimation.comparison import clarke as clarke
    from deterrence.estimation.comparison import vuong as vuong
    from deterrence.estimation.crisis_signaling import fit_crisis as fit_crisis
    from deterrence.estimation.cross_validation import cross_validate as cross_validate
    from deterrence.estimation.fit_file import FitFile as FitFile
    from deterrence.estimation.goodness import GoodnessOfFit as GoodnessOfFit
    from deterrence.estimation.goodness import goodness_of_fit as goodness_of_fit
    from deterrence.estimation.likelihood import Likelihood as Likelihood
    from deterrence.estimation.participation import fit_participation as fit_participation
    from deterrence.estimation.quantal_response import fit_quantal_response as fit_quantal_response
    from deterrence.estimation.signaling import fit_signaling as fit_signaling
    from deterrence.estimation.ultimatum import fit_ultimatum as fit_ultimatum


if not TYPE_CHECKING:  # for a type checker every name would pass for one that is there
    __getattr__ = lazy_names(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
