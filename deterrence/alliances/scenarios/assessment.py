"""The assessment of a scenario: how likely is an attack, what would it meet, and which assumption drives the answer."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.collective_defence import CollectiveDefence
from deterrence.alliances.posture import Lesson
from deterrence.alliances.response import Response
from deterrence.alliances.scenarios.assessment_text import report, words
from deterrence.alliances.scenarios.horizon import Period, period_of
from deterrence.alliances.scenarios.sensitivity import (
    ParameterSensitivity,
    driving_parameters,
    one_at_a_time_sensitivity,
)
from deterrence.alliances.scenarios.uncertainty import (
    DRAWS,
    Uncertainty,
    check_draws,
    draw_uncertainty,
    nothing_uncertain,
    uncertain_numbers,
)
from deterrence.files import require_free, whole_file
from deterrence.games.display import Display
from deterrence.games.errors import GameError, ScenarioError
from deterrence.games.renaming import RenamedKeys, renamed_attributes
from deterrence.games.services import service
from deterrence.games.values import Value

if TYPE_CHECKING:
    from deterrence.alliances.scenarios.scenario import Scenario

Floats = NDArray[np.float64]
Range = tuple[float, float]

SHOWN_REFINEMENTS = ("intuitive", "d1")

LEVEL = 0.5  # likelihood of attack that a tipping point crosses


@dataclass(frozen=True, slots=True)
class AttackView:
    """What the assessment says of one kind of attack; pairs are the lowest and highest value over equilibria.

    Attributes
    ----------
    name : str
    likelihood : pair of float
        Probability that it is chosen.
    invoked, perceived_invoked : float
        Probability that the treaty is invoked after it, as it is and as the aggressor sees it.
    resists : pair of float
        Probability that the target resists; of an attack in steps, that some step of it is answered.
    holds, perceived_holds : pair of float
        Probability that the defence holds, as it is and as the aggressor sees it: true and perceived resolve.
    strength, perceived_strength : pair of float
        Expected assisting strength, likewise, in units of strength.
    somebody : pair of float
        Probability that at least one member comes.
    """

    name: str
    likelihood: Range
    invoked: float
    perceived_invoked: float
    resists: Range
    holds: Range
    perceived_holds: Range
    strength: Range
    perceived_strength: Range
    somebody: Range


@dataclass(frozen=True, slots=True)
class MemberView:
    """What the assessment says of one member.

    Attributes
    ----------
    name : str
    days, all_days : float
        Until its first and its last units can be there once the treaty is invoked: delay, consultation and the mean
        time to agree; then lift.
    comes, perceived_comes : mapping of str to pair of float
        Probability that it assists, by kind of attack, as it is and as the aggressor sees it.
    """

    name: str
    days: float
    all_days: float
    comes: Mapping[str, Range]
    perceived_comes: Mapping[str, Range]


@dataclass(frozen=True, slots=True)
class PostureView:
    """What the assessment says of one equilibrium of the posture stage.

    Attributes
    ----------
    kind : str
        ``"separating"``, ``"pooling on battlegroups"``, ...
    likelihood : pair of float
        Likelihood of attack.
    survives : mapping of str to bool
        By refinement: whether it survives D1 and the intuitive criterion. Empty where that is not decided.
    lessons : tuple of Lesson
        What the aggressor learns from each posture that is taken.
    supporting : mapping of str to tuple of pair of float
        By posture that is not taken: the beliefs that keep both types from it, as intervals of the probability of the
        first type.
    """

    kind: str
    likelihood: Range
    survives: Mapping[str, bool]
    lessons: tuple[Lesson, ...]
    supporting: Mapping[str, tuple[Range, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, fit for JSON."""
        return {
            "kind": self.kind,
            "likelihood_of_attack": list(self.likelihood),
            "survives": dict(self.survives),
            "learned": [
                {"posture": one.posture, "probability": one.probability, "belief": dict(one.belief),
                 "perceived_defence_holds": dict(one.holds)}
                for one in self.lessons
            ],
            "beliefs_off_the_path": {name: [list(pair) for pair in some] for name, some in self.supporting.items()},
        }  # fmt: skip


@renamed_attributes(likelihood_if_seen_rightly="likelihood_correct_beliefs", turns="sensitivities")
@dataclass(frozen=True, eq=False)
class Assessment(Display, Value):
    """The answer to "how likely is an attack, and what drives it?".

    Attributes
    ----------
    scenario : Scenario
    likelihood : pair of float
        Lowest and highest likelihood of attack over equilibria, at the aggressor's perception; with a posture stage,
        over the perfect Bayesian equilibria of it.
    likelihood_correct_beliefs : pair of float
        The same if the aggressor perceived what is true.
    regretted_attack : pair of float
        Probability of an attack whose true payoff to the aggressor is below that of refraining.
    unwanted_war : pair of float
        Probability of a regretted attack that the target resists.
    conquest_without_fight : pair of float
        Probability of an attack that nobody answers: the target yields, or no step of it is seen as one.
    false_alarm : pair of float
        Probability that nobody attacks and the treaty is invoked even so, after an incident.
    false_alarm_strength : pair of float
        Strength expected to act against an aggressor that refrains.
    attacks : tuple of AttackView
    members : tuple of MemberView
    sensitivities : tuple of ParameterSensitivity
        One-at-a-time sensitivity to each parameter, steepest first.
    postures : tuple of (str, float, float)
        With a posture stage: kind of each equilibrium and its lowest and highest likelihood of attack.
    posture_views : tuple of PostureView
        What there is to say of each of these: which refinements it survives, and what the aggressor learns.
    complete : bool
        Whether every equilibrium of the response is proven to be known.
    error : float
        Bound on the numerical error of the probabilities that the defence holds.
    level : float
        The likelihood of attack whose crossing is a tipping point: one half.
    draws : int
        Draws of the uncertain numbers; 0 for an assessment at the file's own numbers alone.
    seed : int
        Of the draws.
    """

    scenario: Scenario = field(repr=False)
    likelihood: Range
    likelihood_correct_beliefs: Range
    regretted_attack: Range
    unwanted_war: Range
    conquest_without_fight: Range
    false_alarm: Range
    false_alarm_strength: Range
    attacks: tuple[AttackView, ...]
    members: tuple[MemberView, ...]
    sensitivities: tuple[ParameterSensitivity, ...]
    postures: tuple[tuple[str, float, float], ...]
    posture_views: tuple[PostureView, ...]
    complete: bool
    error: float
    level: float = LEVEL
    draws: int = 0
    seed: int = 0

    @cached_property
    def uncertainty(self) -> Uncertainty | None:
        """The likelihood over draws of the uncertain numbers, made when it is first asked for; None without draws."""
        return draw_uncertainty(self.scenario, draws=self.draws, seed=self.seed) if self.draws else None

    @cached_property
    def period(self) -> Period | None:
        """The probability of attack over the scenario's ``[horizon]``; None without one."""
        return period_of(self.scenario, self.likelihood, self.uncertainty)

    @property
    def tipping_points(self) -> tuple[ParameterSensitivity, ...]:
        """The parameters that alone can tip the answer, by distance to the threshold (a share of the range).

        A parameter tips it if the likelihood of attack crosses one half, or at an existence threshold of the deterrence
        equilibrium, beyond which it is never below.
        """
        return tuple(
            sorted((t for t in self.sensitivities if t.nearest is not None), key=lambda t: t.distance_to_threshold)
        )

    @property
    def elasticities(self) -> tuple[ParameterSensitivity, ...]:
        """Sensitivities with an elasticity of the likelihood of attack, the largest in absolute value first."""
        known = [t for t in self.sensitivities if np.isfinite(t.elasticity)]
        return tuple(sorted(known, key=lambda t: -abs(t.elasticity)))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, fit for JSON."""
        data = {
            "scenario": self.scenario.name,
            "title": self.scenario.title,
            "likelihood_of_attack": list(self.likelihood),
            "likelihood_correct_beliefs": list(self.likelihood_correct_beliefs),
            "regretted_attack": list(self.regretted_attack),
            "unwanted_war": list(self.unwanted_war),
            "conquest_without_fight": list(self.conquest_without_fight),
            "false_alarm": list(self.false_alarm),
            "false_alarm_strength": list(self.false_alarm_strength),
            "attacks": [
                {
                    "name": a.name,
                    "likelihood": list(a.likelihood),
                    "invoked": a.invoked,
                    "perceived_invoked": a.perceived_invoked,
                    "target_resists": list(a.resists),
                    "defence_holds": list(a.holds),
                    "perceived_defence_holds": list(a.perceived_holds),
                    "assisting_strength": list(a.strength),
                    "perceived_assisting_strength": list(a.perceived_strength),
                    "somebody_comes": list(a.somebody),
                }
                for a in self.attacks
            ],
            "members": [
                {
                    "name": m.name,
                    "days": m.days,
                    "all_days": m.all_days,
                    "comes": {k: list(v) for k, v in m.comes.items()},
                    "perceived_comes": {k: list(v) for k, v in m.perceived_comes.items()},
                }
                for m in self.members
            ],
            "parameters": [t.to_dict() for t in self.sensitivities],
            "postures": [view.to_dict() for view in self.posture_views],
            "complete": self.complete,
            "numerical_error": self.error,
            **({} if self.period is None else {"period": self.period.to_dict()}),
            "uncertainty": None if self.uncertainty is None else self.uncertainty.to_dict(),
            "in_words": self.in_words(),
        }
        old = {"dials": "parameters", "likelihood_if_seen_rightly": "likelihood_correct_beliefs"}
        return RenamedKeys(data, "Assessment.to_dict()", **old)

    def in_words(self) -> str:
        """Return a paragraph in plain words, built from the numbers."""
        return words(self)

    def to_markdown(self) -> str:
        """Return the assessment as Markdown."""
        return report(self).markdown()

    def to_html(self) -> str:
        """Return the assessment as an HTML fragment; every label is escaped."""
        return report(self).html()

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return report(self).text()

    def figure(self, stem: str | Path, *, overwrite: bool = False) -> tuple[Path, Path]:
        """Draw the likelihood of attack against perceived resolve; return the paths ``stem.png`` and ``stem.svg``.

        Raises
        ------
        ScenarioError
            If the folder does not exist.
        FileExistsError
            If one of the files exists and ``overwrite`` is false.
        """
        paths = figure_paths(stem, overwrite=overwrite)
        drawn = service("attack curve")(self.scenario).figure
        for path in paths:
            with whole_file(path, overwrite=overwrite) as unfinished:
                drawn.savefig(unfinished, dpi=160)
        return paths


def assess(scenario: Scenario, *, draws: int | None = None, seed: int = 0, uncertainty: bool = True) -> Assessment:
    """Return the assessment of a scenario; see ``Scenario.assess``."""
    drawn = _draws(scenario, draws, seed) if uncertainty else 0
    game = scenario.game()
    plays = _plays(game)
    found = game.attack_probabilities()
    right = _seen_rightly(game).attack_probabilities()
    sensitivities = one_at_a_time_sensitivity(scenario, driving_parameters(scenario), LEVEL)
    calm = 1 - np.asarray(found.likelihood)
    mistaken = game.false_invocation()
    views = posture_views(game)
    return Assessment(
        scenario=scenario,
        likelihood=_range(found.likelihood),
        likelihood_correct_beliefs=_range(right.likelihood),
        regretted_attack=_both(game.regret_probability),
        unwanted_war=_both(game.unwanted_war_probability),
        conquest_without_fight=_both(game.conquest_without_fight),
        false_alarm=_range((calm[0] * mistaken, calm[1] * mistaken)),
        false_alarm_strength=_both(game.false_alarm_response),
        attacks=attack_views(game),
        members=_member_views(game, plays),
        sensitivities=tuple(sorted(sensitivities, key=lambda t: -abs(t.slope))),
        postures=tuple((view.kind, *view.likelihood) for view in views),
        posture_views=views,
        complete=_all_known(game, plays),
        error=max(response.error for play in plays for response in play.both),
        draws=drawn,
        seed=seed,
    )


@dataclass(frozen=True, eq=False)
class _Play:
    """What happens and what the aggressor expects, and which ends of these responses count, by kind of attack."""

    truth: Response
    seen: Response
    ends: Sequence[tuple[int, ...]]

    @property
    def both(self) -> tuple[Response, Response]:
        return self.truth, self.seen


def _plays(game: CollectiveDefence) -> list[_Play]:
    """Return what happens and what is expected: once, or in each equilibrium of a posture stage."""
    if game.posture is None:
        return [_Play(game.response(), game.perceived_response(), [(0, 1)] * len(game.attacks))]
    return [_Play(one.truth, one.seen, [(k,) for k in one.pick]) for one in game.posture_plays()]


def _all_known(game: CollectiveDefence, plays: Sequence[_Play]) -> bool:
    """Return whether every equilibrium is proven to be known."""
    if game.posture is None:
        return all(response.complete for response in plays[0].both)
    proven = all(bool(np.all(response.proven)) for play in plays for response in play.both)
    return proven and game.posture_equilibria().complete


def posture_views(game: CollectiveDefence) -> tuple[PostureView, ...]:
    """Return what there is to say of each equilibrium of the posture stage, one for each outcome."""
    if game.posture is None:
        return ()
    found: dict[object, PostureView] = {}
    for play in game.posture_plays():
        one = play.equilibrium
        low, high = (float(x) for x in one.probability_range("attack"))
        survives: dict[str, bool] = {}
        for name in SHOWN_REFINEMENTS:
            with contextlib.suppress(GameError):
                survives[name] = bool(one.survives(name))
        view = PostureView(one.kind, (low, high), survives, play.lessons, getattr(one.profile, "supporting", {}))
        found.setdefault((one.kind, round(low, 9), round(high, 9), tuple(survives.items())), view)
    return tuple(found.values())


def _draws(scenario: Scenario, draws: int | None, seed: int) -> int:
    """Return how many draws to make: none by default where nothing is uncertain."""
    check_draws(DRAWS if draws is None else draws, seed)
    if uncertain_numbers(scenario):
        return DRAWS if draws is None else int(draws)
    if draws is not None:
        raise nothing_uncertain(scenario)
    return 0


def figure_paths(stem: str | Path, *, overwrite: bool = False) -> tuple[Path, Path]:
    """Return where a figure is to be written: ``stem.png`` and ``stem.svg``.

    Raises
    ------
    ScenarioError
        If the folder does not exist.
    FileExistsError
        If one of the files exists and ``overwrite`` is false.
    """
    path = Path(stem)
    if path.suffix in (".png", ".svg"):
        path = path.with_suffix("")
    if not path.parent.is_dir():
        raise ScenarioError(f"figure {path}: the folder {path.parent} does not exist; make it first")
    paths = path.with_name(path.name + ".png"), path.with_name(path.name + ".svg")
    for each in paths:
        require_free(each, overwrite=overwrite)
    return paths


def _seen_rightly(game: CollectiveDefence) -> CollectiveDefence:
    return replace(game, perception={k: v for k, v in game.perception.items() if k != game.aggressor.name})


def _both(of: Any) -> Range:
    """Return the range of something that depends on which equilibrium of the response is expected."""
    return _range((of("lowest"), of("highest")))


def attack_views(game: CollectiveDefence) -> tuple[AttackView, ...]:
    """Return what there is to say of each kind of attack in one game."""
    plays, likelihood = _plays(game), game.attack_probabilities().by_kind
    return tuple(_attack_view(game, x, plays, likelihood[one.name]) for x, one in enumerate(game.attacks))


def _attack_view(game: CollectiveDefence, x: int, plays: Sequence[_Play], likelihood: tuple[Any, Any]) -> AttackView:
    def over(name: str, which: str) -> Range:
        values = [float(getattr(getattr(play, which), name)[k][..., x]) for play in plays for k in play.ends[x]]
        return min(values), max(values)

    nobody = over("nobody", "truth")
    return AttackView(
        name=game.attacks[x].name,
        likelihood=_range(likelihood),
        invoked=_middle([play.truth.invoked[..., x] for play in plays]),
        perceived_invoked=_middle([play.seen.invoked[..., x] for play in plays]),
        resists=_range((game.resistance("lowest")[..., x], game.resistance("highest")[..., x])),
        holds=over("holds", "truth"),
        perceived_holds=over("holds", "seen"),
        strength=over("strength", "truth"),
        perceived_strength=over("strength", "seen"),
        somebody=(1 - nobody[1], 1 - nobody[0]),
    )


def _middle(values: Sequence[Any]) -> float:
    numbers = [float(np.asarray(value)) for value in values]
    return (min(numbers) + max(numbers)) / 2


def _member_views(game: CollectiveDefence, plays: Sequence[_Play]) -> tuple[MemberView, ...]:
    council = game.participation_game()  # days as they are with an integrated command and with machines
    treaty = council.treaty
    days = float(np.asarray(treaty.consultation_days))
    if np.any(treaty.deliberation):  # the k-th of n exponential times has the mean sum of 1 / (n - j), j < k
        n, k = treaty.rule.count(len(game.members))
        days += float(np.asarray(treaty.deliberation_days)) * sum(1 / (n - j) for j in range(k))

    def comes(which: str, i: int) -> dict[str, Range]:
        found = {}
        for x, a in enumerate(game.attacks):
            values = [float(getattr(play, which).comes[k][x, i]) for play in plays for k in play.ends[x]]
            found[a.name] = (min(values), max(values))
        return found

    found = []
    for i, m in enumerate(council.members):
        rapid, delay = float(np.asarray(m.rapid)), float(np.asarray(m.delay))
        first = days + (min(float(np.asarray(m.rapid_delay)), delay) if rapid else delay)
        lift = (float(np.asarray(m.capability)) - rapid) * float(np.asarray(m.days_per_unit))
        last = days + delay + max(lift, 0.0) if rapid < float(np.asarray(m.capability)) else first
        found.append(MemberView(m.name, first, max(first, last), comes("truth", i), comes("seen", i)))
    return tuple(found)


def _range(pair: tuple[Any, Any]) -> Range:
    a, b = (float(np.asarray(x)) for x in pair)
    return min(a, b), max(a, b)


__all__ = [
    "Assessment",
    "AttackView",
    "MemberView",
    "PostureView",
    "assess",
    "attack_views",
    "figure_paths",
    "posture_views",
]
