"""Deterrence as game theory: commitments, perceived resolve, and the likelihood of attack.

Write a game (``move``, ``chance``, ``end``, ``SignalingGame``) or load a scenario (``Scenario.load``), solve it
(``pbe``, ``spe``, ``sequential``, ``nash``, ``qre``), ask for the probability of an event, and sweep over parameters.
Every name is imported when it is first used, so that ``import deterrence`` costs next to nothing.
"""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any

import deterrence.alliances
import deterrence.perception  # noqa: F401
from deterrence.games.lazy_names import lazy_names
from deterrence.games.services import provide

__version__ = "0.2.0"

_HOME = {
    "symbols": "games.quantities",
    "chance": "games.tree",
    "move": "games.tree",
    "end": "games.tree",
    "ExtensiveGame": "games.extensive",
    "SignalingGame": "games.signaling",
    "StrategicGame": "games.strategic",
    "ContinuousGame": "games.continuous",
    "UltimatumGame": "games.ultimatum",
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
    "pbe_batch": "solvers.pbe_batch",
    "spe": "solvers.spe",
    "spe_batch": "solvers.spe",
    "sequential": "solvers.sequential",
    "nash": "solvers.nash",
    "correlated": "solvers.correlated",
    "CorrelatedEquilibrium": "solvers.correlated",
    "qre": "solvers.qre",
    "qre_branch": "solvers.qre_branches",
    "qre_branches": "solvers.qre_branches",
    "qre_batch": "solvers.qre",
    "sequence_form": "solvers.sequence_form",
    "cutpoints": "solvers.cutpoints",
    "incredible_threats": "solvers.trees.threats",
    "participation": "alliances.solving.participation",
    "verify": "solvers.verify",
    "set_engine": "solvers.engine",
    "regimes": "solvers.regimes",
    "participation_batch": "alliances.solving.batch",
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
    "compare": "perception.compare",
    "Model": "models.model",
    "CollectiveDefence": "alliances.collective_defence",
    "Treaty": "alliances.treaty",
    "InvocationRule": "alliances.treaty",
    "Aggressor": "alliances.aggressor",
    "AttackOption": "alliances.attacks",
    "Target": "alliances.target",
    "Posture": "alliances.posture",
    "PostureStage": "alliances.posture",
    "AllianceType": "alliances.posture",
    "Support": "alliances.members",
    "CommonShock": "alliances.shocks",
    "Automation": "alliances.warning",
    "Scenario": "alliances.scenarios.scenario",
    "Assessment": "alliances.scenarios.assessment",
    "Decision": "alliances.scenarios.decision",
    "compare_scenarios": "alliances.scenarios.comparison",
    "sweep": "sweeps.sweep",
    "attack_curve": "plotting.scenario_curve",
    "explore": "explorer.explorer",
    "fit": "estimation.fit",
    "Fit": "estimation.result",
    "Penalty": "estimation.penalties",
}

_PACKAGES = ("models", "perception", "sweeps", "plotting", "estimation")

_MOVED = {  # names that the top level had before version 0.2; kept for one release
    "observe": "perception",
    "watch": "perception",
    "statements": "perception",
    "divergences": "perception",
    "fixed_models": "perception",
    "most_dangerous_signal": "perception",
    "combined_sensitivity": "perception",
    "warning_threshold": "perception",
    "mobilisation": "perception",
    "signal_detection": "perception",
}

__all__ = [*_HOME, *_PACKAGES]

if TYPE_CHECKING:  # what type checkers check and editors complete; at run time a name is imported when it is first used
    from deterrence import estimation as estimation
    from deterrence import models as models
    from deterrence import perception as perception
    from deterrence import plotting as plotting
    from deterrence import sweeps as sweeps
    from deterrence.alliances.aggressor import Aggressor as Aggressor
    from deterrence.alliances.attacks import Attack as Attack
    from deterrence.alliances.attacks import AttackOption as AttackOption
    from deterrence.alliances.collective_defence import CollectiveDefence as CollectiveDefence
    from deterrence.alliances.members import Member as Member
    from deterrence.alliances.members import Support as Support
    from deterrence.alliances.participation import ParticipationGame as ParticipationGame
    from deterrence.alliances.posture import AllianceType as AllianceType
    from deterrence.alliances.posture import Posture as Posture
    from deterrence.alliances.posture import PostureStage as PostureStage
    from deterrence.alliances.scenarios.assessment import Assessment as Assessment
    from deterrence.alliances.scenarios.comparison import compare_scenarios as compare_scenarios
    from deterrence.alliances.scenarios.decision import Decision as Decision
    from deterrence.alliances.scenarios.scenario import Scenario as Scenario
    from deterrence.alliances.shocks import CommonShock as CommonShock
    from deterrence.alliances.solving.batch import participation_batch as participation_batch
    from deterrence.alliances.solving.participation import participation as participation
    from deterrence.alliances.target import Target as Target
    from deterrence.alliances.treaty import InvocationRule as InvocationRule
    from deterrence.alliances.treaty import Treaty as Treaty
    from deterrence.alliances.warning import Automation as Automation
    from deterrence.estimation.fit import fit as fit
    from deterrence.estimation.penalties import Penalty as Penalty
    from deterrence.estimation.result import Fit as Fit
    from deterrence.explorer.explorer import explore as explore
    from deterrence.games.batch import BatchEquilibria as BatchEquilibria
    from deterrence.games.behavior import BehaviorProfile as BehaviorProfile
    from deterrence.games.continuous import ContinuousGame as ContinuousGame
    from deterrence.games.distributions import Distribution as Distribution
    from deterrence.games.equilibrium import Certificate as Certificate
    from deterrence.games.equilibrium import Equilibrium as Equilibrium
    from deterrence.games.equilibrium import EquilibriumSet as EquilibriumSet
    from deterrence.games.errors import GameError as GameError
    from deterrence.games.errors import ParameterError as ParameterError
    from deterrence.games.errors import ScenarioError as ScenarioError
    from deterrence.games.errors import SolverError as SolverError
    from deterrence.games.extensive import ExtensiveGame as ExtensiveGame
    from deterrence.games.forms.folding import fold_back as fold_back
    from deterrence.games.forms.folding import prune_dominated as prune_dominated
    from deterrence.games.forms.subgames import subgames as subgames
    from deterrence.games.gambit.efg import read_efg as read_efg
    from deterrence.games.gambit.efg import write_efg as write_efg
    from deterrence.games.gambit.nfg import read_nfg as read_nfg
    from deterrence.games.gambit.nfg import write_nfg as write_nfg
    from deterrence.games.parameters import Parameter as Parameter
    from deterrence.games.quantities import symbols as symbols
    from deterrence.games.signaling import SignalingGame as SignalingGame
    from deterrence.games.signaling_profile import SignalingProfile as SignalingProfile
    from deterrence.games.strategic import MixedProfile as MixedProfile
    from deterrence.games.strategic import StrategicGame as StrategicGame
    from deterrence.games.tree import chance as chance
    from deterrence.games.tree import end as end
    from deterrence.games.tree import move as move
    from deterrence.games.ultimatum import UltimatumGame as UltimatumGame
    from deterrence.models.model import Model as Model
    from deterrence.perception.analogy import analogy_based as analogy_based
    from deterrence.perception.berk_nash import berk_nash as berk_nash
    from deterrence.perception.compare import compare as compare
    from deterrence.perception.cursed import cursed as cursed
    from deterrence.perception.cursed import cursed_offer as cursed_offer
    from deterrence.perception.grids import SubjectiveGrid as SubjectiveGrid
    from deterrence.perception.levels import cognitive_hierarchy as cognitive_hierarchy
    from deterrence.perception.levels import level_k as level_k
    from deterrence.perception.outcome import SubjectiveOutcome as SubjectiveOutcome
    from deterrence.perception.priors import heterogeneous_priors as heterogeneous_priors
    from deterrence.perception.self_confirming import self_confirming as self_confirming
    from deterrence.perception.subjective import subjective as subjective
    from deterrence.plotting.belief_simplex import belief_simplex as belief_simplex
    from deterrence.plotting.picture import Picture as Picture
    from deterrence.plotting.picture import draw as draw
    from deterrence.plotting.picture import save_picture as save_picture
    from deterrence.plotting.scenario_curve import attack_curve as attack_curve
    from deterrence.solvers.correlated import CorrelatedEquilibrium as CorrelatedEquilibrium
    from deterrence.solvers.correlated import correlated as correlated
    from deterrence.solvers.cutpoints import cutpoints as cutpoints
    from deterrence.solvers.engine import set_engine as set_engine
    from deterrence.solvers.nash import nash as nash
    from deterrence.solvers.pbe import pbe as pbe
    from deterrence.solvers.pbe_batch import pbe_batch as pbe_batch
    from deterrence.solvers.qre import qre as qre
    from deterrence.solvers.qre import qre_batch as qre_batch
    from deterrence.solvers.qre_branches import qre_branch as qre_branch
    from deterrence.solvers.qre_branches import qre_branches as qre_branches
    from deterrence.solvers.regimes import regimes as regimes
    from deterrence.solvers.sequence_form import sequence_form as sequence_form
    from deterrence.solvers.sequential import sequential as sequential
    from deterrence.solvers.spe import spe as spe
    from deterrence.solvers.spe import spe_batch as spe_batch
    from deterrence.solvers.trees.threats import incredible_threats as incredible_threats
    from deterrence.solvers.verify import verify as verify
    from deterrence.sweeps.sweep import sweep as sweep

provide(  # what lower layers ask of higher ones
    {
        "draw": "deterrence.plotting.picture:draw",
        "logit branch": "deterrence.solvers.qre_branches:qre_branch",
        "attack curve": "deterrence.plotting.scenario_curve:attack_curve",
        "uncertainty plot": "deterrence.plotting.uncertainty_charts:uncertainty_plot",
        "decision plot": "deterrence.plotting.decision_charts:decision_plot",
        "sweep": "deterrence.sweeps.sweep:sweep",
        "processes": "deterrence.sweeps.pools:SpawnPool",
        "progress": "deterrence.sweeps.progress:Progress",
        "coefficient plot": "deterrence.plotting.estimates:coefficient_plot",
        "prediction plot": "deterrence.plotting.estimates:prediction_plot",
        "to signaling": "deterrence.games.forms.signaling_tree:to_signaling",
        "to strategic": "deterrence.games.forms.strategic_tree:to_strategic",
        "signaling to tree": "deterrence.games.forms.signaling_tree:signaling_to_tree",
    }
)


if not TYPE_CHECKING:  # for a type checker every name would pass for one that is there
    _of_today = lazy_names(__name__, {**_HOME, **{name: name for name in _PACKAGES}})

    def __getattr__(name: str) -> Any:
        if name not in _MOVED:
            return _of_today(name)
        package = _MOVED[name]
        warnings.warn(
            f"dt.{name} is now dt.{package}.{name}; the old name goes with version 0.3",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(importlib.import_module(f"{__name__}.{package}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
