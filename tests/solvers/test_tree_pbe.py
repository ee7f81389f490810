"""Perfect Bayesian equilibria of trees: through the signaling form and on the tree itself."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import regrets
from deterrence.games.quantities import symbols
from deterrence.games.reductions import to_signaling
from deterrence.games.tree import chance, end, move
from deterrence.solvers.pbe import pbe
from deterrence.solvers.trees.tree_pbe import pbe_of_tree
from tests.tree_strategies import signaling_trees


def tripwire(p, war):
    """A patron, resolute or not, stations forces or does not; the aggressor sees that and attacks or refrains.

    Forces cost a third and make a fight better by one.
    """

    def seen(cost, fights, infoset):
        fight = end("war", Patron=fights - cost, Aggressor=war)
        yields = end("fait accompli", Patron=-2 - cost, Aggressor=1)
        attacked = move("Patron", {"fight": fight, "yield": yields})
        return move(
            "Aggressor", {"refrain": end("peace", Patron=-cost, Aggressor=0), "attack": attacked}, infoset=infoset
        )

    def patron(fights):
        third = Fraction(1, 3)
        return move("Patron", {"forces": seen(third, fights + 1, "sees forces"), "none": seen(0, fights, "sees none")})

    return ExtensiveGame(
        ("Patron", "Aggressor"), chance({"resolute": (p, patron(-1)), "irresolute": (1 - p, patron(-4))})
    )


@settings(max_examples=25, deadline=None)
@given(tree=signaling_trees(messages=2))
def test_equilibria_of_the_signaling_form_are_equilibria_of_the_tree(tree):
    try:
        game = to_signaling(tree).game
    except GameError:
        assume(False)
    found = pbe_of_tree(tree)
    assert len(found) == len(pbe(game))
    assert found.complete
    for e in found:
        assert e.certificate.sequentially_rational
        for vertex in list(e.vertices)[:8]:
            assert regrets(tree, vertex.actions, vertex.nodes).max(initial=0) <= 1e-8 * tree.span
    for event in ("war", "peace"):
        if event in game.events:
            assert found.probability(event) == pytest.approx(pbe(game).probability(event), abs=1e-9)


def test_exact_equilibria_of_a_tree_are_rational():
    found = pbe_of_tree(tripwire(Fraction(1, 4), Fraction(-1)), exact=True)
    assert all(e.certificate.exact and e.certificate.max_regret == 0 for e in found)
    mixed = [e for e in found if e.kind == "semi-separating: irresolute mixes"]
    assert mixed
    # -1/3 - 2a = -2: the irresolute patron is indifferent; 1/4 to 1/4: the aggressor is
    assert [e.strategies["Aggressor"]["sees forces"]["attack"] for e in mixed] == [Fraction(5, 6)]
    assert [e.strategies["Patron"]["irresolute"]["forces"] for e in mixed] == [Fraction(1, 3)]
    assert mixed[0].probability("war") == Fraction(1, 4) * Fraction(5, 6)


def test_refinements_judge_the_tree_as_its_signaling_game():
    tree = tripwire(0.75, -1.0)
    found = pbe_of_tree(tree)
    signaling = pbe(to_signaling(tree).game)
    assert [e.survives("intuitive") for e in found] == [e.survives("intuitive") for e in signaling]


def test_a_batch_answers_as_its_games_do():
    p, war = symbols("p war")
    game = tripwire(p, war)
    batch = game.at(p=np.array([0.2, 0.4, 0.6, 0.9]), war=np.array([-1.0, -0.5, -2.0, -3.0]))
    found = pbe_of_tree(batch)

    def fought(path):
        return "war" in path

    for event in ("war", "attack", "fight", fought):
        low, high = found.probability(event)
        for i in range(4):
            assert (low[i], high[i]) == pytest.approx(found[i].probability(event), abs=1e-9)
    assert isinstance(found[0].game, ExtensiveGame)


def test_ties_of_last_movers_are_flagged_in_a_batch():
    def patron(x):
        late = move("P", {"f": end("war", P=x, A=-1), "y": end(P=0, A=1)})
        return move("P", {m: move("A", {"r": end(P=1, A=0), "a": late}, infoset=m) for m in "xy"})

    x = symbols("x")
    game = ExtensiveGame(("P", "A"), chance({"s": (0.5, patron(x)), "w": (0.5, patron(x - 1))}))
    assert pbe_of_tree(game.at(x=np.array([-0.5, 0.0, 0.5]))).degenerate.tolist()[1]


def test_batches_are_solved_in_floats():
    p, war = symbols("p war")
    with pytest.raises(GameError, match="solved in floats"):
        pbe_of_tree(tripwire(p, war).at(p=np.array([0.2]), war=np.array([-1.0])), exact=True)
