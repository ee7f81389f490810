"""Players who are wrong about the game, and the solution concepts of such players."""

from __future__ import annotations

from deterrence.solvers.concepts import Concept, register

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
