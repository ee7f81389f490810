"""The definition of perfect Bayesian equilibrium of a signaling game, checked term by term.

A profile has the sender's strategy ``sigma(m|t)``, the receiver's ``rho(r|q,m)`` and beliefs ``mu(t|q,m)``.
It is a perfect Bayesian equilibrium if

1. every sender type t, one of prior zero included, sends only messages that maximise
   ``sum_q P(q|t) sum_r rho(r|q,m) u(t,q,m,r)``, with P the sender's prior;
2. every receiver type q, after every message m, sent or not, gives only responses that maximise
   ``sum_t mu(t|q,m) v(t,q,m,r)``;
3. ``mu(t|q,m)`` is proportional to ``P(t|q) sigma(m|t)``, with P the receiver's prior, wherever that is not
   zero for all t.

A conditional on a type that a prior rules out is that prior's marginal over the other player's types. The
loops below read the game's arrays only as nested lists of rational numbers (a float payoff is the decimal that it
prints as) and use no linear algebra.

Where probabilities are floats, each distribution is made to sum to one, and what their rounding can do is bounded at
each information set by the numbers that are compared there: with ``w`` the value of an action and ``p`` the
probabilities of its outcomes x, a regret up to ``tol`` times ``sum p |x - w|`` counts as none. Payoffs that play does
not meet, and a constant added to all, are not in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isfinite, lcm
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Certificate, Equilibrium
from deterrence.games.errors import GameError
from deterrence.games.quantities import SUM_TOLERANCE
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile


def verify_signaling(game: SignalingGame, equilibrium: Equilibrium | Any, tol: float = 1e-9) -> Certificate:
    """Certify a perfect Bayesian equilibrium of a signaling game, or a bare profile.

    Parameters
    ----------
    game : SignalingGame
        One game with numbers.
    equilibrium : Equilibrium or SignalingProfile
        Of an Equilibrium, every vertex and the profile are checked; the certificate is that of the worst.
    tol : float
        Regret that counts as none where probabilities are floats, as a share of the spread of the outcomes that are
        compared (see above); exact profiles are held to 0.

    Returns
    -------
    Certificate

    Raises
    ------
    GameError
        If the game is symbolic or a batch, or an array of a profile has the wrong shape or is no distribution.
    """
    profiles: list[Any] = [equilibrium]
    if isinstance(equilibrium, Equilibrium):
        several = len(equilibrium.vertices) > 1
        profiles = [*equilibrium.vertices, equilibrium.profile] if several else [equilibrium.profile]
    game.require_numbers()
    if game.batch_shape:
        raise GameError(f"verify takes one game at a time, got a batch of shape {game.batch_shape}; index it first")
    exact = game.kind == "exact" and all(_is_rational(array) for p in profiles for array in _arrays(p).values())
    known = _known(game)
    share = Fraction(0) if exact else Fraction(repr(float(tol)))
    regret = error = Fraction(0)
    rational = True
    read: dict[Any, _Whole] = {}  # vertices of a product share their factors
    met: set[Any] = set()
    for profile in profiles:
        (sigma, rho, mu), (s, r, m) = _checked(game, profile, exact, read)
        checks: list[tuple[Fraction, Fraction]] = []
        if (s, m) not in met:
            error = max(error, _belief_error(known.receiver_view, sigma, mu, exact))
        if (s, r) not in met:
            checks += _sender_regrets(known, sigma, rho)
        if (r, m) not in met:
            checks += _receiver_regrets(known, rho, mu)
        met |= {(s, m), (s, r), (r, m)}
        for gain, spread in checks:
            regret = max(regret, gain)
            rational = rational and gain <= share * spread
    number: Any = Fraction if exact else float
    return Certificate(
        max_regret=number(regret), max_belief_error=number(error), sequentially_rational=rational, exact=exact
    )


@dataclass(frozen=True)
class _Whole:
    """Nested lists of whole numbers, and the denominator that all of them share."""

    numbers: Any
    denominator: int


@dataclass(frozen=True)
class _Known:
    """A game's payoffs [t][q][m][r] and views, in whole numbers: P(q|t) as [t][q], P(t|q) as [q][t]."""

    u: _Whole
    v: _Whole
    sender_view: _Whole
    receiver_view: _Whole


@lru_cache(maxsize=2)  # a game is asked about all its equilibria in turn; games of one shape share a hash
def _known(game: SignalingGame) -> _Known:
    exact = game.exact()
    return _Known(
        u=_whole(exact.U.tolist()),
        v=_whole(exact.V.tolist()),
        sender_view=_whole(_rows_given(exact.sender_joint.tolist())),
        receiver_view=_whole(_rows_given(_transposed(exact.receiver_joint.tolist()))),
    )


def _sender_regrets(known: _Known, sigma: _Whole, rho: _Whole) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield what each sender type could gain by another message, and the spread of the outcomes compared."""
    chance_of = known.sender_view.denominator * rho.denominator
    for t, chances in enumerate(known.sender_view.numbers):
        u, chosen = known.u.numbers[t], sigma.numbers[t]
        lotteries = [
            [
                (chance * weight, u[q][m][r])
                for q, chance in enumerate(chances)
                if chance
                for r, weight in enumerate(rho.numbers[q][m])
                if weight
            ]
            for m in range(len(chosen))
        ]
        yield _regret(lotteries, chance_of, chosen, sigma.denominator, known.u.denominator)


def _receiver_regrets(known: _Known, rho: _Whole, mu: _Whole) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield what each receiver type could gain, after any message, at its belief, and the spread compared."""
    v = known.v.numbers
    for q, replies in enumerate(rho.numbers):
        for m, reply in enumerate(replies):
            belief = [(weight, v[t][q][m]) for t, weight in enumerate(mu.numbers[q][m]) if weight]
            lotteries = [[(weight, row[r]) for weight, row in belief] for r in range(len(reply))]
            yield _regret(lotteries, mu.denominator, reply, rho.denominator, known.v.denominator)


def _regret(
    lotteries: list[list[tuple[int, int]]], chances: int, chosen: list[int], weights: int, payoffs: int
) -> tuple[Fraction, Fraction]:
    """Return what the best lottery gives over the mixture chosen, and the spread of the outcomes of all of these.

    Parameters
    ----------
    lotteries : list of list of (probability, payoff)
    chosen : list of int
        Probability of each lottery in the mixture.
    chances, weights, payoffs : int
        Denominators of the probabilities in lotteries, of the mixture, and of the payoffs.
    """
    values = [sum([p * x for p, x in lottery]) for lottery in lotteries]
    best = max(values)
    got = sum([weight * value for weight, value in zip(chosen, values, strict=True) if weight])
    gain = weights * best - got
    if not gain:
        return Fraction(0), Fraction(0)
    unit = weights * chances  # of what an outcome is compared with
    spread = max(
        sum([p * abs(x * unit - got) for p, x in lottery])
        for lottery, weight, value in zip(lotteries, chosen, values, strict=True)
        if weight or value == best
    )
    return Fraction(gain, unit * payoffs), Fraction(spread, unit * payoffs * chances)


def _belief_error(view: _Whole, sigma: _Whole, mu: _Whole, exact: bool) -> Fraction:
    """Largest distance of a belief from Bayes' rule, over the messages that the receiver type expects at all."""
    worst = Fraction(0)
    least = 0 if exact else SUM_TOLERANCE * view.denominator * sigma.denominator
    for q, chances in enumerate(view.numbers):
        for m in range(len(sigma.numbers[0])):
            weights = [chance * row[m] for chance, row in zip(chances, sigma.numbers, strict=True)]
            total = sum(weights)
            if total <= least:
                continue  # unexpected: the belief is free
            apart = max(abs(x * total - w * mu.denominator) for x, w in zip(mu.numbers[q][m], weights, strict=True))
            if apart:
                worst = max(worst, Fraction(apart, total * mu.denominator))
    return worst


def _rows_given(joint: Any) -> Any:
    """Each row divided by its sum; a row of zeros becomes the sum of all rows (the marginal)."""
    marginal = [sum(row[j] for row in joint) for j in range(len(joint[0]))]
    return [[x / sum(row) for x in row] if sum(row) > 0 else marginal for row in joint]


def _checked(
    game: SignalingGame, profile: SignalingProfile, exact: bool, read: dict[Any, _Whole]
) -> tuple[list[_Whole], list[Any]]:
    """Return the three arrays of a profile in whole numbers, their rows checked to be distributions, and their keys.

    Rows that miss one by rounding are made to sum to it by their largest entry. What was read before is not read again.
    """
    t, q, m, r = game.shape
    shapes = {"sender": (t, m), "receiver": (q, m, r), "posterior": (q, m, t)}
    lists: list[_Whole] = []
    keys: list[Any] = []
    for name, array in _arrays(profile).items():
        content = array.tobytes() if array.dtype != object else tuple(array.ravel().tolist())
        keys.append((name, array.shape, array.dtype.kind, content))
        if keys[-1] in read:
            lists.append(read[keys[-1]])
            continue
        if array.shape != shapes[name]:
            raise GameError(f"{name} of the profile must have shape {shapes[name]}, got {array.shape}")
        stated = array.reshape(-1, array.shape[-1]).tolist()
        for i, row in enumerate(stated):
            if not all(map(isfinite, row)):
                raise GameError(f"{_place(name, i, m)} of the profile must be a distribution, got {row}")
        whole = _whole(stated)
        rows, one = whole.numbers, whole.denominator
        slack = 0 if exact else SUM_TOLERANCE * one
        for i, row in enumerate(rows):
            missing = one - sum(row)
            if not (min(row) >= -slack and abs(missing) <= slack):
                raise GameError(
                    f"{_place(name, i, m)} of the profile must be a distribution, got {[str(x) for x in stated[i]]} "
                    f"with sum {sum(stated[i])}"
                )
            if missing:
                row[row.index(max(row))] += missing
        lists.append(_Whole(rows if name == "sender" else [rows[i : i + m] for i in range(0, len(rows), m)], one))
        read[keys[-1]] = lists[-1]
    return lists, keys


def _place(name: str, i: int, messages: int) -> str:
    """Name the i-th distribution of an array: by type, or by receiver type and message."""
    return f"{name}{[i] if name == 'sender' else list(divmod(i, messages))}"


def _arrays(profile: SignalingProfile) -> dict[str, Any]:
    return {name: np.asarray(getattr(profile, name)) for name in ("sender", "receiver", "posterior")}


def _is_rational(array: Any) -> bool:
    return bool(array.dtype.kind in "iu") or all(isinstance(x, Fraction | int) for x in array.ravel().tolist())


def _whole(nested: Any) -> _Whole:
    """Return nested lists of rationals, or of floats as the binary fractions that they are, over one denominator."""
    denominator = lcm(*{x.as_integer_ratio()[1] for x in _flat(nested)})
    return _Whole(_scaled(nested, denominator), denominator)


def _flat(nested: Any) -> Iterator[Any]:
    for x in nested:
        if isinstance(x, list):
            yield from _flat(x)
        else:
            yield x


def _scaled(nested: Any, denominator: int) -> Any:
    if isinstance(nested, list):
        return [_scaled(x, denominator) for x in nested]
    numerator, own = nested.as_integer_ratio()
    return numerator * (denominator // own)


def _transposed(nested: Any) -> Any:
    return [list(column) for column in zip(*nested, strict=True)]
