"""An example of every public class, and of everything that a public function returns; made when they are asked for."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

import deterrence as dt
from deterrence.estimation.likelihood import Start
from deterrence.games.continuous import Indifferent
from tests.estimation.test_fit_file import TEXT as FIT_FILE
from tests.estimation.tree_games import SPEC, crisis, simulated
from tests.solvers.test_continuous_receiver import random_game as random_receiver_game
from tests.sweep_games import posture_game

PACKAGES = ("models", "perception", "sweeps", "plotting", "estimation")  # beside the top level


def public_names() -> Iterator[tuple[str, Any]]:
    """Yield every public name with what it stands for."""
    for name in dt.__all__:
        yield name, getattr(dt, name)
    for package in PACKAGES:
        module = importlib.import_module(f"deterrence.{package}")
        for name in module.__all__:
            yield f"{package}.{name}", getattr(module, name)


def named_classes() -> set[type]:
    """Return the classes that have a public name."""
    return {thing for _, thing in public_names() if inspect.isclass(thing)}


def public_classes() -> set[type]:
    """Return the public classes, and those that public functions, methods and properties say they return."""
    named = [thing for _, thing in public_names()]
    found = {thing for thing in named if inspect.isclass(thing)}
    callables = [thing for thing in named if inspect.isfunction(thing)]
    waiting = sorted(found, key=lambda cls: (cls.__qualname__, cls.__module__))
    for thing in callables:
        waiting += _returned(thing)
    while waiting:
        cls = waiting.pop()
        if cls in found and cls not in [c for c in named if inspect.isclass(c)]:
            continue
        found.add(cls)
        for name, member in vars(cls).items():
            function = getattr(member, "fget", None) or getattr(member, "func", None) or member
            if not name.startswith("_") and inspect.isfunction(function):
                waiting += [new for new in _returned(function) if new not in found]
    return {
        cls
        for cls in found
        if cls.__module__.startswith("deterrence")
        and not issubclass(cls, BaseException)
        and not getattr(cls, "_is_protocol", False)
        and not inspect.isabstract(cls)
    }


def _returned(function: Callable[..., Any]) -> list[type]:
    """Return the classes of the package in what a function says it returns."""
    told = str(function.__annotations__.get("return", ""))
    home = vars(sys.modules[function.__module__])
    everywhere = {
        name: thing
        for module, content in list(sys.modules.items())
        if module.startswith("deterrence") and "explorer" not in module
        for name, thing in vars(content).items()
        if inspect.isclass(thing) and thing.__module__ == module
    }
    words = re.findall(r"\b[A-Z]\w*", told)
    things = [home.get(word, everywhere.get(word)) for word in words]
    return [thing for thing in things if inspect.isclass(thing) and thing.__module__.startswith("deterrence")]


# -- examples ----------------------------------------------------------------------------------------------------------


@cache
def _beer_quiche() -> dt.SignalingGame:
    return dt.models.get("BQ").game()


def _tree(payoff: Any = 1) -> dt.ExtensiveGame:
    lottery = dt.chance({"x": (0.5, dt.end("war", A=payoff, D=-1)), "y": (0.5, dt.end(A=-2, D=0))})
    answer = dt.move("D", {"fight": lottery, "yield": dt.end("conquest", A=1, D=0)})
    return dt.ExtensiveGame(("A", "D"), dt.move("A", {"stay": dt.end("peace", A=0, D=1), "attack": answer}))


def _chicken() -> dt.StrategicGame:
    return dt.StrategicGame([[6, 2], [7, 0]], [[6, 7], [2, 0]], strategies=[["yield", "dare"]] * 2)


def _two_stages() -> dt.ExtensiveGame:
    def target(where: str, fights: int) -> Any:
        answer = {"respond": dt.end("war", A=-1, D=fights), "ignore": dt.end(A=1, D=0)}
        attack = dt.move("D", infoset=f"{where} attacked", actions=answer)
        return dt.move("A", infoset=where, actions={"hold": dt.end(A=0, D=0), "attack": attack})

    branches = {"treaty": (0.4, target("core", 1)), "none": (0.6, target("periphery", -1))}
    return dt.ExtensiveGame(("A", "D"), dt.chance(branches))


def _doubted() -> dt.ExtensiveGame:
    w = dt.symbols("w")
    answer = dt.move("D", {"fight": dt.end("war", A=-1, D=w), "yield": dt.end("conquest", A=1, D=0)})
    return dt.ExtensiveGame(("A", "D"), dt.move("A", {"refrain": dt.end("peace", A=0, D=1), "attack": answer}))


def _signals() -> Any:
    p = dt.symbols("p")
    return dt.SignalingGame(
        ("a", "b"), ("m",), ("attack", "not"), [p, 1 - p], [[[0, 1]], [[0, 1]]], [[[-1, 0]], [[1, 0]]]
    )


@cache
def _fit() -> Any:
    return dt.fit(crisis(), simulated(200, 3), outcome="outcome", utilities=SPEC)


@cache
def _game_of_scenario() -> Any:
    return dt.Scenario.load("textbook").game()


def _study() -> Any:
    from deterrence.sweeps.study import Study, _parsed

    return Study(
        _parsed('schema_version = 1\ntarget = "textbook"\n[vary]\nloss = { values = [0.5, 1.0] }\n', "s"), HERE
    )


def _ally(cost: Any, strength: Any = 4) -> Any:
    ally = dt.Member(name="ally", capability=4, stake=1, cost=cost, obligation=0.5)
    return dt.ParticipationGame(members=(ally,), attacks=(dt.Attack(name="full", strength=strength),), base=4)


def _box() -> Any:
    result = dt.sweep(_signals(), {"p": (0, 1)}, samples=256, seed=1, progress=False)
    return dt.sweeps.discover(result, lambda r: r.attack_high > 0.5)


def _marginal(x: Any, _: Any) -> Any:
    return 0.5 - x


UNIFORM = {"family": "uniform", "location": 0, "scale": 2}
HERE = importlib.import_module("pathlib").Path(__file__).parent
BELIEFS = {"truth": {"w": 0.5}, "beliefs": {"A": {"w": -0.5}}}

EXAMPLES: dict[str, Callable[[], Any]] = {
    "pbe": lambda: dt.pbe(_beer_quiche()),
    "refined": lambda: dt.pbe(_beer_quiche())[0].verdict("intuitive"),
    "exact": lambda: dt.pbe(_beer_quiche().exact()),
    "pbe of a batch": lambda: dt.pbe_batch(posture_game().at(p=np.array([0.3, 0.6]), c=0.2)),
    "spe": lambda: dt.spe(_tree()),
    "spe of a batch": lambda: dt.spe_batch(_doubted().at(w=np.array([-0.5, 0.5]))),
    "sequential": lambda: dt.sequential(_two_stages()),
    "nash": lambda: dt.nash(_chicken()),
    "correlated": lambda: dt.correlated(_chicken()),
    "qre": lambda: dt.qre(_chicken(), 2.0),
    "qre of a batch": lambda: dt.qre_batch(_doubted().at(w=np.array([-0.5, 0.5])), precision=2.0),
    "logit branches": lambda: dt.qre_branches(
        dt.StrategicGame([[2, 0], [1.2, 1.2]], [[2, 1.2], [0, 1.2]]), precision=3
    ),
    "sequence form": lambda: dt.sequence_form(_tree()),
    "regimes": lambda: dt.regimes(_signals()),
    "regimes, statics": lambda: dt.regimes(_signals()).boundaries("attack"),
    "regimes, compiled": lambda: dt.regimes(_signals()).compile(),
    "cutpoints": lambda: dt.cutpoints(dt.models.get("GGC").game()),
    "threats": lambda: dt.incredible_threats(_tree(-3), dt.nash(_tree(-3))[0]),
    "folded": lambda: dt.fold_back(_tree()),
    "subgames": lambda: dt.subgames(_tree()),
    "nodes": lambda: _two_stages().root,
    "symbolic": _doubted,
    "participation": lambda: dt.participation(_ally(dt.Distribution(**UNIFORM))),
    "participation of a batch": lambda: dt.participation_batch(
        _ally(dt.Distribution(**UNIFORM), np.array([4.0, 5.0])).stage(invoked=True)
    ),
    "level k": lambda: dt.level_k(_chicken(), level=1),
    "cursed": lambda: dt.cursed(_beer_quiche(), chi=0.5),
    "cursed offer": lambda: dt.cursed_offer(1.5, 1.0),
    "analogy": lambda: dt.analogy_based(_two_stages(), classes={"A": [["core attacked", "periphery attacked"]]}),
    "self-confirming": lambda: dt.self_confirming(_tree()),
    "Berk-Nash": lambda: dt.berk_nash(utility=[[1.0, 0.0], [0.0, 1.0]], divergence=[[0.2, 0.0], [0.0, 0.2]]),
    "subjective": lambda: dt.subjective(_doubted(), **BELIEFS),
    "surprise": lambda: dt.subjective(_doubted(), **BELIEFS).surprise,
    "subjective, level k": lambda: dt.subjective(_doubted(), **BELIEFS, concept="level 1"),
    "subjective, batch": lambda: dt.subjective(
        _doubted(), truth={"w": 0.5}, beliefs={"A": {"w": np.array([-0.5, 0.5])}}
    ),
    "compare": lambda: dt.compare(_signals(), {"p": 0.1}, ["pbe", "level 1"], event="attack"),
    "observation": lambda: dt.perception.observe([0.4, 0.6], [[0.8, 0.2], [0.3, 0.7]], [[0, -1], [0, 1]]),
    "watching": lambda: dt.perception.watch(0.4, (-1.0, 1.0), [[0.8, 0.2], [0.3, 0.7]], cost=0.0, horizon=1),
    "detection": lambda: dt.perception.signal_detection(0.4, 0.5, 1.0),
    "warning threshold": lambda: dt.perception.warning_threshold(0.2, 5, 1, 1.5),
    "mobilisation": lambda: dt.perception.mobilisation(0.4, 0.5, 0.8, 0.3),
    "collective defence": _game_of_scenario,
    "response": lambda: _game_of_scenario().response(),
    "aggressor's choice": lambda: _game_of_scenario().aggressor_choice(),
    "attack probabilities": lambda: _game_of_scenario().attack_probabilities(),
    "scenario": lambda: dt.Scenario.load("baltic-2017"),
    "assessment": lambda: dt.Scenario.load("textbook").assess(),
    "assessment with draws": lambda: dt.Scenario.load("baltic-2024").assess(draws=8, seed=1),
    "decision": lambda: dt.Scenario.load("baltic-2024").decide(draws=8, seed=1, most=8),
    "table of options": lambda: made("decision").option_table(),
    "copula": lambda: made("assessment with draws").uncertainty,
    "continuous receiver": lambda: random_receiver_game(1),
    "scenarios compared": lambda: dt.compare_scenarios("textbook", "textbook", draws=4),
    "answers of a scenario": lambda: dt.Scenario.load("textbook").answer({"loss": np.array([0.5, 1.0])}),
    "model": lambda: dt.models.get("ALSIG"),
    "answers of a model": lambda: dt.models.get("ALSIG").answer({"rho": np.array([0.5]), "k": np.array([0.2])}),
    "catalogue": dt.models.catalogue,
    "ultimatum": lambda: dt.UltimatumGame(largest=1.0),
    "grid": lambda: dt.sweeps.Grid({"p": [0.0, 0.5], "k": [1.0]}),
    "part of a grid": lambda: dt.sweeps.Grid({"p": [0.0, 0.5], "k": [1.0]}).part(0, 1),
    "sample": lambda: dt.sweeps.sobol({"p": (0, 1)}, 4, seed=1),
    "part of a sample": lambda: dt.sweeps.sobol({"p": (0, 1)}, 4, seed=1).part(0, 2),
    "sweep": lambda: dt.sweep(_signals(), {"p": [0.2, 0.7]}, progress=False),
    "boxes": _box,
    "phases": lambda: dt.sweeps.phase_boundaries(_signals(), {"p": (0, 1)}, level=0.5, tol=1e-3),
    "study": _study,
    "stage of posture": lambda: dt.PostureStage(
        types=(dt.AllianceType(name="firm", probability=0.4), dt.AllianceType(name="soft", probability=0.6)),
        postures=(dt.Posture(name="words"), dt.Posture(name="troops", cost=0.1, forward={"north": np.array([1.0])})),
        quantiles=3,
    ),
    "target, shock, automation": lambda: (
        dt.Target(stake=1.0, cost=dt.Distribution(**UNIFORM)),
        dt.CommonShock(correlation=0.2, nodes=2),
        dt.Automation(),
    ),
    "stage of participation": lambda: _ally(dt.Distribution(**UNIFORM)).stage(invoked=True),
    "invocation": lambda: _ally(dt.Distribution(**UNIFORM)).invocation(),
    "parameters": lambda: [dt.models.get(id).parameters for id in ("ALSIG", "OZ", "GGC")],
    "variants": lambda: dt.models.get("ALSIG").variants,
    "continuous game": lambda: dt.ContinuousGame(("A",), {"effort": Indifferent(_marginal, 0.0, 1.0)}),
    "fit file": lambda: dt.estimation.FitFile.loads(FIT_FILE),
    "estimate": lambda: _fit().parameter(_fit().names[0]),
    "start of a search": lambda: Start("given", np.array([0.5, np.nan])),
    "picture": lambda: dt.draw(_tree()),
    "fit": _fit,
    "goodness of fit": lambda: dt.estimation.goodness_of_fit(_fit()),
    "tests of models": lambda: dt.estimation.vuong(_fit(), dt.estimation.plain_logit(_fit())),
    "penalty": lambda: dt.Penalty("cauchy"),
}


def contents(thing: Any) -> Iterator[Any]:
    """Yield a thing and everything that it holds, each once."""
    from deterrence.games.values import parts_of

    waiting, met = [thing], {}
    while waiting:
        part = waiting.pop()
        if id(part) in met:
            continue
        met[id(part)] = part
        yield part
        waiting += parts_of(part)


@cache
def made(name: str) -> Any:
    """Return an example by name, made once."""
    return EXAMPLES[name]()


@cache
def examples() -> dict[type, list[Any]]:
    """Return an example of each class that the examples hold."""
    found: dict[type, list[Any]] = {}
    for name in EXAMPLES:
        for part in contents(made(name)):
            if type(part).__module__.startswith("deterrence"):
                found.setdefault(type(part), []).append(part)
    return {cls: things[:3] for cls, things in found.items()}
