"""Signaling equilibria against Gambit: the credible ones among all Nash outcomes, no more and no fewer.

Gambit enumerates the extreme Nash equilibria of the strategic form in rational arithmetic
(``enummixed_solve``). An outcome of one is perfect Bayesian if after each unsent message some reply, optimal
at some belief, keeps all types at home; this filter is written here, apart from the solver. Gambit runs in a
process of its own: it can hang or crash the interpreter.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from deterrence.games.signaling import SignalingGame
from deterrence.solvers.pbe import pbe

SHAPES = [(2, 2, 2), (3, 2, 2), (2, 2, 2), (2, 3, 2), (3, 2, 2)]  # Gambit takes a second for one with three messages

WORKER = """
import io, json, sys
import pygambit
for line in sys.stdin:
    game = pygambit.read_nfg(io.BytesIO(line.strip().replace("|", chr(10)).encode()))
    found = pygambit.nash.enummixed_solve(game, rational=True).equilibria
    mixed = [[item[1] if isinstance(item, tuple) else item for item in profile] for profile in found]
    print(json.dumps([[[str(chance) for _, chance in player] for player in profile] for profile in mixed]))
    sys.stdout.flush()
"""


class Gambit:
    """A process that answers one game after the other; a game that takes too long costs the process and no more."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def extreme_equilibria(self, table):
        """Mixed strategies of both players in every extreme equilibrium, or None if Gambit does not answer."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        self.process.stdin.write(table + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], self.seconds)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.stop()
            return None
        return [tuple([Fraction(x) for x in player] for player in profile) for profile in json.loads(line)]


def random_game(rng, shape, high):
    types, _messages, _responses = shape
    weights = [int(w) for w in rng.integers(1, 10, types)]
    u, v = (rng.integers(0, high, shape).tolist() for _ in range(2))
    return make_game([Fraction(w, sum(weights)) for w in weights], u, v)


def make_game(prior, u, v):
    types, messages, responses = np.shape(u)
    exact = [[[[Fraction(x) for x in row] for row in block] for block in table] for table in (u, v)]
    return SignalingGame(
        [f"t{i}" for i in range(types)],
        [f"m{i}" for i in range(messages)],
        [f"r{i}" for i in range(responses)],
        prior,
        *exact,
    )


def strategic_form(game):
    """The game as a line of .nfg text: strategies are maps from types to messages, from messages to responses."""
    plans, replies = _plans(game)
    payoffs = [
        sum(p * table[t, m, reply[m]] for t, (p, m) in enumerate(zip(game.prior, plan)))
        for reply in replies  # the first player's index moves fastest
        for plan in plans
        for table in (game.sender_payoffs, game.receiver_payoffs)
    ]
    return f'NFG 1 R "signaling" {{ "Sender" "Receiver" }} {{ {len(plans)} {len(replies)} }}||' + " ".join(
        map(str, payoffs)
    )


def nash_outcomes(game, gambit):
    """(sender, reply after each sent message) of every extreme equilibrium."""
    found = gambit.extreme_equilibria(strategic_form(game))
    if found is None:
        return None
    plans, replies = _plans(game)
    outcomes = set()
    for mixed_plan, mixed_reply in found:
        sender = [
            [sum(w for w, s in zip(mixed_plan, plans) if s[t] == m) for m in range(len(game.messages))]
            for t in range(len(game.types))
        ]
        receiver = [
            [sum(w for w, s in zip(mixed_reply, replies) if s[m] == r) for r in range(len(game.responses))]
            for m in range(len(game.messages))
        ]
        outcomes.add(outcome(sender, receiver))
    return outcomes


def outcome(sender, receiver):
    sent = [any(row[m] > 0 for row in sender) for m in range(len(receiver))]
    return tuple(map(tuple, sender)), tuple(tuple(reply) if s else None for reply, s in zip(receiver, sent))


def is_credible(game, sender, replies):
    """Whether after each unsent message some reply to some belief keeps all types at home."""
    u, v = (np.asarray(x, dtype=float) for x in (game.sender_payoffs, game.receiver_payoffs))
    types, messages, responses = u.shape
    value = [
        max(float(sum(x * y for x, y in zip(replies[m], u[t, m]))) for m in range(messages) if replies[m])
        for t in range(types)
    ]
    return all(
        replies[m] is not None or any(_deters(u[:, m], v[:, m], value, ties) for ties in _subsets(responses))
        for m in range(messages)
    )


def _deters(u, v, value, ties):
    """Whether a belief makes these responses all optimal and a mixture of them gives no type more than its value."""
    types, responses = u.shape
    rows, bounds = [], []
    for r in ties:
        for other in range(responses):
            rows.append(np.concatenate([v[:, other] - v[:, r], np.zeros(responses)]))
            bounds.append(0)
    for t in range(types):
        rows.append(np.concatenate([np.zeros(types), u[t]]))
        bounds.append(value[t] + 1e-9)
    equal = np.array([[1] * types + [0] * responses, [0] * types + [1] * responses])
    limits = [(0, 1)] * types + [(0, 1 if r in ties else 0) for r in range(responses)]
    return linprog(np.zeros(types + responses), rows, bounds, equal, [1, 1], limits).status == 0


def is_nash(game, profile):
    """Whether no plan of either player, as maps of the strategic form, does better."""
    plans, replies = _plans(game)
    u, v = game.sender_payoffs, game.receiver_payoffs
    sender, receiver = profile.sender, profile.receiver[0]
    of_plan = [
        sum(
            p * sum(receiver[m, r] * u[t, m, r] for r in range(u.shape[2]))
            for t, (p, m) in enumerate(zip(game.prior, plan))
        )
        for plan in plans
    ]
    of_reply = [
        sum(p * sender[t, m] * v[t, m, reply[m]] for t, p in enumerate(game.prior) for m in range(u.shape[1]))
        for reply in replies
    ]
    cells = list(product(*map(range, u.shape)))
    got = [sum(game.prior[t] * sender[t, m] * receiver[m, r] * table[t, m, r] for t, m, r in cells) for table in (u, v)]
    return got == [max(of_plan), max(of_reply)]


def in_outcomes(point, components):
    """Whether an outcome lies in the hull of the outcomes of some component that sends the same messages."""
    sender, replies = point
    for component in components:
        vertices = [outcome(p.sender.tolist(), p.receiver[0].tolist()) for p in component.vertices]
        sent = [reply is not None for reply in replies]
        target = _flat(sender, [r for r in replies if r is not None])
        columns = [
            _flat(p.sender.tolist(), [r for r, s in zip(p.receiver[0].tolist(), sent) if s]) for p in component.vertices
        ]
        if any(any(row[m] > 0 for row in s) and not sent[m] for s, _ in vertices for m in range(len(sent))):
            continue
        equal = np.vstack([np.array(columns, dtype=float).T, np.ones(len(columns))])
        goal = np.append(np.array(target, dtype=float), 1)
        n = len(columns)
        near = np.vstack(
            [np.column_stack([equal, -np.ones(len(goal))]), np.column_stack([-equal, -np.ones(len(goal))])]
        )
        found = linprog(np.eye(n + 1)[n], near, np.concatenate([goal, -goal]))
        if found.status == 0 and found.fun < 1e-9:
            return True
    return False


def compare(game, gambit):
    """Compare; False if Gambit gave no answer."""
    nash = nash_outcomes(game, gambit)
    if nash is None:
        return False
    credible = {point for point in nash if is_credible(game, *point)}
    ours = pbe(game, exact=True)
    assert ours.complete
    for point in credible:
        assert in_outcomes(point, ours), f"missed {point} of {as_data(game)}"
    for component in ours:
        for vertex in component.vertices:
            assert is_nash(game, vertex), f"{vertex} is no Nash equilibrium of {as_data(game)}"
            assert is_credible(game, *outcome(vertex.sender.tolist(), vertex.receiver[0].tolist())), (
                f"{vertex} of {as_data(game)}"
            )
    isolated = {outcome(e.profile.sender.tolist(), e.profile.receiver[0].tolist()) for e in ours if _one_outcome(e)}
    assert isolated <= nash, f"outcomes {isolated - nash} are none of Gambit's in {as_data(game)}"
    if all(_one_outcome(e) for e in ours):
        assert isolated == credible, f"{isolated ^ credible} differ in {as_data(game)}"
    return True


def _one_outcome(equilibrium):
    return len({outcome(p.sender.tolist(), p.receiver[0].tolist()) for p in equilibrium.vertices}) == 1


def as_data(game):
    return {
        "prior": [str(p) for p in game.prior],
        "U": game.sender_payoffs.astype(int).tolist(),
        "V": game.receiver_payoffs.astype(int).tolist(),
    }


def _plans(game):
    types, messages, responses = game.sender_payoffs.shape
    return list(product(range(messages), repeat=types)), list(product(range(responses), repeat=messages))


def _subsets(n):
    return [[r for r in range(n) if mask >> r & 1] for mask in range(1, 2**n)]


def _flat(sender, replies):
    return [x for row in [*sender, *replies] for x in row]


def run(count, seed, high, seconds):
    pytest.importorskip("pygambit")
    rng = np.random.default_rng(seed)
    with Gambit(seconds) as gambit:
        answered = [compare(random_game(rng, SHAPES[i % len(SHAPES)], high), gambit) for i in range(count)]
    assert sum(answered) >= 0.95 * count, f"Gambit answered {sum(answered)} of {count} games within {seconds} s"


@pytest.mark.timeout(600)
def test_the_set_is_the_credible_part_of_all_nash_outcomes():
    run(15, seed=2024, high=100, seconds=20)


@pytest.mark.timeout(600)
def test_with_tied_payoffs_no_credible_nash_outcome_is_missed():
    run(10, seed=7, high=4, seconds=20)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("high", [100, 4])
def test_the_set_is_the_credible_part_of_all_nash_outcomes_of_many_games(high):
    run(500, seed=high, high=high, seconds=60)


@pytest.mark.parametrize(
    ("prior", "u", "v"),
    [
        ("5/6", [[[30, 75], [19, 49]], [[53, 54], [59, 17]]], [[[22, 24], [65, 52]], [[61, 0], [6, 69]]]),
        ("8/17", [[[7, 89], [49, 13]], [[61, 11], [77, 20]]], [[[69, 0], [52, 4]], [[12, 29], [5, 89]]]),
    ],
    ids=["pooling on m0 held up by a mixed reply", "totally mixed"],
)
def test_games_for_which_gambits_enumpoly_finds_nothing(prior, u, v):
    p = Fraction(prior)
    game = make_game([p, 1 - p], u, v)
    found = pbe(game, exact=True)
    assert found.complete
    assert len(found) >= 1
    assert all(is_nash(game, vertex) for e in found for vertex in e.vertices)
    if prior == "5/6":
        assert found.kinds == ("pooling on m0",)
        assert any(0 < e.profile.receiver[0, 1, 0] < 1 for e in found)
    else:
        (only,) = found
        assert all(0 < x < 1 for x in [*only.profile.sender.ravel(), *only.profile.receiver.ravel()])


def test_the_oracle_finds_what_it_should():
    """Beer-quiche: both pooling outcomes are credible Nash outcomes; the filter strikes an empty threat."""
    pytest.importorskip("pygambit")
    game = make_game(
        [Fraction(9, 10), Fraction(1, 10)], [[[1, 3], [0, 2]], [[0, 2], [1, 3]]], [[[0, 1], [0, 1]], [[1, 0], [1, 0]]]
    )
    with Gambit(20) as gambit:
        found = nash_outcomes(game, gambit)
    peace = (Fraction(0), Fraction(1))
    both = {(((1, 0), (1, 0)), (peace, None)), (((0, 1), (0, 1)), (None, peace))}
    assert found == both
    assert all(is_credible(game, *point) for point in both)
    v = [[[0, 1], [0, 1]], [[0, 1], [0, 1]]]  # now the receiver never wants to duel
    empty = make_game([Fraction(9, 10), Fraction(1, 10)], [[[1, 3], [0, 2]], [[0, 2], [1, 3]]], v)
    assert not is_credible(empty, ((1, 0), (1, 0)), (peace, None))
