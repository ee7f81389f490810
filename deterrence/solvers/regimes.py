"""When does deterrence hold, as a formula: the equilibria of a game with symbols, each with its exact condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.symbolic.conditions import Assumptions, Conjunction, Frac
from deterrence.solvers.symbolic.deterrents import Reply
from deterrence.solvers.symbolic.regime_set import OffPath, Regime, RegimeSet
from deterrence.solvers.symbolic.signaling import Outcome, SignalingRegimes
from deterrence.solvers.symbolic.text import conditions_of
from deterrence.solvers.symbolic.trees import Branch, TreeRegimes


def regimes(game: Any, *, assumptions: Iterable[Any] = (), limit: int = 20_000) -> RegimeSet:
    """Find the equilibria of a game with symbols, each with the condition under which it exists.

    Parameters
    ----------
    game : SignalingGame or ExtensiveGame
        With parameters in payoffs or priors. Signaling games: perfect Bayesian equilibria. Trees: subgame-perfect
        (perfect Bayesian) ones, of trees that backward induction reduces to an outcome or to a signaling game.
        Everything must be a rational function of the parameters.
    assumptions : iterable of str or SymPy relation
        Such as ``"0 < p < 1"`` or ``v_I < w``. That priors are positive is always assumed.
    limit : int
        Largest number of choices of supports to look at, known beforehand; 20,000 take minutes.

    Returns
    -------
    RegimeSet
        ``complete`` unless payoffs are tied by construction. Conditions are weak inequalities; at parameters where
        one holds with equality there may be further equilibria (mixtures of those on either side).

    Raises
    ------
    GameError
        If the game has no parameters, is too large (the message says how large) or has no closed form of this kind.
    ParameterError
        If an assumption cannot be read or is contradictory.

    Notes
    -----
    In general position an equilibrium mixes over as many actions as the other side has indifferences, so for each
    choice of supports the probabilities solve linear systems with one solution, and existence is a conjunction of
    polynomial inequalities [1]_. Beliefs and responses after unsent messages are eliminated through the vertices of
    their polytopes. A condition is dropped only if a certificate in rational arithmetic shows that the others imply
    it (see ``regime_conditions``), and a regime only if one shows that it is empty; what can be neither proven nor
    refuted is kept, and said in ``notes``.

    References
    ----------
    .. [1] R. D. McKelvey and A. McLennan, "Computation of equilibria in finite games", Handbook of Computational
       Economics 1 (1996), 87-142.

    Examples
    --------
    >>> import deterrence as dt
    >>> p = dt.symbols("p")
    >>> game = dt.SignalingGame(
    ...     types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[p, 1 - p],
    ...     sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]])
    >>> found = regimes(game)
    >>> print(found)
    1. pooling on beer: 1/2 <= p
    2. pooling on quiche: 1/2 <= p
    3. semi-separating: weak mixes: p <= 1/2
    >>> found[2].strategies["Sender"]["weak"]["beer"]
    p/(1 - p)
    >>> found[2].probability("duel")
    1 - p
    """
    if not isinstance(game, SignalingGame | ExtensiveGame):
        raise GameError(f"regimes takes a signaling game or a tree, got {type(game).__name__}")
    if not game.parameters:
        raise GameError("the game has no parameters, so there are no regimes; solve it with dt.pbe or dt.spe")
    chances = _chances(game)
    given = (assumptions,) if isinstance(assumptions, str) else tuple(assumptions)
    symbols = _symbols(game)
    assume = Assumptions(symbols, given, [c for c in chances if getattr(c, "free_symbols", None)])
    found: list[Regime] = []
    notes: list[str] = []
    likely = frozenset(str(s) for c in chances for s in getattr(c, "free_symbols", ()))
    if isinstance(game, SignalingGame):
        found, ties = _of_signaling(game, assume, likely, limit, frozenset(), {}, None)
    else:
        tree = TreeRegimes(game, assume)
        ties = tree.ties
        for branch in tree.branches():
            if branch.signaling is None:
                found.append(_of_branch(tree, branch, likely))
            else:
                parts, more = _of_signaling(
                    branch.signaling,
                    assume.within(branch.case),
                    likely,
                    limit,
                    branch.case,
                    branch.reasons,
                    (tree, branch),
                )
                found += parts
                ties += more
        found = _merged(assume, found, likely)
    notes += list(dict.fromkeys(ties))
    complete = not notes
    for regime in found:
        if assume.holds_somewhere(regime.case) is None:
            notes.append(f"whether the conditions of {regime.kind!r} ({regime.condition_text()}) can hold is undecided")
        notes += [f"{c} may be redundant in {regime.kind!r}" for c in regime.conditions if not c.needed]
    if not found:
        raise GameError("no regime was found: payoffs are tied by construction; " + "; ".join(notes))
    return RegimeSet(
        again=find_again,
        game=game,
        regimes=tuple(found),
        stated=tuple(map(str, given)),
        complete=complete,
        notes=tuple(notes),
        assumptions=assume,
        given=given,
        limit=limit,
    )


@lru_cache(maxsize=8)
def _remembered(game: Any, given: tuple[Any, ...], limit: int) -> RegimeSet:
    return regimes(game, assumptions=given, limit=limit)


def find_again(game: Any, given: tuple[Any, ...], limit: int, kept: tuple[str, ...]) -> RegimeSet:
    """Return regimes found in another process: those with the given texts."""
    found = _remembered(game, given, limit)
    if len(kept) == len(found):
        return found
    return replace(found, regimes=tuple(r for r in found if str(r) in kept), complete=False)


def _chances(game: Any) -> list[Any]:
    """Return the probabilities of nature's moves, as each player sees them."""
    if isinstance(game, ExtensiveGame):
        return list(game.chance.ravel())
    return [x for prior in (game.joint_prior, game.sender_joint, game.receiver_joint) for x in prior.ravel()]


def _symbols(game: Any) -> list[Any]:
    arrays = [game.chance, game.payoffs] if isinstance(game, ExtensiveGame) else [
        game.joint_prior, game.sender_joint, game.receiver_joint, game.U, game.V, *game.events.values()]  # fmt: skip
    found: set[Any] = set()
    for array in arrays:
        for x in array.ravel():
            found |= getattr(x, "free_symbols", set())
    return sorted(found, key=str)


# ---------------------------------------------------------------- signaling games


def _of_signaling(
    game: SignalingGame,
    assume: Assumptions,
    likely: frozenset[str],
    limit: int,
    case: Conjunction,
    reasons: Mapping[Any, Sequence[str]],
    lift: tuple[TreeRegimes, Branch] | None,
) -> tuple[list[Regime], list[str]]:
    search = SignalingRegimes(game, assume)
    size = (2 ** search.shape[2] - 1) ** search.shape[0]  # of the sender alone
    if size <= limit:
        size = search.size()
    if size > limit:
        raise GameError(
            f"closed forms of {game!r} need a look at {size} choices of supports, more than {limit}; raise the limit, "
            "or give parameters numbers and use dt.pbe or dt.sweep"
        )
    found = []
    for outcome in search.outcomes():
        why = {**reasons, **outcome.reasons}
        found += [_regime(search, outcome, conditions | case, why, likely, lift) for conditions in outcome.cases]
    search.look_for_ties(4 * limit)
    found.sort(key=lambda r: (r.kind.startswith("semi"), r.kind.startswith("pooling")))
    return found, search.ties


def _regime(
    search: SignalingRegimes,
    outcome: Outcome,
    case: Conjunction,
    reasons: Mapping[Any, Sequence[str]],
    likely: frozenset[str],
    lift: tuple[TreeRegimes, Branch] | None,
) -> Regime:
    game, (T, Q, _, _) = search.game, search.shape
    assume = lift[0].assumptions if lift else search.assumptions
    case = assume.simplify(case)
    form = assume.expression
    sender, receiver = game.players
    strategies: dict[str, dict[Any, dict[str, Any]]] = {sender: {}, receiver: {}}
    for t, name in enumerate(game.types):
        strategies[sender][name] = {game.messages[m]: form(outcome.sigma[t, m]) for m in outcome.sends[t]}
    beliefs: dict[Any, dict[str, Any]] = {}
    for (q, m), chosen in outcome.responds.items():
        key = game.messages[m] if game.receiver_types is None else (game.messages[m], game.receiver_types[q])
        strategies[receiver][key] = {_label(search, q, m, r): form(outcome.rho[q, m, r]) for r in chosen}
        weights = {t: search.b[t, q] * outcome.sigma[t, m] for t in range(T) if m in outcome.sends[t]}
        total = sum(weights.values(), search.assumptions.domain.zero)
        zero = search.assumptions.domain.zero
        beliefs[key] = {name: form(weights.get(t, zero) / total) for t, name in enumerate(game.types)}
    play: dict[tuple[int, ...], tuple[Frac, tuple[tuple[int, ...], ...]]] = {}
    prior = [[assume.fraction(game.joint_prior[t, q]) for q in range(Q)] for t in range(T)]
    for (t, m), x in outcome.sigma.items():
        for q in range(Q):
            for r in outcome.responds[q, m]:
                play[t, q, m, r] = (prior[t][q] * x * outcome.rho[q, m, r], _alike(search, t, q, m, r))
    zero = assume.domain.zero
    payoffs = {
        sender: form(sum((p * search.u[i] for i, (p, _) in play.items()), zero)),
        receiver: form(sum((p * search.v[i] for i, (p, _) in play.items()), zero)),
    }
    if lift:
        _add_settled(lift[0], lift[1], strategies)
    return Regime(
        kind=_kind(game, outcome),
        conditions=conditions_of(assume, case, reasons, likely),
        strategies=strategies,
        beliefs=beliefs,
        off_path=tuple(_off_path(search, assume, reply, case, reasons, likely) for reply in outcome.replies
                       if any(assume.holds_somewhere(c | case) is not False for c in reply.cases)),
        payoffs=payoffs,
        case=case,
        sends=outcome.sends,
        levels=tuple(search.value(t, outcome.sends[t][0], outcome.rho) for t in range(T)),
        form=game,
        play=play,
        assumptions=assume,
        likely=likely,
    )  # fmt: skip


def _kind(game: SignalingGame, outcome: Outcome) -> str:
    mixers = [game.types[t] for t, chosen in enumerate(outcome.sends) if len(chosen) > 1]
    if mixers:
        return f"semi-separating: {', '.join(mixers)} {'mixes' if len(mixers) == 1 else 'mix'}"
    distinct = set(outcome.sends)
    if len(distinct) == 1:
        return f"pooling on {game.messages[outcome.sends[0][0]]}"
    return "separating" if len(distinct) == len(outcome.sends) else "partially pooling"


def _label(search: SignalingRegimes, q: int, m: int, r: int) -> str:
    """Return a response with those that pay both players the same."""
    return " or ".join(search.game.responses[x] for x in range(search.shape[3]) if search.alike(q, m, x) == r)


def _alike(search: SignalingRegimes, t: int, q: int, m: int, r: int) -> tuple[tuple[int, ...], ...]:
    return tuple((t, q, m, x) for x in range(search.shape[3]) if x != r and search.alike(q, m, x) == r)


def _off_path(
    search: SignalingRegimes,
    assume: Assumptions,
    reply: Reply,
    case: Conjunction,
    reasons: Mapping[Any, Sequence[str]],
    likely: frozenset[str],
) -> OffPath:
    game = search.game
    kinds: Sequence[str | None] = [None] if game.receiver_types is None else list(game.receiver_types)
    m = reply.message
    responses = {
        kinds[q]: {_label(search, q, m, r): assume.expression(reply.play[q, r]) for r in chosen}
        for q, chosen in enumerate(reply.responses)
    }
    beliefs: list[Any] = []
    for q, chosen in enumerate(reply.responses):
        beliefs += _supports(search, assume, q, m, chosen)
    cases = []
    for found in reply.cases:
        left = frozenset(p for p in found if not assume.implies(p, case))
        cases.append(conditions_of(assume, assume.simplify(left), reasons, likely))
    return OffPath(game.messages[m], responses, tuple(beliefs), () if () in cases else tuple(cases))


def _supports(search: SignalingRegimes, assume: Assumptions, q: int, m: int, chosen: Sequence[int]) -> list[Any]:
    """Return what a belief must satisfy so that all the chosen responses are optimal."""
    import sympy

    game, (T, _, _, _) = search.game, search.shape
    by = "" if game.receiver_types is None else f", {game.receiver_types[q]}"
    mu = [sympy.Symbol(f"Pr({name} | {game.messages[m]}{by})", nonnegative=True) for name in game.types]
    found = []
    for r in search.kept[q, m]:
        if r == chosen[0]:
            continue
        gains = [search.v[t, q, m, chosen[0]] - search.v[t, q, m, r] for t in range(T)]
        signs = {s if not left else None for s, left in map(assume.factors, gains)}
        if r not in chosen and signs <= {0, 1}:
            continue
        if T == 2:
            steep, left = assume.factors(gains[0] - gains[1])
            if steep and not left:
                bound = assume.expression(-gains[1] / (gains[0] - gains[1]))
                if r in chosen:
                    found.append(sympy.Eq(mu[0], bound))
                else:
                    found.append(sympy.Ge(mu[0], bound) if steep > 0 else sympy.Le(mu[0], bound))
                continue
        worth = sum(x * g.as_expr() for x, g in zip(mu, gains, strict=True))
        found.append(sympy.Eq(worth, 0) if r in chosen else sympy.Ge(worth, 0))
    return found


# ---------------------------------------------------------------- trees


def _of_branch(tree: TreeRegimes, branch: Branch, likely: frozenset[str]) -> Regime:
    assume, topology = tree.assumptions, tree.game.topology
    case = assume.simplify(branch.case)
    strategies: dict[str, dict[Any, dict[str, Any]]] = {player: {} for player in tree.game.players}
    _add_settled(tree, branch, strategies)
    values = tree.values(branch.choices)[0]
    assert values is not None
    play: dict[tuple[int, ...], tuple[Frac, tuple[tuple[int, ...], ...]]] = {}
    for z, node in enumerate(topology.terminal):
        probability = tree.reach(int(node), branch.choices)
        if probability is not None:
            play[(z,)] = (probability, ())
    reached = [
        s.actions[branch.choices[i]]
        for i, s in enumerate(tree.game.infosets)
        if any(tree.reach(node, branch.choices) is not None for node in s.nodes)
    ]
    return Regime(
        kind=", ".join(reached) or "no moves",
        conditions=conditions_of(assume, case, branch.reasons, likely),
        strategies=strategies,
        beliefs={},
        off_path=(),
        payoffs={player: assume.expression(x) for player, x in zip(tree.game.players, values, strict=True)},
        case=case,
        sends=(),
        levels=(),
        form=tree.game,
        play=play,
        assumptions=assume,
        likely=likely,
    )


def _add_settled(tree: TreeRegimes, branch: Branch, strategies: dict[str, dict[Any, dict[str, Any]]]) -> None:
    import sympy

    for i, choice in branch.choices.items():
        s = tree.game.infosets[i]
        strategies.setdefault(tree.game.players[s.player], {})[s.name] = {s.actions[choice]: sympy.Integer(1)}


def _merged(assume: Assumptions, found: list[Regime], likely: frozenset[str]) -> list[Regime]:
    """Join regimes with the same play and payoffs that differ by which side of one boundary they lie on."""
    left = list(found)
    for first in found:
        for second in found:
            if first is second or first not in left or second not in left or not _same_play(first, second):
                continue
            for atom in first.case:
                rest = first.case - {atom}
                beyond = all(assume.implies(p, rest | {-atom}) for p in second.case)
                if beyond and all(assume.implies(p, second.case) for p in rest):
                    left[left.index(first)] = first = _joined(assume, first, second, assume.simplify(rest), likely)
                    left.remove(second)
                    break
    return left


def _same_play(first: Regime, second: Regime) -> bool:
    return (
        first.outcome == second.outcome
        and first.payoffs == second.payoffs
        and all(first.chance_of(event) == second.chance_of(event) for event in getattr(first.form, "events", ()))
    )


def _joined(assume: Assumptions, first: Regime, second: Regime, case: Conjunction, likely: frozenset[str]) -> Regime:
    """Return two regimes as one; what is done off the path is kept where they agree."""
    strategies = {
        player: {key: actions for key, actions in sets.items() if second.strategies[player].get(key) == actions}
        for player, sets in first.strategies.items()
    }
    reasons: dict[Any, list[str]] = {}
    for regime in (first, second):
        for c in regime.conditions:
            reasons.setdefault(c.atom, []).extend(c.reasons)
    ways = {(o.message, str(o.responses), str(o.beliefs)): o for r in (first, second) for o in r.off_path}
    return replace(
        first,
        parts=(*(first.parts or (first,)), *(second.parts or (second,))),
        strategies=strategies,
        case=case,
        conditions=conditions_of(assume, case, reasons, likely),
        off_path=tuple(ways.values()),
    )
