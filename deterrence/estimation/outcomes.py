"""What was observed: an end, counts of ends, or some of the moves on the way to one.

Every row is turned into weights on *patterns*, sets of ends that the observation cannot tell apart: a label shared by
several ends, or all ends that agree with the moves that were seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deterrence.estimation.data import check_columns, numbers_of, row_name
from deterrence.estimation.likelihood import Floats
from deterrence.games.errors import ParameterError
from deterrence.games.quantities import check_names
from deterrence.games.topology import Topology

if TYPE_CHECKING:
    import pandas as pd

Form: TypeAlias = Literal["label", "counts", "moves", "none"]
Pattern: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The observations of n rows.

    Attributes
    ----------
    form : str
        ``"label"``, ``"counts"``, ``"moves"``; ``"none"`` where outcomes are not known.
    columns : mapping of str to str
        The column of each end label or decision; of a single column of labels, under ``""``.
    patterns : tuple of tuple of int
        Ends that belong together.
    counts : ndarray, shape (J, n)
        How often each pattern was seen in each row.
    """

    form: Form
    columns: Mapping[str, str]
    patterns: tuple[Pattern, ...]
    counts: Floats = field(repr=False)

    @property
    def totals(self) -> Floats:
        """Number of observations in each row, shape (n,)."""
        total: Floats = self.counts.sum(axis=0)
        return total

    def rows(self, chosen: Any) -> Self:
        """Return some of the rows."""
        return replace(self, counts=self.counts[:, chosen])


def end_names(topology: Topology) -> tuple[str, ...]:
    """Return a name of each end: its label, or the path of actions to it."""
    paths = topology.end_paths
    return tuple(
        label if label is not None else "/".join(paths[z]) or "end" for z, label in enumerate(topology.end_labels)
    )


def outcome_names(topology: Topology) -> tuple[str, ...]:
    """Return the distinct names of ends, in the order of the tree."""
    return tuple(dict.fromkeys(end_names(topology)))


def ends_by_name(topology: Topology) -> dict[str, Pattern]:
    """Return the ends of each name."""
    names = end_names(topology)
    return {name: tuple(z for z, n in enumerate(names) if n == name) for name in outcome_names(topology)}


def columns_of_outcome(topology: Topology, outcome: Any) -> tuple[Form, dict[str, str]]:
    """Return the form of the observations, and the columns that hold them.

    Parameters
    ----------
    topology : Topology
    outcome : str, mapping or sequence of str
        A column of end labels. Or a mapping of end label to a column of counts; of information set, or of player (its
        move at whatever node of its was reached), to a column of moves. Or columns of moves, one for each information
        set in the order of the tree or, where that number fits, one for each player.

    Raises
    ------
    ParameterError
        If the columns fit neither ends nor moves.
    """
    if isinstance(outcome, str):
        return "label", {"": outcome}
    if isinstance(outcome, Mapping):
        return _mapped(topology, dict(outcome))
    if isinstance(outcome, Sequence) and len(outcome) and all(isinstance(c, str) for c in outcome):
        keys = [s.key for s in topology.infosets]
        movers = [p for i, p in enumerate(topology.players) if any(s.player == i for s in topology.infosets)]
        if len(outcome) == len(keys):
            return "moves", dict(zip(keys, outcome, strict=True))
        if len(outcome) == len(movers):
            _check_players(topology, movers)
            return "moves", dict(zip(movers, outcome, strict=True))
        raise ParameterError(
            f"outcome lists {len(outcome)} columns of moves, but the tree has {len(keys)} moves ({', '.join(keys)}) of "
            f"{len(movers)} players; give one for each, or a mapping"
        )
    raise ParameterError(
        "outcome must be a column of end labels, a mapping of end labels to columns of counts, or columns of moves; "
        f"got {outcome!r}"
    )


def _mapped(topology: Topology, outcome: dict[str, str]) -> tuple[Form, dict[str, str]]:
    names = outcome_names(topology)
    keys = [s.key for s in topology.infosets]
    if outcome and set(outcome) <= {*keys, *topology.players} and not set(outcome) <= set(names):
        _check_players(topology, outcome)
        return "moves", outcome
    try:
        check_names(outcome, names, "the tree")
    except ParameterError as error:
        text = str(error).replace("no parameter", "no end").replace("its parameters are", "its ends are")
        raise ParameterError(f"outcome maps ends of the tree to columns of counts: {text}") from None
    return "counts", outcome


def _check_players(topology: Topology, keys: Iterable[str]) -> None:
    """Raise ParameterError if a player whose moves stand in one column moves twice on some path."""
    moves = {s.key for s in topology.infosets}
    for z, key in itertools.product(range(len(topology.terminal)), keys):
        if key not in moves and len(_actions_at(topology, z, key)) > 1:
            raise ParameterError(
                f"{key!r} moves twice on the way to {end_names(topology)[z]!r}, so one column cannot hold its moves; "
                f"give one for each of {', '.join(map(repr, sorted(moves)))}"
            )


def observe(topology: Topology, frame: pd.DataFrame, form: Form, columns: Mapping[str, str]) -> Outcomes:
    """Return the observations of all rows of a table; a row in which nothing is seen has counts of zero.

    Raises
    ------
    ParameterError
        If a value is no end of the tree, no move, or no count.
    """
    check_columns(frame, columns.values(), "outcome")
    if form == "label":
        return _labels(topology, frame, columns)
    if form == "counts":
        names = ends_by_name(topology)
        counts = np.stack([_counts(frame, columns[name]) for name in names])
        return Outcomes(form, columns, tuple(names.values()), counts)
    return _moves(topology, frame, columns)


def unobserved_rows(topology: Topology, size: int) -> Outcomes:
    """Return rows of which no outcome is known."""
    return Outcomes("none", {}, tuple(ends_by_name(topology).values()), np.zeros((len(outcome_names(topology)), size)))


def draw_outcomes(
    outcomes: Outcomes, topology: Topology, probabilities: Floats, generator: np.random.Generator
) -> Outcomes:
    """Return observations drawn from the probabilities of the ends, shape (n, Z), as many in each row as there were.

    Moves that were not seen in a row stay unseen.
    """
    totals = outcomes.totals
    whole = np.round(totals).astype(np.int64)
    shares = np.clip(probabilities, 0, None)
    ends = generator.multinomial(whole, shares / shares.sum(axis=1, keepdims=True)).T.astype(np.float64)
    if outcomes.form != "moves":
        counts = np.stack([ends[list(pattern)].sum(axis=0) for pattern in outcomes.patterns])
        return replace(outcomes, counts=counts)
    seen = _seen(outcomes, topology)
    return _grouped(topology, outcomes.columns, seen, ends.argmax(axis=0), whole > 0)


def frame_of_outcomes(outcomes: Outcomes, topology: Topology, index: Any) -> pd.DataFrame:
    """Return observations as the columns that they came in."""
    import pandas as pd

    names = list(ends_by_name(topology))
    if outcomes.form == "moves":
        return pd.DataFrame(_move_columns(outcomes, topology), index=index)
    if outcomes.form == "counts":
        table = {outcomes.columns[name]: outcomes.counts[j] for j, name in enumerate(names)}
        return pd.DataFrame(table, index=index)
    labels = np.array(names, dtype=object)[outcomes.counts.argmax(axis=0)]
    return pd.DataFrame({outcomes.columns.get("", "outcome"): labels}, index=index)


def _labels(topology: Topology, frame: pd.DataFrame, columns: Mapping[str, str]) -> Outcomes:
    import pandas as pd

    names = ends_by_name(topology)
    column = columns[""]
    number, values = pd.factorize(frame[column])
    texts = [_text(value) for value in values]
    strange = [k for k, text in enumerate(texts) if text not in names]
    if strange:
        value, row = texts[strange[0]], row_name(frame.index, np.flatnonzero(number == strange[0])[0])
        try:
            check_names([value], tuple(names), "the tree", complete=False)
        except ParameterError as error:
            text = str(error).replace("no parameter", "no end")
            raise ParameterError(f"column {column!r} holds the outcome {value!r} in row {row}, but {text}") from None
    place = np.array([*(list(names).index(text) for text in texts), -1])[number]
    counts = (place[None, :] == np.arange(len(names))[:, None]).astype(np.float64)
    return Outcomes("label", columns, tuple(names.values()), counts)


def _text(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _counts(frame: pd.DataFrame, column: str) -> Floats:
    filled = frame[[column]].fillna(0) if frame[column].isna().any() else frame
    return numbers_of(filled, column, "counts of an outcome", low=0.0)


def _moves(topology: Topology, frame: pd.DataFrame, columns: Mapping[str, str]) -> Outcomes:
    """Return the ends that agree with the moves seen, row by row; a move that was not reached is not looked at."""
    seen = {key: _codes(topology, key, frame[column], column) for key, column in columns.items()}
    size = len(frame)
    fits = np.ones((len(topology.terminal), size), dtype=bool)
    for z, node in enumerate(topology.terminal.tolist()):
        while node > 0:
            above = int(topology.parent[node])
            if topology.owner[above] >= 0:
                s = topology.infosets[topology.infoset[above]]
                action = int(topology.slot[node]) - s.first
                for key in (s.key, topology.players[s.player]):
                    if key in seen:
                        fits[z] &= (seen[key] == action) | (seen[key] < 0)
            node = above
    patterns, which = np.unique(fits.T, axis=0, return_inverse=True)
    sets = [tuple(np.flatnonzero(p).tolist()) for p in patterns]
    informative = [0 < len(p) < len(topology.terminal) for p in sets]
    kept = [j for j, good in enumerate(informative) if good]
    counts = np.array([which.ravel() == j for j in kept], dtype=np.float64).reshape(len(kept), size)
    return Outcomes("moves", columns, tuple(sets[j] for j in kept), counts)


def _codes(topology: Topology, key: str, values: pd.Series[Any], column: str) -> NDArray[np.int64]:
    """Return the number of the action in each row, -1 where it is missing."""
    mine = [s for s in topology.infosets if key in (s.key, topology.players[s.player])]
    actions = mine[0].actions
    most = max(len(s.actions) for s in mine)
    result = np.full(len(values), -1, dtype=np.int64)
    for i, value in enumerate(values.tolist()):
        if value is None or value != value:  # NaN is not itself
            continue
        text = _text(value)
        matches = {s.actions.index(text) for s in mine if text in s.actions}
        if len(matches) == 1:
            result[i] = matches.pop()
        elif not isinstance(value, str) and float(value).is_integer() and 0 <= int(value) < most:
            result[i] = int(value)
        else:
            raise ParameterError(
                f"column {column!r} holds {value!r} in row {row_name(values.index, i)}, which is no action of {key!r}; "
                f"give {', '.join(map(repr, actions))}, or its number from 0 to {most - 1}"
            )
    return result


def _seen(outcomes: Outcomes, topology: Topology) -> dict[str, NDArray[np.bool_]]:
    """Return in which rows a move was seen wherever it was reached, by column."""
    size = outcomes.counts.shape[1]
    seen = {key: np.ones(size, dtype=np.bool_) for key in outcomes.columns}
    for pattern, counts in zip(outcomes.patterns, outcomes.counts, strict=True):
        here = counts > 0
        for key in outcomes.columns:
            if len({_action_at(topology, z, key) for z in pattern} - {-1}) > 1:
                seen[key][here] = False
    return seen


def _action_at(topology: Topology, z: int, key: str) -> int:
    """Return the action of an information set or player on the way to an end; -1 where there is none."""
    actions = _actions_at(topology, z, key)
    return actions[-1] if actions else -1


def _actions_at(topology: Topology, z: int, key: str) -> list[int]:
    """Return the actions of an information set or player on the way to an end, the last first."""
    actions = []
    node = int(topology.terminal[z])
    while node > 0:
        above = int(topology.parent[node])
        if topology.owner[above] >= 0:
            s = topology.infosets[topology.infoset[above]]
            if key in (s.key, topology.players[s.player]):
                actions.append(int(topology.slot[node]) - s.first)
        node = above
    return actions


def _grouped(
    topology: Topology,
    columns: Mapping[str, str],
    seen: Mapping[str, NDArray[np.bool_]],
    ends: NDArray[np.int64],
    observed: NDArray[np.bool_],
) -> Outcomes:
    """Return the observations of rows that reached given ends and of whose moves only some are seen."""
    import pandas as pd

    table = {}
    for key, column in columns.items():
        actions = np.array([_action_at(topology, z, key) for z in range(len(topology.terminal))])[ends]
        table[column] = np.where(seen[key] & observed & (actions >= 0), actions, np.nan)
    return _moves(topology, pd.DataFrame(table), columns)


def _move_columns(outcomes: Outcomes, topology: Topology) -> dict[str, Floats]:
    size = outcomes.counts.shape[1]
    result = {column: np.full(size, np.nan) for column in outcomes.columns.values()}
    for pattern, counts in zip(outcomes.patterns, outcomes.counts, strict=True):
        for key, column in outcomes.columns.items():
            actions = {_action_at(topology, z, key) for z in pattern}
            if len(actions) == 1 and actions != {-1}:
                result[column][counts > 0] = actions.pop()
    return result
