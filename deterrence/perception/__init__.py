"""Players who are wrong about the game, and the solution concepts of such players.

The concepts (``subjective``, ``cursed``, ``level_k``, ...) are at the top level. Handed on here is the rest, each name
imported when it is first used: how players learn from noisy signals, and the parts of a Berk-Nash equilibrium.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deterrence.games.lazy_names import lazy_names
from deterrence.solvers.concepts import Concept, register

_HOME = {
    "combined_sensitivity": "detection",
    "divergences": "berk_nash",
    "fixed_models": "berk_nash",
    "mobilisation": "indicators",
    "most_dangerous_signal": "detection",
    "observe": "indicators",
    "signal_detection": "detection",
    "statements": "indicators",
    "warning_threshold": "detection",
    "watch": "watching",
}

__all__ = [*_HOME]

if TYPE_CHECKING:
    from deterrence.perception.berk_nash import divergences as divergences
    from deterrence.perception.berk_nash import fixed_models as fixed_models
    from deterrence.perception.detection import combined_sensitivity as combined_sensitivity
    from deterrence.perception.detection import most_dangerous_signal as most_dangerous_signal
    from deterrence.perception.detection import signal_detection as signal_detection
    from deterrence.perception.detection import warning_threshold as warning_threshold
    from deterrence.perception.indicators import mobilisation as mobilisation
    from deterrence.perception.indicators import observe as observe
    from deterrence.perception.indicators import statements as statements
    from deterrence.perception.watching import watch as watch

if not TYPE_CHECKING:  # for a type checker every name would pass for one that is there
    __getattr__ = lazy_names(__name__, _HOME)

_FORMS = ("SignalingGame", "ExtensiveGame", "StrategicGame")

register(
    Concept(
        name="cursed",
        function="deterrence.perception.cursed:cursed",
        forms=("SignalingGame", "ExtensiveGame"),
        aliases=("cursed sequential",),
        number="chi",
        needed=True,
    ),
    Concept(
        name="analogy based",
        function="deterrence.perception.analogy:analogy_based",
        forms=_FORMS,
        aliases=("analogy based expectation",),
    ),
    Concept(
        name="self confirming",
        function="deterrence.perception.self_confirming:self_confirming",
        forms=_FORMS,
    ),
    Concept(
        name="level",
        function="deterrence.perception.levels:level_k",
        forms=_FORMS,
        aliases=("level k",),
        number="level",
        needed=True,
        whole=True,
    ),
    Concept(
        name="cognitive hierarchy",
        function="deterrence.perception.levels:cognitive_hierarchy",
        forms=_FORMS,
        aliases=("ch",),
        number="tau",
        needed=True,
    ),
)


def __dir__() -> list[str]:
    return sorted(__all__)
