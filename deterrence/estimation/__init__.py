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
}

__all__ = [*_HOME]

if TYPE_CHECKING:
    from deterrence.estimation.baseline import plain_logit as plain_logit
    from deterrence.estimation.comparison import NonNestedTest as NonNestedTest
    from deterrence.estimation.comparison import clarke as clarke
    from deterrence.estimation.comparison import vuong as vuong
    from deterrence.estimation.cross_validation import cross_validate as cross_validate
    from deterrence.estimation.fit_file import FitFile as FitFile
    from deterrence.estimation.goodness import GoodnessOfFit as GoodnessOfFit
    from deterrence.estimation.goodness import goodness_of_fit as goodness_of_fit
    from deterrence.estimation.likelihood import Likelihood as Likelihood


if not TYPE_CHECKING:  # for a type checker every name would pass for one that is there
    __getattr__ = lazy_names(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
