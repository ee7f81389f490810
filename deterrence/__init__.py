"""Deterrence as game theory: commitments, perceived resolve, and the likelihood of attack.

Write a game (``move``, ``chance``, ``end``, ``SignalingGame``) or load a scenario (``Scenario.load``), solve it
(``pbe``, ``spe``, ``sequential``, ``nash``, ``qre``), ask for the probability of an event, and sweep over parameters.
Every name is imported when it is first used, so that ``import deterrence`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

import deterrence.alliances
import deterrence.perception  # noqa: F401
from deterrence.games.errors import did_you_mean
from deterrence.games.services import provide

__version__ = "0.1.0"

_HOME = {
    "symbols": "games.quantities",
    "chance": "games.tree",
    "move": "games.tree",
    "end": "games.tree",
    "ExtensiveGame": "games.extensive",
    "SignalingGame": "games.signaling",
    "StrategicGame": "games.strategic",
    "ParticipationGame": "alliances.participation",
    "Member": "alliances.members",
    "Attack": "alliances.attacks",
    "Distribution": "games.distributions",
    "Parameter": "games.parameters",
    "GameError": "games.errors",
    "ParameterError": "games.errors",
    "ScenarioError": "games.errors",
    "SolverError": "games.errors",
    "Certificate": "games.equilibrium",
    "Equilibrium": "games.equilibrium",
    "EquilibriumSet": "games.equilibrium",
    "BatchEquilibria": "games.batch",
    "SignalingProfile": "games.signaling_profile",
    "BehaviorProfile": "games.behavior",
    "MixedProfile": "games.strategic",
    "fold_back": "games.forms.folding",
    "prune_dominated": "games.forms.folding",
    "subgames": "games.forms.subgames",
    "read_efg": "games.gambit.efg",
    "write_efg": "games.gambit.efg",
    "read_nfg": "games.gambit.nfg",
    "write_nfg": "games.gambit.nfg",
    "draw": "plotting.picture",
    "save_picture": "plotting.picture",
    "Picture": "plotting.picture",
    "belief_simplex": "plotting.belief_simplex",
    "pbe": "solvers.pbe",
    "spe": "solvers.spe",
    "spe_batch": "solvers.spe",
    "sequential": "solvers.sequential",
    "nash": "solvers.nash",
    "qre": "solvers.qre",
    "qre_branch": "solvers.qre_branches",
    "qre_branches": "solvers.qre_branches",
    "qre_batch": "solvers.qre",
    "sequence_form": "solvers.sequence_form",
    "incredible_threats": "solvers.trees.threats",
    "participation": "alliances.solving.participation",
    "verify": "solvers.verify",
    "regimes": "solvers.regimes",
    "participation_batch": "alliances.solving.participation",
    "subjective": "perception.subjective",
    "SubjectiveOutcome": "perception.outcome",
    "SubjectiveGrid": "perception.grids",
    "heterogeneous_priors": "perception.priors",
    "cursed": "perception.cursed",
    "cursed_offer": "perception.cursed",
    "analogy_based": "perception.analogy",
    "level_k": "perception.levels",
    "cognitive_hierarchy": "perception.levels",
    "self_confirming": "perception.self_confirming",
    "berk_nash": "perception.berk_nash",
    "divergences": "perception.berk_nash",
    "fixed_models": "perception.berk_nash",
    "signal_detection": "perception.signal_detection",
    "most_dangerous_signal": "perception.signal_detection",
    "combined_sensitivity": "perception.signal_detection",
    "warning_threshold": "perception.signal_detection",
    "observe": "perception.indicators",
    "mobilisation": "perception.indicators",
    "statements": "perception.indicators",
    "watch": "perception.watching",
    "compare": "perception.compare",
    "Model": "models.model",
    "CollectiveDefence": "alliances.collective_defence",
    "Scenario": "alliances.scenarios.scenario",
    "Assessment": "alliances.scenarios.assessment",
    "compare_scenarios": "alliances.scenarios.comparison",
    "sweep": "sweeps.sweep",
    "attack_curve": "plotting.scenario_curve",
    "explore": "explorer.explorer",
}

_PACKAGES = ("models", "perception", "sweeps", "plotting")

__all__ = [*_HOME, *_PACKAGES]

provide(  # what lower layers ask of higher ones
    {
        "draw": "deterrence.plotting.picture:draw",
        "attack curve": "deterrence.plotting.scenario_curve:attack_curve",
        "sweep": "deterrence.sweeps.sweep:sweep",
        "to signaling": "deterrence.games.forms.signaling_tree:to_signaling",
        "to strategic": "deterrence.games.forms.strategic_tree:to_strategic",
        "signaling to tree": "deterrence.games.forms.signaling_tree:signaling_to_tree",
    }
)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"deterrence.{_HOME[name]}"), name)
    elif name in _PACKAGES:
        value = importlib.import_module(f"deterrence.{name}")
    else:
        hint = did_you_mean(name, __all__)
        raise AttributeError(f"module 'deterrence' has no attribute {name!r}{hint}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
