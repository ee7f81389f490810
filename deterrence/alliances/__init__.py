"""The collective-defence model: its game, the response of allies, scenario files, assessment."""

from __future__ import annotations

from deterrence.solvers.concepts import Concept, register

register(
    Concept(
        name="participation",
        function="deterrence.alliances.solving.participation:participation",
        forms=("ParticipationGame",),
    )
)
