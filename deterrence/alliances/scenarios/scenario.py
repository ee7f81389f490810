"""Scenarios: a collective-defence game read from a file, with the questions that an analyst asks of it."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from deterrence.alliances.collective_defence import REFRAIN, CollectiveDefence
from deterrence.alliances.posture import REGRETTED, UNWANTED
from deterrence.alliances.scenarios.assessment import Assessment, assess
from deterrence.alliances.scenarios.building import BuildError, build
from deterrence.alliances.scenarios.conditioning import (
    Conditioned,
    InferenceProblem,
    Method,
    condition,
    inference_problem,
)
from deterrence.alliances.scenarios.copula import correlation_problems
from deterrence.alliances.scenarios.decision import Decision, decide
from deterrence.alliances.scenarios.evidence import evidence_problems
from deterrence.alliances.scenarios.loader import (
    names,
    parse,
    problem_lines,
    read_source,
    report,
    unstated_uncertainty,
)
from deterrence.alliances.scenarios.policy_games import effect_problems
from deterrence.alliances.scenarios.schema import ScenarioTable, present_names
from deterrence.alliances.scenarios.variants import change_file_data, variant_data
from deterrence.alliances.subjective_defence import subjective_defence
from deterrence.games.answers import BlockAnswer, Status
from deterrence.games.display import Display
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.errors import GameError, ParameterError, ScenarioError, SolverError, did_you_mean
from deterrence.games.paths import paths_of
from deterrence.games.services import service
from deterrence.games.values import Value
from deterrence.perception.belief_hierarchy import BELIEVES
from deterrence.perception.grids import SubjectiveGrid
from deterrence.perception.outcome import SubjectiveOutcome

HOLDS = "defence holds"


@dataclass(frozen=True, eq=False)
class Scenario(Display, Value):
    """A scenario: who might attack whom, who would come, and what each of them believes.

    Make one with ``Scenario.load`` or ``Scenario.loads``.

    Attributes
    ----------
    table : ScenarioTable
        The validated content of the file.
    where : str
        File name, for messages.
    text : str
        The file as it was read.

    Examples
    --------
    >>> import deterrence as dt
    >>> scenario = dt.Scenario.load("textbook")
    >>> scenario.title
    'One ally, two types: the textbook threshold'
    """

    table: ScenarioTable = field(repr=False)
    where: str
    text: str = field(repr=False)

    @staticmethod
    def names() -> tuple[str, ...]:
        """Return the names of the scenarios that come with the package."""
        return names()

    @classmethod
    def load(cls, name_or_path: str | Path, *, strict: bool = False) -> Scenario:
        """Return a shipped scenario by name, one from a TOML file by path, or a variant: ``"NAME:VARIANT"``.

        Parameters
        ----------
        name_or_path : str or Path
        strict : bool
            Whether illustrative numbers that do not say how uncertain they are make an error, not a warning.

        Raises
        ------
        ScenarioError
            If there is none, or the file is wrong; ``problems`` lists every mistake, each with file, line and key.
        """
        name, colon, variant = str(name_or_path).rpartition(":")
        if colon and (name in names() or Path(name).is_file()):
            return cls.load(name, strict=strict).variant(variant)
        where, text = read_source(name_or_path)
        return cls.loads(text, where, strict=strict)

    @classmethod
    def loads(cls, text: str, where: str = "scenario", *, strict: bool = False) -> Scenario:
        """Return a scenario from TOML text.

        Parameters
        ----------
        text, where : str
            The text, and its file name for messages.
        strict : bool
            Whether illustrative numbers that do not say how uncertain they are make an error, not a warning.

        Raises
        ------
        ScenarioError
            If the text is wrong.
        """
        scenario = cls._of(text, where)
        if unstated := unstated_uncertainty(scenario.table):
            if strict:
                raise report(where, text, unstated)
            warnings.warn(
                "\n".join(problem_lines(where, text, unstated))
                + "\nSuch a number is taken as certain; version 0.3 refuses it, as strict=True does now.",
                FutureWarning,
                stacklevel=2,
            )
        return scenario

    @classmethod
    def _of(cls, text: str, where: str) -> Scenario:
        """Return a scenario whose names, numbers and correlations fit together."""
        scenario = cls(parse(text, where), where, text)
        problems = list(correlation_problems(scenario.table))
        try:
            scenario._game  # noqa: B018  (made once, here, so that its errors are the file's)
        except BuildError as error:
            problems += error.problems
        else:
            problems += [*effect_problems(scenario), *evidence_problems(scenario.table, scenario.events)]
        if problems:
            raise report(where, text, problems)
        return scenario

    @property
    def name(self) -> str:
        """Short name."""
        return self.table.name

    @property
    def title(self) -> str:
        """One line."""
        return self.table.title

    def dumps(self) -> str:
        """Return the scenario as TOML text; loading it again gives the same scenario."""
        return self.text

    def with_changes(
        self, changes: Mapping[str, Any], perception: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Scenario:
        """Return a scenario with other values, true or perceived.

        Parameters
        ----------
        changes : mapping of str to change
            Of parameters by name, of other numbers by path (see ``deterrence.games.paths``), and of what a player
            believes by ``perception.PLAYER.`` before either.
        perception : mapping of str to overlay, optional
            What players believe, in place of all that the file says of it.

        Raises
        ------
        ScenarioError
            If a path or a value is wrong.
        ParameterError
            If a name begins with ``perception.`` and goes on with no player.
        """
        seen = {self._player(name): value for name, value in changes.items() if name.startswith("perception.")}
        true = {name: value for name, value in changes.items() if not name.startswith("perception.")}
        for name in (*true, *(path for _, path in seen)):
            if unknown := self._unknown(name):
                raise ScenarioError(f"{self.where}: {unknown}")
        data = change_file_data(present_names(tomllib.loads(self.text)), true, self.where)
        if perception is not None:
            data["perception"] = {player: dict(overlay) for player, overlay in perception.items()}
        for (player, path), value in seen.items():
            data.setdefault("perception", {}).setdefault(player, {})[path] = value
        return Scenario._of(tomli_w.dumps(data), self.where)

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants that the file describes; ``table.variants`` says what each isolates."""
        return tuple(self.table.variants)

    def variant(self, name: str) -> Scenario:
        """Return a variant of the scenario.

        Raises
        ------
        ScenarioError
            If there is none of that name, or what it changes is wrong.
        """
        return Scenario._of(
            tomli_w.dumps(variant_data(present_names(tomllib.loads(self.text)), name, self.where)),
            f"{self.where}:{name}",
        )

    # -- the game ----------------------------------------------------------------------------------------------------

    def game(self) -> CollectiveDefence:
        """Return the collective-defence game at the scenario's own values."""
        return self._game

    @cached_property
    def _game(self) -> CollectiveDefence:
        return build(self.table)

    def solve(self) -> EquilibriumSet:
        """Return the equilibria of the scenario's signaling stage, or of the response to its last kind of attack.

        A scenario with a posture stage is solved for all perfect Bayesian equilibria of the posture game. Without one
        the open question is who comes: ``game().response().equilibria`` has the sets for every attack.
        """
        game = self._game
        if game.posture is None:
            sets = game.response().equilibria
            return sets[game.attacks[-1].name]
        return game.posture_equilibria()

    def probability(self, event: str = "attack") -> tuple[float, float]:
        """Return the lowest and highest probability of an event over all equilibria, at the file's own values.

        Parameters
        ----------
        event : str
            See ``events``.

        Raises
        ------
        GameError
            If there is no such event.
        SolverError
            If the response did not converge.
        """
        answer = self.answer({}, events=(event,))
        if answer.status[0] != Status.OK:
            raise SolverError(f"no equilibrium of the response in scenario {self.name} converged; assess() tells more")
        return float(answer.low[event][0]), float(answer.high[event][0])

    def subjective(
        self,
        *,
        truth: Mapping[str, Any],
        beliefs: Mapping[str, Mapping[str, Any]],
        stated_chance: float = 0.05,
        concept: Any = None,
    ) -> SubjectiveOutcome | SubjectiveGrid:
        """Return what happens if players hold wrong values; ``deterrence.subjective`` of this scenario."""
        return subjective_defence(self, truth=truth, beliefs=beliefs, stated_chance=stated_chance, concept=concept)

    def assess(self, *, draws: int | None = None, seed: int = 0, uncertainty: bool = True) -> Assessment:
        """Return the assessment: likelihood of attack, who would come, perceived and true resolve, tipping points.

        Parameters
        ----------
        draws : int, optional
            Draws of the uncertain numbers, for ``uncertainty``; 1,000 by default. They are made when the assessment is
            printed or asked for them.
        seed : int
            Of the draws.
        uncertainty : bool
            False for the file's own numbers alone.

        Raises
        ------
        ParameterError
            If nothing in the scenario is uncertain and draws are asked for.
        """
        return assess(self, draws=draws, seed=seed, uncertainty=uncertainty)

    def condition(self, *, draws: int = 1000, seed: int = 0, method: Method = "auto") -> Conditioned:
        """Return what the scenario's ``[[evidence]]`` makes of its uncertain numbers: prior and posterior side by side.

        Parameters
        ----------
        draws, seed : int
            As in ``assess``: the prior is the same draws.
        method : {"auto", "importance", "sequential"}
            Weigh the draws (Pareto-smoothed importance sampling), or lead them from prior to posterior by sequential
            Monte Carlo; by default that only where the weights are not to be relied on.

        Raises
        ------
        ParameterError
            If the scenario states no evidence, nothing in it is uncertain, or an argument is out of range.
        ScenarioError
            If the evidence has probability 0 under every draw.
        SolverError
            If sequential Monte Carlo does not reach the evidence.
        """
        return condition(self, draws=draws, seed=seed, method=method)

    def inference_problem(self) -> InferenceProblem:
        """Return prior and likelihood of the scenario with its ``[[evidence]]``, for samplers of other packages.

        Raises
        ------
        ParameterError
            If the scenario states no evidence.
        """
        return inference_problem(self)

    def decide(self, *, draws: int = 1000, seed: int = 0, **options: Any) -> Decision:
        """Return which of the scenario's ``[options]`` would deter, over draws of what is uncertain.

        Every policy (a set of options that go together and can be afforded) is solved on common draws.

        Parameters
        ----------
        draws, seed : int
            As in ``assess``: the status quo is at the same draws.
        **options
            ``event`` ("attack"), ``level`` (0.2) below which a policy satisfices, ``within`` (years that an option may
            take), ``harm`` (worth of the event in the unit of costs), ``most`` (policies that are all solved).

        Raises
        ------
        ParameterError
            If the scenario has no options, nothing in it is uncertain, or an argument is out of range.
        """
        return decide(self, draws=draws, seed=seed, **options)

    def sweep(self, over: Any, **options: Any) -> Any:
        """Sweep over parameters; the same as ``deterrence.sweep(scenario, over=..., ...)``."""
        return service("sweep")(self, over=over, **options)

    # -- many points at once -------------------------------------------------------------------------------------------

    @property
    def sweep_names(self) -> tuple[str, ...]:
        """What may be swept: entries of ``[parameters]``, paths of numbers, and ``perception.PLAYER.<path>``.

        A path may begin with ``+`` or ``*``: then values are added to, or multiply, what stands there; only with these
        signs may ``*`` steps ("every member") keep the differences between members.
        """
        paths = tuple(paths_of(self._game))
        return (*self.table.parameters, *paths)

    @property
    def events(self) -> tuple[str, ...]:
        """``"attack"``, each kind of attack, ``"refrain"``, and what follows.

        ``"regretted attack"`` is an attack whose true payoff to the aggressor is below that of refraining, ``"unwanted
        war"`` one of these that the target resists, and ``"defence holds"`` says what the last kind of attack would
        meet. With a posture stage all of them are over its perfect Bayesian equilibria, and a true payoff is that given
        the type that there is.
        """
        kinds = tuple(attack.name for attack in self._game.attacks)
        return ("attack", *kinds, REFRAIN, REGRETTED, UNWANTED, HOLDS)

    def spec(self) -> dict[str, Any]:
        """Return what identifies the scenario, for the record of a sweep."""
        return {"scenario": self.name, "text": self.text}

    def answer(
        self,
        values: Mapping[str, Any],
        *,
        at: Mapping[str, Any] | None = None,
        events: Sequence[str] = ("attack",),
        concept: object = None,
    ) -> BlockAnswer:
        """Return the likelihood of events at n points, solved as arrays.

        Parameters
        ----------
        values : mapping of str to array_like, shape (n,)
            By name of parameter or path; see ``sweep_names``.
        at : mapping of str to float, optional
            Fixed values, by the same names.
        events : sequence of str
        concept : object, optional
            Not used: a scenario has its own concepts.

        Raises
        ------
        ParameterError
            If a name is unknown.
        GameError
            If an event is unknown.
        """
        for event in events:
            if event not in self.events:
                raise GameError(
                    f"no event {event!r} in scenario {self.name}; it has {', '.join(map(repr, self.events))}"
                )
        arrays = {name: np.atleast_1d(np.asarray(v, dtype=np.float64)) for name, v in values.items()}
        size = max((a.shape[0] for a in arrays.values()), default=1)
        game = self.at_values({**dict(at or {}), **arrays})
        return self.likelihoods(game, events, size)

    def likelihoods(self, game: CollectiveDefence, events: Sequence[str], size: int) -> BlockAnswer:
        """Return the likelihood of events in a batch of n of the scenario's games."""
        if np.ndim(game.base) == 0:  # a batch, even of one: points of a sweep are not certified one by one
            game = replace(game, base=np.full(1, game.base))
        low, high, several, converged = _likelihoods(game, events, size)
        status = np.where(converged, int(Status.OK), int(Status.NOT_CONVERGED)).astype(np.uint8)
        for table in (low, high):
            for event in events:
                table[event] = np.where(status == Status.OK, table[event], np.nan)
        return BlockAnswer(low, high, np.where(several, 2, 1).astype(np.int64), {}, status)

    def at_values(self, values: Mapping[str, Any]) -> CollectiveDefence:
        """Return the game with values (numbers or arrays) by name; see ``sweep_names``.

        Raises
        ------
        ParameterError
            If a name is unknown or a value out of range.
        """
        parameters, changes, overlays = self.by_place(values)
        try:
            game = build(self.table, parameters, overlays)
        except BuildError as error:
            raise ParameterError("; ".join(message for _, message in error.problems)) from None
        return game.at(**changes) if changes else game

    def by_place(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, dict[str, Any]]]:
        """Return values by where they belong: parameters, true values by path, perceived values by player and path.

        Raises
        ------
        ParameterError
            If a name is unknown.
        """
        parameters: dict[str, Any] = {}
        changes: dict[str, Any] = {}
        overlays: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            if unknown := self._unknown(self._player(name)[1] if name.startswith("perception.") else name):
                raise ParameterError(unknown)
            short = name.removeprefix("parameters.")
            if short in self.table.parameters:
                parameters[short] = value
            elif name.startswith("perception."):
                player, path = self._player(name)
                key, change = _change(path, value)
                overlays.setdefault(player, {})[key] = change
            else:
                key, change = _change(name, value)
                changes[key] = change
        return parameters, changes, overlays

    def _unknown(self, name: str) -> str:
        """Say what a name of one step should have been, if it is neither a parameter nor a part of the game."""
        short = name.lstrip("+*")
        parts = [part.name for part in fields(self._game)]
        known = [*self.table.parameters, *parts]
        if not short or "." in short or short in (*known, BELIEVES):
            return ""
        hint = did_you_mean(short, known)
        parameters = ", ".join(self.table.parameters) or "none"
        return f"there is no {name!r}; parameters are {parameters}, and paths begin with {', '.join(parts)}{hint}"

    def _player(self, name: str) -> tuple[str, str]:
        rest = name.removeprefix("perception.")
        for player in sorted(self._game.players, key=len, reverse=True):
            for spelled in (player, f'"{player}"'):
                if rest.startswith(spelled + "."):
                    return player, rest[len(spelled) + 1 :]
        known = ", ".join(self._game.players)
        raise ParameterError(f"{name!r} names no player; write perception.PLAYER.path with PLAYER one of {known}")

    def _repr_html_(self) -> str:
        return _html(self)

    def __str__(self) -> str:
        return f"{self.name}: {self.title}"


def _html(scenario: Scenario) -> str:
    """Return a scenario as HTML; every text of its file is escaped."""
    table = scenario.table
    parts = [f"<h3>{escape(scenario.title)} <small>({escape(scenario.name)})</small></h3>"]
    parts += [f"<p>{escape(part)}</p>" for part in table.description.split("\n\n") if part.strip()]
    for head, words in (("Shows", table.shows), ("Does not show", table.does_not_show)):
        if words:
            parts.append(f"<p><b>{head}:</b> {escape(words)}</p>")
    parts.append(scenario.game()._repr_html_())
    if table.sources:
        listed = "".join(f"<li><b>{escape(key)}</b>: {escape(words)}</li>" for key, words in table.sources.items())
        parts.append(f"<details><summary>sources</summary><ul>{listed}</ul></details>")
    return "\n".join(parts)


def _change(path: str, value: Any) -> tuple[str, Any]:
    if path.startswith("+"):
        return path[1:], {"add": value}
    if path.startswith("*") and not path.startswith("*."):
        return path[1:], {"multiply": value}
    return path, value


def _likelihoods(
    game: CollectiveDefence, events: Sequence[str], size: int
) -> tuple[dict[str, Any], dict[str, Any], Any, Any]:
    """Return lowest and highest likelihood by event, whether responses are several, and whether they converged."""
    if game.posture is not None:
        return _stage_likelihoods(game, events, size)
    found = game.attack_probabilities()
    seen = game.perceived_response()
    converged = seen.converged
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    for event in events:
        if event == "attack":
            pair = found.likelihood
        elif event in (REGRETTED, UNWANTED):
            probability = game.regret_probability if event == REGRETTED else game.unwanted_war_probability
            both = [probability(which) for which in ("lowest", "highest")]
            pair = (np.minimum(*both), np.maximum(*both))
            converged = converged & game.response().converged
        elif event == HOLDS:
            truth = game.response()
            pair = (truth.holds[0][..., -1], truth.holds[1][..., -1])
            converged = converged & truth.converged
        else:
            pair = found.by_kind[event]
        low[event], high[event] = (np.broadcast_to(np.asarray(x, dtype=np.float64), (size,)).copy() for x in pair)
    gap = np.abs(seen.comes[1] - seen.comes[0]).max(axis=(-1, -2)) > 1e-7
    return low, high, np.broadcast_to(gap, (size,)), np.broadcast_to(converged, (size,))


def _stage_likelihoods(
    game: CollectiveDefence, events: Sequence[str], size: int
) -> tuple[dict[str, Any], dict[str, Any], Any, Any]:
    """Return the same over the equilibria of the posture stage; several: the lowest and the highest differ."""
    ranges = game.posture_ranges([event for event in events if event != HOLDS])
    if HOLDS in events:
        ranges[HOLDS] = game.held_range(game.attacks[-1].name)
    low, high = (
        {
            event: np.broadcast_to(np.asarray(ends[k], dtype=np.float64), (size,)).copy()
            for event, ends in ranges.items()
        }
        for k in (0, 1)
    )
    solved = np.logical_and.reduce([np.isfinite(low[event]) for event in events])
    several = np.logical_or.reduce([high[event] - low[event] > 1e-7 for event in events])
    return low, high, several, np.broadcast_to(game.converged, (size,)) & solved


__all__ = ["HOLDS", "REGRETTED", "UNWANTED", "Scenario", "ScenarioError"]
