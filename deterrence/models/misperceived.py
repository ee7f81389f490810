"""Models whose solution needs more than a game: what players are wrong about, and how they reason.

Elsewhere in the library a game says all that its solver needs to know. Here two players may see two games, or a player
may think in a way that no payoff shows (how cursed it is, how many steps it takes), so these models bring the call of a
solver of ``deterrence.perception`` with them. ``game`` still returns the true game.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from deterrence.models.model import Model
from deterrence.models.parameter_table import nest
from deterrence.models.variants import Values, Variant

Perceive: TypeAlias = Callable[[Any, Values], Any]


class MisperceivedModel(Model):
    """A model that is solved by a function of the true game and of all parameters.

    Parameters
    ----------
    *args, **options
        As for ``Model``.
    perceive : callable, or mapping of str to callable
        ``perceive(game, params)`` returns the solution that ``read`` reads; a mapping has one for each variant, by its
        name, and variants without one are solved as in any other model.

    Notes
    -----
    Unknowns of ``critical`` may have dotted names (``"eq.chi_bar"``): they join the mapping of that name.
    """

    def __init__(self, *args: Any, perceive: Perceive | Mapping[str, Perceive], **options: Any) -> None:
        self.perceive: Mapping[str, Perceive] = {"": perceive} if callable(perceive) else dict(perceive)
        super().__init__(*args, **options)

    def solve(self, **params: Any) -> Any:
        """Return the solution: of the kind that the solver in ``deterrence.perception`` returns.

        Raises
        ------
        ParameterError
            If the parameters are not admissible.
        SolverError
            If the solver fails.
        """
        return self._perceive(*self._resolve(params))

    def _perceive(self, variant: Variant, values: Values) -> Any:
        game = variant.game(**values)
        if variant.name in self.perceive:
            return self.perceive[variant.name](game, values)
        return self._solve(game, variant.concept or self.concept)

    def _by_solver(self, variant: Variant, values: Values) -> Values:
        if variant.read is None:
            return super()._by_solver(variant, values)
        found = variant.read(self._perceive(variant, values), values)
        if variant.critical is None:
            return found
        unknowns = variant.critical(**values)
        solutions = self._solve(unknowns, "")
        return _merge(found, nest(solutions[0] if solutions else dict.fromkeys(unknowns.unknowns)))


def _merge(found: Mapping[str, Any], more: Mapping[str, Any]) -> Values:
    """Return both mappings as one, entries that are mappings in both joined in turn."""
    result = dict(found)
    for name, value in more.items():
        inner = result.get(name)
        result[name] = _merge(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return result
