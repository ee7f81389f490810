"""Regimes as text: a proposition with its proof sketch, in Markdown and LaTeX, and a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deterrence.games.display import in_markdown
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.events import Event
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.symbolic.assumptions import chain_of
from deterrence.solvers.symbolic.text import chains, typeset

if TYPE_CHECKING:
    import pandas as pd

    from deterrence.solvers.symbolic.regime_set import OffPath, Regime, RegimeSet

Words = Callable[[str], str]


def frame(found: RegimeSet, events: Sequence[Event]) -> pd.DataFrame:
    """Return a row per regime."""
    import pandas as pd

    rows = []
    for r in found:
        row: dict[str, Any] = {"kind": r.kind, "condition": r.condition_text()}
        row |= {f"payoff of {player}": x for player, x in r.payoffs.items()}
        row |= {f"P({event})": r.probability(event) for event in events}
        rows.append(row)
    return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="regime"))


def markdown(found: RegimeSet, events: Sequence[Event]) -> str:
    """Return a numbered proposition."""
    lines = [f"**Proposition.** {_opening(found)}", ""]
    for i, r in enumerate(found, 1):
        where = ", ".join(f"${c}$" for c in chains(r.conditions, typeset, r" \le "))
        lines.append(
            f"{i}. *{in_markdown(_capital(r.kind))}*, {'iff ' + where if where else 'always'}. "
            + _body(r, events, in_markdown)
        )
    lines += ["", f"*Sketch of proof.* {_method(found)}", ""]
    for i, r in enumerate(found, 1):
        lines.append(f"{i}. {_proof(r, in_markdown)}")
    if found.notes:
        lines += ["", *[f"*Note.* {in_markdown(_capital(note))}." for note in found.notes]]
    return "\n".join(lines)


def latex(found: RegimeSet, events: Sequence[Event]) -> str:
    """Return the same in LaTeX."""
    lines = [
        r"\begin{proposition}",
        _opening(found),
        r"\begin{enumerate}",
    ]
    for r in found:
        where = ", ".join(f"${c}$" for c in chains(r.conditions, typeset, r" \le "))
        lines.append(
            rf"  \item \emph{{{_escaped(_capital(r.kind))}}}, {'iff ' + where if where else 'always'}. "
            + _body(r, events, _escaped)
        )
    lines += [
        r"\end{enumerate}",
        r"\end{proposition}",
        r"\begin{proof}[Sketch of proof]",
        _method(found),
        r"\begin{enumerate}",
    ]
    lines += [rf"  \item {_proof(r, _escaped)}" for r in found]
    lines += [r"\end{enumerate}", r"\end{proof}"]
    lines += [f"% {note}" for note in found.notes]
    return "\n".join(lines)


# ---------------------------------------------------------------- parts


def _opening(found: RegimeSet) -> str:
    stated = ", ".join(_stated(text, found) for text in found.stated)
    under = (
        f"Assume {stated}, and that every type has positive probability. "
        if stated
        else "Let every type have positive probability. "
    )
    every = "The equilibria are, up to ties," if found.complete else "These are equilibria:"
    return under + every


def _stated(text: str, found: RegimeSet) -> str:
    """Return an assumption as its author wrote it, typeset."""
    try:
        sides, signs = chain_of(text, {str(symbol): symbol for symbol in found.assumptions.symbols})
    except ParameterError:  # it was given as a SymPy expression
        return f"`{text}`"
    told = {"<=": r"\le", ">=": r"\ge"}
    return f"${typeset(sides[0])}{''.join(f' {told.get(x, x)} {typeset(y)}' for x, y in zip(signs, sides[1:]))}$"


def _method(found: RegimeSet) -> str:
    if any(isinstance(r.form, SignalingGame) for r in found):
        return (
            "An equilibrium is determined by the messages that each type uses and the responses that follow them; a "
            "player who mixes is indifferent, which fixes the other's probabilities. These constraints are left."
        )
    return "By backward induction; at each step the better action depends on the parameters as follows."


def _body(r: Regime, events: Sequence[Event], words: Words) -> str:
    parts = []
    for player, sets in r.strategies.items():
        told = [f"{_at(key, words)} {_mixture(actions, words)}" for key, actions in sets.items()]
        if told:
            parts.append(f"{_capital(words(player))}: {'; '.join(told)}.")
    beliefs = [f"{_at(key, words)} {_mixture(dist, words)}" for key, dist in r.beliefs.items() if _mixed(dist)]
    if beliefs:
        parts.append(f"Beliefs: {'; '.join(beliefs)}.")
    parts += [_held_up(r, message, words) for message in dict.fromkeys(o.message for o in r.off_path)]
    parts += _tests(r)
    for event in events:
        name = event if isinstance(event, str) else getattr(event, "__name__", "event")
        parts.append(f"Pr({words(name)}) = {_math(r.probability(event))}.")
    return " ".join(parts)


def _held_up(r: Regime, message: str, words: Words) -> str:
    ways = [_way(o, words) for o in r.off_path if o.message == message and _pure(o)]
    ways = ways or [_way(o, words) for o in r.off_path if o.message == message]
    return f"Off the path, after {words(message)}: {', or '.join(ways)}."


def _tests(r: Regime) -> list[str]:
    """Return where a regime with unsent messages survives the refinements that have a closed form for its game."""
    if not r.off_path:
        return []
    told = []
    for name, title in (("intuitive", "the intuitive criterion"), ("d1", "D1")):
        try:
            cases = r.survives(name)
        except GameError:
            return []
        if not cases:
            told.append(f"It fails {title}.")
        elif all(cases):
            where = " or ".join(", ".join(chains(case, _math, r" $\le$ ")) for case in cases)
            told.append(f"It survives {title} iff {where}.")
        else:
            told.append(f"It survives {title}.")
    return told


def _way(o: OffPath, words: Words) -> str:
    told = [
        f"{'' if kind is None else words(kind) + ': '}{_mixture(actions, words)}"
        for kind, actions in o.responses.items()
    ]
    belief = " and ".join(_relation(x, words) for x in o.beliefs) or "any belief"
    where = " or ".join(", ".join(chains(case, _math, " $\\le$ ")) for case in o.cases)
    return f"{', '.join(told)} ({belief}{'; where ' + where if where else ''})"


def _relation(relation: Any, words: Words) -> str:
    if relation.lhs.is_Symbol:
        sign = {">=": r"$\ge$", "<=": r"$\le$", "==": "="}[relation.rel_op]
        return f"{words(str(relation.lhs))} {sign} {_math(relation.rhs)}"
    return _math(relation)


def _proof(r: Regime, words: Words) -> str:
    steps = []
    for c in r.conditions:
        reason = words(c.reasons[0]) if c.reasons else "play elsewhere requires it"
        steps.append(f"{_math(c.smaller)} $\\le$ {_math(c.larger)}: {reason}")
    return (
        f"{words(_capital(r.kind))}. "
        + ("; ".join(steps) if steps else "Every constraint follows from the assumptions")
        + "."
    )


def _at(key: Any, words: Words) -> str:
    return words(" | ".join(map(str, key)) if isinstance(key, tuple) else str(key)) + ":"


def _mixture(actions: Mapping[str, Any], words: Words) -> str:
    played = {a: p for a, p in actions.items() if p != 0}
    if len(played) == 1:
        return words(next(iter(played)))
    return ", ".join(f"{words(a)} with {_math(p)}" for a, p in played.items())


def _mixed(actions: Mapping[str, Any]) -> bool:
    return len([p for p in actions.values() if p != 0]) > 1


def _pure(o: OffPath) -> bool:
    return not any(_mixed(actions) for actions in o.responses.values())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _math(expression: Any) -> str:
    return f"${typeset(expression)}$"


def _escaped(text: str) -> str:
    replaced = {"\\": r"\textbackslash{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
    replaced |= {c: "\\" + c for c in "&%$#_{}"} | {"^": r"\^{}", "~": r"\~{}"}
    return "".join(replaced.get(c, c) for c in text)
