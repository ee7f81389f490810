"""Fit files: a game, what its symbols are made of, and how to fit them, in TOML.

A fit file::

    schema_version = 1
    players = ["Challenger", "Defender"]
    outcome = "outcome"                 # a column of end labels; or columns of moves, or a table of counts
    errors = "private"                  # or "agent"
    link = "probit"                     # or "logit"
    effects = ["balanc"]                # optional: marginal effects to report

    [utilities]                         # formulas; numbers are fixed
    u1_sq = "s_wt_re1 + revis1"
    u1_capit = 0
    u1_war = "regime1"
    u2_war = "balanc + regime2"

    [tree]
    player = "Challenger"
    [tree.actions.stay]
    end = "sq"
    payoffs = { Challenger = "u1_sq", Defender = 0 }
    [tree.actions.escalate]
    player = "Defender"
    [tree.actions.escalate.actions."give in"]
    end = "capit"
    payoffs = { Challenger = "u1_capit", Defender = 0 }
    [tree.actions.escalate.actions.resist]
    end = "war"
    payoffs = { Challenger = "u1_war", Defender = "u2_war" }

Further keys are the arguments of ``deterrence.fit``: ``scale``, ``correlation``, ``weights``, ``cluster``,
``covariance``, ``penalty``, ``starts``, ``seed``, ``missing``; and ``bootstrap``, a number of draws.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deterrence.estimation.fit import fit
from deterrence.games.errors import ParameterError, ScenarioError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import symbols
from deterrence.games.tree import Node, chance, end, move
from deterrence.games.values import Value

if TYPE_CHECKING:
    import pandas as pd

    from deterrence.estimation.fit_schema import FitTable, NodeTable
    from deterrence.estimation.result import Fit

_LARGEST = 1_000_000  # bytes of a fit file


@dataclass(frozen=True, eq=False)
class FitFile(Value):
    """A fit as a file says it.

    Attributes
    ----------
    table : FitTable
        The validated content.
    name : str
        Of the file.
    """

    table: FitTable = field(repr=False)
    name: str

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FitFile:
        """Return the fit of a TOML file.

        Raises
        ------
        ScenarioError
            If the file is wrong; ``problems`` lists every mistake, each with file and key.
        """
        place = Path(path)
        if not place.is_file():
            raise ScenarioError(f"{place}: no such file; expected a fit in TOML")
        if place.stat().st_size > _LARGEST:
            raise ScenarioError(f"{place}: a fit file may have at most {_LARGEST:,} bytes")
        try:
            text = place.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ScenarioError(f"{place}: expected a text file in UTF-8, but byte {error.start} is not") from None
        return cls.loads(text, place.name)

    @classmethod
    def loads(cls, text: str, name: str = "fit") -> FitFile:
        """Return the fit of a text in TOML.

        Raises
        ------
        ScenarioError
            If it is wrong.
        """
        from pydantic import ValidationError

        from deterrence.estimation.fit_schema import FitTable

        try:
            return cls(FitTable.model_validate(tomllib.loads(text)), name)
        except tomllib.TOMLDecodeError as error:
            raise ScenarioError(f"{name}: not valid TOML: {error}") from None
        except RecursionError:
            raise ScenarioError(f"{name}: tables are nested too deeply to be a fit") from None
        except ValidationError as error:
            lines = tuple(
                f"{name}: {'.'.join(map(str, item['loc'])) or 'file'}: {item['msg'].removeprefix('Value error, ')}"
                for item in error.errors(include_url=False)
            )
            raise ScenarioError("\n".join(lines), lines) from None
        except ValueError:  # Python reads whole numbers of up to 4,300 digits
            raise ScenarioError(
                f"{name}: expected numbers of at most 1e308 in size, got a whole number beyond the range of floats"
            ) from None

    @property
    def game(self) -> ExtensiveGame:
        """The game with its symbols."""
        return ExtensiveGame(self.table.players, _node(self.table.tree), self.table.title)

    def fit(self, data: Any) -> Fit:
        """Return the fit to data: a table, or the path of a CSV file.

        Raises
        ------
        ParameterError, GameError
            As ``deterrence.fit``; or if the CSV file cannot be read.
        """
        table = self.table
        outcome: Any = list(table.outcome) if isinstance(table.outcome, tuple) else table.outcome
        fitted = fit(
            self.game,
            read_csv(data) if isinstance(data, str | os.PathLike) else data,
            outcome=outcome,
            utilities=table.utilities,
            errors=table.errors,
            link=table.link,
            scale=table.scale,
            correlation=table.correlation,
            weights=table.weights,
            cluster=table.cluster,
            covariance=table.covariance,
            penalty=table.penalty,
            starts=table.starts,
            seed=table.seed,
            missing=table.missing,
        )
        return fitted if table.bootstrap is None else fitted.bootstrap(table.bootstrap, seed=table.seed)


def read_csv(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the table of a CSV file.

    Raises
    ------
    ParameterError
        If there is no such file, or it is no table.
    """
    import pandas as pd

    place = Path(path)
    if not place.is_file():
        raise ParameterError(f"{place}: no such file; expected data in CSV")
    try:
        return pd.read_csv(place)
    except (ValueError, UnicodeDecodeError) as error:
        raise ParameterError(f"{place}: not a table in CSV: {error}") from None


def _node(table: NodeTable) -> Node:
    if table.end is not None:
        return end(table.end, {player: _payoff(value) for player, value in table.payoffs.items()})
    if table.player is not None:
        return move(table.player, {label: _node(below) for label, below in table.actions.items()})
    return chance({label: (branch.probability, _node(branch.to)) for label, branch in table.chance.items()})


def _payoff(value: str | float) -> Any:
    """Return a payoff: a number, a rational in a string, or a symbol, with or without a minus."""
    if not isinstance(value, str):
        return value
    text = value.replace(" ", "")
    if text.lstrip("-")[:1].isalpha() or text.lstrip("-").startswith("_"):
        return -symbols(text[1:]) if text.startswith("-") else symbols(text)
    return text
