"""Trees and tables against Gambit: the same equilibria where methods are comparable, and every difference explained."""

from __future__ import annotations

import importlib.util
from fractions import Fraction

import numpy as np
import pytest

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.strategic_tree import to_strategic
from deterrence.games.gambit.efg import read_efg, write_efg
from deterrence.games.gambit.nfg import read_nfg, write_nfg
from deterrence.games.play import expected_payoffs
from deterrence.games.strategic import MixedProfile, StrategicGame
from deterrence.games.tree import Node, chance, end, move
from deterrence.solvers.nash import nash
from deterrence.solvers.qre import qre
from deterrence.solvers.sequential import sequential
from deterrence.solvers.trees.stage_assessments import supporting_beliefs
from deterrence.solvers.trees.threats import credibility, subgame_failures
from deterrence.solvers.verification.tree import plan_regrets
from tests.gambit_answers import Gambit
from tests.textbook_trees import alliance, centipede, crisis, entry, horse, outside_option, typed_tree

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pygambit") is None, reason="Gambit has no wheel for this platform"
)


@pytest.fixture(scope="module")
def gambit():
    with Gambit() as oracle:
        yield oracle


def random_tree(seed: int) -> ExtensiveGame:
    """Two players, three moves deep, a hidden first move now and then, integer payoffs without ties (almost surely)."""
    rng = np.random.default_rng(seed)

    def leaf() -> Node:
        a, b = rng.integers(-1000, 1000, 2)
        return end(A=int(a), B=int(b))

    def grow(depth: int, seen: str) -> Node:
        if depth == 3 or (depth > 0 and rng.random() < 0.25):
            return leaf()
        if depth > 0 and rng.random() < 0.2:
            p = Fraction(int(rng.integers(1, 6)), 6)
            return chance({"up": (p, grow(depth + 1, seen + "u")), "down": (1 - p, grow(depth + 1, seen + "d"))})
        return move("AB"[depth % 2], {x: grow(depth + 1, seen + x) for x in "lr"}, infoset=f"after {seen or 'nothing'}")

    def hidden() -> Node:
        replies = [
            move("B", {x: leaf() if rng.random() < 0.6 else grow(2, y + x) for x in "lr"}, infoset="B") for y in "lr"
        ]
        return move("A", dict(zip("lr", replies, strict=True)), infoset="A")

    if rng.random() < 0.5:
        return ExtensiveGame(("A", "B"), hidden())
    if rng.random() < 0.5:
        return ExtensiveGame(("A", "B"), move("A", {"out": leaf(), "in": hidden()}, infoset="start"))
    return ExtensiveGame(("A", "B"), grow(0, ""))


def flat(profile: list[list[list[str]]], game: ExtensiveGame) -> np.ndarray:
    """Gambit's probabilities in our order of actions; a set that Gambit leaves open is left 0."""
    actions = np.zeros(game.topology.action_count)
    for player, sets in enumerate(profile):
        mine = [s for s in game.infosets if s.player == player]
        for s, weights in zip(mine, sets, strict=True):
            actions[s.slots] = [float(Fraction(w)) for w in weights]
    return actions


TREES = [horse(), entry(), centipede(4), typed_tree(2, 2, 2, 0, zero_sum=False), alliance(2)]


@pytest.mark.parametrize("game", TREES, ids=lambda g: f"{g.topology.size} nodes")
@pytest.mark.parametrize("precision", [0.5, 3.0])
def test_quantal_response(game, precision, gambit):
    (theirs,) = gambit.ask("logit_solve_lambda", write_efg(game), lam=precision)
    ours = qre(game, precision=precision)[0].profile.actions
    assert np.allclose(flat(theirs, game), ours, atol=1e-5)


def test_at_a_fork_gambit_leaves_the_symmetric_branch(gambit):
    """The subgame is symmetric: its branch forks; Gambit perturbs where ours goes straight on. Both are equilibria."""
    game = outside_option()
    (theirs,) = gambit.ask("logit_solve_lambda", write_efg(game), lam=3.0)
    ours = [e.profile.actions for e in qre(game, precision=3.0, starts=30)]
    assert any(np.allclose(flat(theirs, game), mine, atol=1e-5) for mine in ours)
    top, left = game.infoset("A", "in").first, game.infoset("B", "B").first
    assert np.isclose(ours[0][top], ours[0][left + 1])  # A leans to its better equilibrium as B does to its own


def extreme(solved):
    return sorted({tuple(Fraction(p) for mix in v.mixed for p in mix) for e in solved for v in e.vertices})


@pytest.mark.parametrize("spread", [3, 100])  # with and without ties
def test_extreme_equilibria_of_tables(spread, gambit):
    rng = np.random.default_rng(spread)
    for _ in range(8):
        shape = tuple(rng.integers(2, 5, 2))
        game = StrategicGame(*rng.integers(0, spread, (2, *shape)).tolist()).exact()
        theirs = gambit.ask("enummixed_solve", write_nfg(game), "nfg", rational=True)
        expected = sorted({tuple(Fraction(p) for player in profile for p in player) for profile in theirs})
        assert extreme(nash(game, exact=True)) == expected


def compare_with_agent_equilibria(game, gambit):
    """Pure sequential equilibria are among Gambit's pure agent equilibria; return how many of these are incredible."""
    theirs = [flat(p, game) for p in gambit.ask("enumpure_agent_solve", write_efg(game))]
    ours = [e.profile.actions for e in sequential(game, pure=True)]
    for mine in ours:
        assert any(np.array_equal(mine, other) for other in theirs)
    incredible = 0
    for other in theirs:
        if any(np.array_equal(other, mine) for mine in ours):
            continue
        incredible += 1  # not sequential, and this is why: no equilibrium, or a plan that no consistent belief supports
        values = expected_payoffs(game, other)
        assert max(plan_regrets(game, _profile(other))) > 1e-9 or not _credible(game, other), values
    return incredible


def _profile(actions):
    return BehaviorProfile(actions)


def _credible(game, actions):
    """Whether some consistent beliefs make exactly these plans optimal everywhere, own doing included."""
    return not subgame_failures(game, actions, 1e-9) and supporting_beliefs(game, actions)[0] is not None


def compare_with_extreme_equilibria(game, gambit):
    """Payoffs of the extreme Nash equilibria are the same; each that is credible is sequential by our search too."""
    theirs = gambit.ask("enummixed_solve", write_efg(game.exact()), rational=True)
    solved = nash(game)
    mine = {tuple(round(float(x), 6) for x in v.payoffs(game).values()) for e in solved for v in e.vertices}
    found = set()
    reduction = to_strategic(game.exact())
    for profile in theirs:
        mixed = tuple(np.array([Fraction(p) for p in player], dtype=object) for player in profile)
        found.add(tuple(round(float(x), 6) for x in MixedProfile(mixed).payoffs(reduction.game).values()))
    assert mine == found
    sequential_payoffs = {tuple(round(float(x), 5) for x in e.payoffs.values()) for e in sequential(game)}
    incredible = 0
    for e in solved:
        if e.isolated and credibility(game, e.profile) == "sequential":
            assert tuple(round(float(x), 5) for x in e.payoffs.values()) in sequential_payoffs
        else:
            incredible += 1
    return incredible


@pytest.mark.parametrize("seed", range(8))
def test_random_trees(seed, gambit):
    game = random_tree(seed)
    compare_with_agent_equilibria(game, gambit)
    compare_with_extreme_equilibria(game, gambit)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_three_hundred_random_trees(gambit):
    incredible = 0
    for seed in range(1000, 1300):
        game = random_tree(seed)
        compare_with_agent_equilibria(game, gambit)
        incredible += compare_with_extreme_equilibria(game, gambit)
    assert incredible > 0  # Gambit lists them all alike; some rest on threats that are incredible


def test_alliance_equilibria_are_the_credible_agent_equilibria(gambit):
    for n in (2, 3):
        assert compare_with_agent_equilibria(alliance(n), gambit) > 0


COUNTS = {
    "journals/dcg/vonstengel1999/6x6_game_with_75_eq": 75,
    "journals/other/shapley1974/fig2": 3,
    "journals/other/shapley1974/fig3": 3,
    "journals/ijgt/nau2004/sec3": 3,
    "journals/ijgt/nau2004/sec4": 1,
}


def test_published_counts(gambit):
    names = gambit.ask("catalogue")
    found = {}
    for name in COUNTS:
        if name not in names:
            continue
        text, form = gambit.ask("text", name=name)
        if form == "nfg":
            solved = nash(read_nfg(text))
            assert solved.complete
            found[name] = len(solved)
    assert found
    assert found == {name: COUNTS[name] for name in found}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_published_trees_have_certified_sequential_equilibria(gambit):
    """Gambit's catalogue: all of ours are certified and are Nash; imperfect recall is refused by name."""
    solved = 0
    for name in gambit.ask("catalogue"):
        answer = gambit.ask("text", name=name)
        if answer is None or answer[1] != "efg":
            continue
        game = read_efg(answer[0])
        if not game.perfect_recall:
            with pytest.raises(Exception, match="perfect recall"):
                sequential(game)
            continue
        if len(game.infosets) > 12:
            continue
        result = sequential(game.floats())
        solved += 1
        for e in result:
            assert max(plan_regrets(result.game, e.profile)) <= 1e-7 * result.game.span, name
    assert solved >= 10


def test_crisis_without_ties_has_one_credible_equilibrium(gambit):
    game = crisis({"sq": 0, "win": 1, "back": -0.3, "war": -0.6}, {"sq": 1, "win": 0.9, "war": -0.5, "yield": 0})
    assert compare_with_agent_equilibria(game, gambit) >= 0
    assert len(sequential(game)) == 1
