"""Closed forms by machine: known propositions come out, and agree with the numeric solvers wherever there is no tie."""

from __future__ import annotations

import pickle
import re
from fractions import Fraction
from functools import lru_cache

import hypothesis
import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import deterrence as dt
from deterrence.games.answers import Status
from deterrence.solvers.regimes import regimes
from deterrence.solvers.symbolic.conditions import Assumptions
from deterrence.solvers.symbolic.statics import derivative_sign

# ---------------------------------------------------------------- games with symbols


def beer_quiche():
    """Cho and Kreps (1987) with symbolic prior, taste for breakfast (a) and cost of a duel (b)."""
    p, a, b = dt.symbols("p a b")
    return dt.SignalingGame(
        types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[p, 1 - p],
        sender_payoffs=[[[a, a + b], [0, b]], [[0, b], [a, a + b]]],
        receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    ), ("a > 0", "b > 0")  # fmt: skip


def alliance_signal():
    """ALSIG as a tree: whether the guarantor fights is settled by the machine."""
    rho, k, h, d1, v_I, w, v_R, g, d = dt.symbols("rho k h d1 v_I w v_R g d")

    def after(v, paid, tied, loss, seen):
        answer = dt.move(
            "G", {"fight": dt.end("war", G=-paid - w, A=-loss), "abandon": dt.end("conquest", G=-paid - v - tied, A=g)}
        )
        return dt.move("A", {"hold": dt.end("peace", G=-paid, A=0), "attack": answer}, infoset=seen)

    def guarantor(v):
        return dt.move("G", {"silence": after(v, 0, 0, d, "no treaty"), "treaty": after(v, k, h, d1, "signed")})

    root = dt.chance({"R": (rho, guarantor(v_R)), "I": (1 - rho, guarantor(v_I))})
    return dt.ExtensiveGame(("G", "A"), root), ("k > 0", "h >= 0", "0 < v_I < w < v_R", "0 < d <= d1", "g > 0")


def unilateral_deterrence():
    """UDG with every payoff a symbol (Zagare and Kilgour 2000, ch. 5)."""
    names = "p_Ch p_Def c_DC c_SQ c_DDp c_CD d_SQ d_CD d_DDp d_DC d_DDm"
    p_Ch, p_Def, c_DC, c_SQ, c_DDp, c_CD, d_SQ, d_CD, d_DDp, d_DC, d_DDm = dt.symbols(names)
    kinds = ("hard", "soft")
    ends = {"hard": c_DDp, "soft": c_CD}
    resisted = {("hard", "hard"): d_DDp, ("hard", "soft"): d_DDm, ("soft", "hard"): d_CD, ("soft", "soft"): d_CD}
    return dt.SignalingGame(
        types=kinds, messages=("status quo", "initiate"), responses=("concede", "resist"),
        receiver_types=("hard defender", "soft defender"),
        prior=[[p_Ch * p_Def, p_Ch * (1 - p_Def)], [(1 - p_Ch) * p_Def, (1 - p_Ch) * (1 - p_Def)]],
        sender_payoffs=[[[[c_SQ] * 2, [c_DC, ends[t]]] for _ in kinds] for t in kinds],
        receiver_payoffs=[[[[d_SQ] * 2, [d_DC, resisted[t, q]]] for q in kinds] for t in kinds],
        events={
            "challenge": [[[[0, 0], [1, 1]]] * 2] * 2,
            "war": [[[[0, 0], [0, 1]]] * 2, [[[0, 0], [0, 0]]] * 2],
        },
    ), ("c_CD < c_DDp < c_SQ < c_DC", "d_DDm < d_DC < d_DDp", "d_DC < d_CD")  # fmt: skip


def rudimentary_deterrence():
    """RADG: the attacker knows only how likely the defender is to be hard (Zagare and Kilgour 2000, app. 3)."""
    p_B, a_SQ, a_DC, a_DD, b_SQ, b_DC, b_hard, b_soft = dt.symbols("p_B a_SQ a_DC a_DD b_SQ b_DC b_hard b_soft")

    def attacker(war):
        reply = dt.move("B", {"concede": dt.end("DC", A=a_DC, B=b_DC), "fight": dt.end("war", A=a_DD, B=war)})
        return dt.move("A", {"hold": dt.end("SQ", A=a_SQ, B=b_SQ), "attack": reply}, infoset="A")

    root = dt.chance({"hard": (p_B, attacker(b_hard)), "soft": (1 - p_B, attacker(b_soft))})
    return dt.ExtensiveGame(("A", "B"), root), ("a_DD < a_SQ < a_DC", "b_soft < b_DC < b_hard")


def education():
    """Spence (1973): two types, effort or none at a cost by type; the market hires to one of two jobs."""
    p, c_H, c_L, wage = dt.symbols("p c_H c_L wage")
    return dt.SignalingGame(
        types=("able", "not"), messages=("none", "degree"), responses=("low job", "high job"), prior=[p, 1 - p],
        sender_payoffs=[[[0, wage], [-c_H, wage - c_H]], [[0, wage], [-c_L, wage - c_L]]],
        receiver_payoffs=[[[0, 1], [0, 1]], [[0, -1], [0, -1]]],
    ), ("0 < c_H < c_L", "wage > 0")  # fmt: skip


def crisis():
    """A tree of perfect information: hold or attack, yield or resist, back down or fight (CID)."""
    sq, win, back, war, keep, lose, stand, fight = dt.symbols("A_sq A_win A_back A_war D_sq D_yield D_win D_war")
    last = dt.move("A", {"back": dt.end("BACKDOWN", A=back, D=stand), "fight": dt.end("WAR", A=war, D=fight)})
    reply = dt.move("D", {"yield": dt.end("CONCESSION", A=win, D=lose), "resist": last})
    return dt.ExtensiveGame(("A", "D"), dt.move("A", {"hold": dt.end("SQ", A=sq, D=keep), "attack": reply})), ()


def rudimentary_deterrence_seen_from_the_defender():
    """RADG once more, as a signaling game: the attacker has one type, and the defender knows whether it is hard."""
    p_B, a_SQ, a_DC, a_DD, b_SQ, b_DC, b_hard, b_soft = dt.symbols("p_B a_SQ a_DC a_DD b_SQ b_DC b_hard b_soft")
    return dt.SignalingGame(
        types=("A",), messages=("hold", "attack"), responses=("concede", "fight"), receiver_types=("hard", "soft"),
        prior=[[p_B, 1 - p_B]],
        sender_payoffs=[[[[a_SQ] * 2, [a_DC, a_DD]]] * 2],
        receiver_payoffs=[[[[b_SQ] * 2, [b_DC, war]] for war in (b_hard, b_soft)]],
        events={"war": [[[[0, 0], [0, 1]]] * 2]},
    ), ("a_DD < a_SQ < a_DC", "b_soft < b_DC < b_hard")  # fmt: skip


def two_types():
    """The textbook game: the resolute fights (2 is at stake), the other gives way; forces cost k, war costs w."""
    rho, k, w, v, g, loss = dt.symbols("rho k w v g l")
    return dt.SignalingGame(
        types=("resolute", "irresolute"), messages=("forces", "none"), responses=("attack", "refrain"),
        prior=[rho, 1 - rho],
        sender_payoffs=[[[-w - k, -k], [-w, 0]], [[-v - k, -k], [-v, 0]]],
        receiver_payoffs=[[[-loss, 0], [-loss, 0]], [[g, 0], [g, 0]]],
    ), ("k > 0", "0 < v < w", "g > 0", "l > 0")  # fmt: skip


GAMES = {
    "beer-quiche": (beer_quiche, ("duel",)),
    "ALSIG": (alliance_signal, ("attack", "war")),
    "UDG": (unilateral_deterrence, ("challenge", "war")),
    "RADG, two sides": (rudimentary_deterrence_seen_from_the_defender, ("attack", "war")),
    "two types": (two_types, ("attack",)),
    "Spence": (education, ("degree", "high job")),
}


def draws(name, rng, size):
    """Points that satisfy the assumptions of a game, drawn here: parameters in order, then those in brackets sorted."""
    uniform = {
        "beer-quiche": "p [a] [b]", "ALSIG": "rho [k] [h] [v_I w v_R] [d d1] [g]",
        "UDG": "p_Ch p_Def [c_CD c_DDp c_SQ c_DC] [d_DDm d_DC d_DDp] [d_SQ] [d_CD]",
        "RADG, two sides": "p_B [a_DD a_SQ a_DC] [b_soft b_DC b_hard] [b_SQ]",
        "two types": "rho [k] [v w] [g] [l]", "Spence": "p [c_H c_L] [wage]",
    }[name]  # fmt: skip
    found = {}
    for group in re.findall(r"\[[^]]*\]|\S+", uniform):
        names = group.strip("[]").split()
        column = np.sort(rng.uniform(0, 3 if group[0] == "[" else 1, (len(names), size)), axis=0)
        found |= dict(zip(names, column, strict=True))
    if name == "UDG":
        found["d_CD"] = found["d_DC"] + found["d_CD"]
    return found


@lru_cache
def solved(name):
    make = {**{key: make for key, (make, _) in GAMES.items()}, "RADG": rudimentary_deterrence, "CID": crisis}[name]
    game, assumptions = make()
    return regimes(game, assumptions=assumptions)


def same(expression, text, found):
    """Whether an expression is what a text says, as rational functions."""
    names = {str(s): s for s in found.assumptions.symbols}
    return sympy.simplify(expression - sympy.sympify(text, locals=names)) == 0


# ---------------------------------------------------------------- published propositions


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("beer-quiche", {
            "separating": ["b <= a"],
            "pooling on beer": ["a <= b, 1/2 <= p"],
            "pooling on quiche": ["a <= b, 1/2 <= p"],
            "semi-separating: weak mixes": ["a <= b, p <= 1/2"],
        }),
        ("ALSIG", {
            "separating": ["v_I <= k <= w"],
            "pooling on silence": [
                "g/(d + g) <= rho", "h + v_I <= w, rho <= g/(d + g)", "w <= k, w <= h + v_I, rho <= g/(d + g)"],
            "pooling on treaty": ["k <= v_I, w <= h + v_I", "k <= v_I, h + v_I <= w, g/(d1 + g) <= rho"],
            "semi-separating: I mixes": ["k <= v_I, h + v_I <= w, rho <= g/(d1 + g)"],
            "semi-separating: R mixes": ["k <= w, g/(d + g) <= rho"],
        }),
        ("UDG", {
            "separating": ["(c_DC - c_SQ)/(c_DC - c_CD) <= p_Def <= (c_DC - c_SQ)/(c_DC - c_DDp)"],
            "pooling on status quo": ["always"],
            "pooling on initiate": [
                "(d_CD - d_DC)/(d_CD - d_DDm) <= p_Ch, p_Def <= (c_DC - c_SQ)/(c_DC - c_CD)"],
            "semi-separating: soft mixes": [
                "p_Ch <= (d_CD - d_DC)/(d_CD - d_DDm), p_Def <= (c_DC - c_SQ)/(c_DC - c_CD)"],
        }),
        ("RADG", {
            "hold": ["(a_DC - a_SQ)/(a_DC - a_DD) <= p_B"],
            "attack, fight, concede": ["p_B <= (a_DC - a_SQ)/(a_DC - a_DD)"],
        }),
        ("Spence", {
            "separating": ["c_H <= wage <= c_L"],
            "pooling on none": ["p <= 1/2", "1/2 <= p"],
            "pooling on degree": ["1/2 <= p, c_L <= wage"],
            "semi-separating: not mixes": ["p <= 1/2, c_L <= wage"],
            "semi-separating: able mixes": ["1/2 <= p, c_H <= wage"],
        }),
    ],
)  # fmt: skip
def test_the_conditions_are_those_of_the_literature(name, expected):
    found = solved(name)
    assert found.complete
    assert not found.notes
    assert {kind: sorted(r.condition_text() for r in found if r.kind == kind) for kind in found.kinds} == {
        kind: sorted(texts) for kind, texts in expected.items()
    }


@pytest.mark.parametrize(
    ("name", "kind", "event", "formula"),
    [
        ("beer-quiche", "semi-separating: weak mixes", "duel", "1 - 2*a*p/b"),
        ("ALSIG", "separating", "attack", "1 - rho"),
        ("ALSIG", "semi-separating: I mixes", "attack", "1 - rho*(g + d1)/g*(k + h)/(v_I + h)"),
        ("ALSIG", "semi-separating: I mixes", "war", "rho*(v_I - k)/(v_I + h)"),
        ("ALSIG", "semi-separating: R mixes", "attack", "(1 - rho)*(g + d)/d*k/w"),
        ("UDG", "separating", "war", "p_Ch*p_Def"),
        ("UDG", "semi-separating: soft mixes", "war", "p_Ch*(c_DC - c_SQ)/(c_DC - c_CD)"),
        ("UDG", "semi-separating: soft mixes", "challenge", "p_Ch*(d_CD - d_DDm)/(d_CD - d_DC)"),
        ("RADG", "attack, fight, concede", "war", "p_B"),
    ],
)
def test_probabilities_are_those_of_the_literature(name, kind, event, formula):
    found = solved(name)
    (regime,) = [r for r in found if r.kind == kind]
    assert same(regime.probability(event), formula, found)


def test_mixing_probabilities_and_beliefs_of_the_bluff():
    found = solved("ALSIG")
    (bluff,) = found.where(kind="semi-separating: I mixes")
    assert same(bluff.strategies["G"]["I"]["treaty"], "rho*d1/((1 - rho)*g)", found)
    assert same(bluff.strategies["A"]["treaty"]["attack"], "(v_I - k)/(v_I + h)", found)
    assert same(bluff.beliefs["treaty"]["R"], "g/(g + d1)", found)
    assert bluff.strategies["G"]["R"] == {"treaty": 1}


def test_off_path_beliefs_are_named():
    found = solved("beer-quiche")
    (pooling,) = found.where(kind="pooling on beer")
    (reply,) = [o for o in pooling.off_path if o.responses[None].get("duel") == 1]
    (belief,) = reply.beliefs
    assert (str(belief.lhs), belief.rhs, belief.rel_op) == ("Pr(strong | quiche)", sympy.Rational(1, 2), "<=")
    assert reply.cases == ()


def test_steadfast_and_certain_deterrence_are_told_apart():
    found = solved("UDG")
    (quiet,) = found.where(kind="pooling on status quo")
    ways = {next(iter(o.responses["soft defender"])): o for o in quiet.off_path}
    assert ways["resist"].cases == ()
    ((condition,),) = ways["concede"].cases
    assert str(condition) == "(c_DC - c_SQ)/(c_DC - c_DDp) <= p_Def"


def test_backward_induction_by_cases():
    found = solved("CID")
    assert found.complete
    war = [r for r in found if r.kind == "attack, resist, fight"]
    assert [r.condition_text() for r in war] == ["A_sq <= A_war, A_back <= A_war, D_yield <= D_war"]
    assert war[0].payoffs["D"] == sympy.Symbol("D_war", real=True)
    assert war[0].probability("WAR") == 1


# ---------------------------------------------------------------- against the numeric solvers


@pytest.mark.parametrize("name", GAMES)
def test_a_kind_exists_numerically_iff_its_condition_holds(name):
    found, events = solved(name), GAMES[name][1]
    values = draws(name, np.random.default_rng(8), 10_000)
    assert set(values) == set(found.parameters)
    formula = found.compile(*events).answer(values)
    game = found.game.at(**values)
    numeric = dt.pbe(game if isinstance(game, dt.SignalingGame) else game.to_signaling())
    clear = ~np.asarray(numeric.degenerate)
    if name == "RADG, two sides":  # after "hold" the replies are tied by construction, to no effect
        clear[:] = True
    assert clear.mean() > 0.999
    for kind in {*numeric.kinds, *formula.kinds}:
        never = np.zeros(len(clear), dtype=bool)
        there, here = numeric.kinds.get(kind, never), formula.kinds.get(kind, never)
        assert np.array_equal(np.asarray(there)[clear], here[clear]), kind
    for event in events:
        low, high = numeric.probability(event)
        np.testing.assert_allclose(formula.low[event][clear], low[clear], atol=1e-10)
        np.testing.assert_allclose(formula.high[event][clear], high[clear], atol=1e-10)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(name=st.sampled_from(sorted(GAMES)), seed=st.integers(0, 2**32 - 1), denominator=st.integers(20, 400))
def test_a_kind_exists_exactly_iff_its_condition_holds(name, seed, denominator):
    """In rational numbers, on coarse grids, where ties are common: they are left out, as the solver finds them."""
    found, events = solved(name), GAMES[name][1]
    drawn = draws(name, np.random.default_rng(seed), 1)
    values = {key: Fraction(max(1, round(float(x[0]) * denominator)), denominator) for key, x in drawn.items()}
    if any(values[key] == 1 for key in values if key.startswith(("p", "rho"))):
        return  # a type of no probability
    try:
        here = found.at(**values)
    except dt.ParameterError:
        return  # rounding made two parameters equal
    exact = {s: sympy.Rational(values[str(s)].numerator, values[str(s)].denominator) for s in found.assumptions.symbols}
    if any((c.larger - c.smaller).xreplace(exact) == 0 for r in found for c in r.conditions):
        hypothesis.event(f"tie in {name}")
        return
    hypothesis.event(f"compared in {name}")
    game = found.game.at(**values)
    numeric = dt.pbe(game if isinstance(game, dt.SignalingGame) else game.to_signaling(), exact=True)
    assert {r.kind for r in here} == set(numeric.kinds)
    for asked in events:
        chances = [r.probability(asked).xreplace(exact) for r in here]
        assert (min(chances), max(chances)) == numeric.probability(asked)


@pytest.mark.parametrize("name", ["CID", "RADG"])
def test_trees_agree_with_backward_induction(name):
    found = solved(name)
    for point in found.assumptions.points[:60]:
        values = dict(zip(found.parameters, map(float, point), strict=True))
        (regime,) = found.at(**values)
        game = found.game.at(**values)
        (numeric,) = dt.spe(game) if game.perfect_information else dt.sequential(game)
        chance = {event: sympy.lambdify(found.assumptions.symbols, regime.probability(event)) for event in ("attack",)}
        assert numeric.probability("attack") == pytest.approx(chance["attack"](*point), abs=1e-10)
        if game.perfect_information:
            assert numeric.kind == regime.kind


payoffs = st.integers(-60, 60).map(lambda n: sympy.Rational(n, 7))


@st.composite
def games_with_symbols(draw):
    """2x2x2 games with symbolic prior and one symbolic payoff of each player."""
    p, a, b = dt.symbols("p a b")
    tables = [[[[draw(payoffs) for _ in range(2)] for _ in range(2)] for _ in range(2)] for _ in range(2)]
    place = st.integers(0, 1)
    for symbol, table in zip((a, b), tables, strict=True):
        table[draw(place)][draw(place)][draw(place)] = symbol
    return dt.SignalingGame(("s", "t"), ("m", "n"), ("x", "y"), [p, 1 - p], *tables)


@settings(deadline=None, max_examples=12, derandomize=True)
@given(game=games_with_symbols(), data=st.data())
def test_random_games_agree_with_the_exact_solver(game, data):
    assume(set(game.parameters) == {"a", "b", "p"})
    found = regimes(game, assumptions=["-10 < a < 10", "-10 < b < 10"])
    for _ in range(3):
        values = {
            "p": Fraction(data.draw(st.integers(1, 1008)), 1009),
            "a": Fraction(data.draw(st.integers(-997, 997)), 101),
            "b": Fraction(data.draw(st.integers(-997, 997)), 103),
        }
        numeric = dt.pbe(game.at(**values), exact=True)
        here = found.at(**values)
        if not found.complete or any("mix" in e.kind and not e.isolated for e in numeric):
            continue  # payoffs are tied
        assert {r.kind for r in here} == set(numeric.kinds)
        symbols = dict(zip(found.assumptions.symbols, [values[n] for n in found.parameters], strict=True))
        exact = {s: sympy.Rational(v.numerator, v.denominator) for s, v in symbols.items()}
        for event in ("x", "m"):
            chances = [r.probability(event).xreplace(exact) for r in here]
            assert (min(chances), max(chances)) == numeric.probability(event)


# ---------------------------------------------------------------- refinements


def told(cases):
    return sorted(", ".join(map(str, case)) for case in cases)


@pytest.mark.parametrize(
    ("name", "kind", "condition", "intuitive", "d1"),
    [
        ("beer-quiche", "pooling on beer", "1/2 <= p", [""], [""]),
        ("beer-quiche", "pooling on quiche", "1/2 <= p", [], []),
        ("ALSIG", "pooling on silence", "rho <= g/(d + g)", ["k <= v_I", "w <= k"], ["w <= k"]),
        ("ALSIG", "pooling on silence", "g/(d + g) <= rho", [""], [""]),
        ("ALSIG", "semi-separating: I mixes", "", [""], [""]),
        ("UDG", "pooling on status quo", "",
         ["(c_DC - c_SQ)/(c_DC - c_DDp) <= p_Def", "p_Def <= (c_DC - c_SQ)/(c_DC - c_CD)"],
         ["(c_DC - c_SQ)/(c_DC - c_DDp) <= p_Def"]),
    ],
)  # fmt: skip
def test_refinements_are_those_of_the_literature(name, kind, condition, intuitive, d1):
    found = [r for r in solved(name) if r.kind == kind and condition in r.condition_text()]
    regime = found[-1]  # of ALSIG the one in which the irresolute abandons even under a treaty
    assert told(regime.survives("intuitive")) == intuitive
    assert told(regime.survives("d1")) == d1


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("refinement", ["intuitive", "d1"])
def test_refinements_agree_with_the_numeric_ones(name, refinement):
    found = solved(name)
    signs = {r: [[c.atom for c in case] for case in r.survives(refinement)] for r in found}
    for point in found.assumptions.points[100:112]:
        values = dict(zip(found.parameters, map(float, point), strict=True))
        game = found.game.at(**values)
        numeric = dt.pbe(game if isinstance(game, dt.SignalingGame) else game.to_signaling())
        for kind in numeric.kinds:
            exact = [r for r in found.at(**values) if r.kind == kind]
            holds = [
                any(all(found.assumptions.evaluate(p, point[None])[0][0] >= 0 for p in case) for case in signs[r])
                for r in exact
            ]
            assert any(holds) == any(e.survives(refinement) for e in numeric if e.kind == kind)


def test_refinements_without_a_closed_form_are_refused():
    with pytest.raises(dt.GameError, match="no symbolic refinement 'd2'"):
        solved("beer-quiche")[0].survives("d2")
    with pytest.raises(dt.GameError, match="not outcomes of backward induction"):
        solved("CID")[0].survives("d1")


# ---------------------------------------------------------------- comparative statics


def test_signs_of_derivatives_in_the_bluff():
    table = solved("ALSIG").statics("attack")
    (row,) = [signs for (_, kind), signs in table.iterrows() if kind == "semi-separating: I mixes"]
    assert row.to_dict() == {
        "rho": "-", "k": "-", "h": "-", "d1": "-", "v_I": "+", "g": "+", "d": "0", "w": "0", "v_R": "0"}  # fmt: skip


def test_a_sign_that_depends_is_said_to():
    p, a = dt.symbols("p a")
    peace = dt.move("A", {"go": dt.end("go", A=1)})
    risk = a * (1 - a)
    game = dt.ExtensiveGame(("A",), dt.chance({"war": (risk, dt.end("war", A=p)), "peace": (1 - risk, peace)}))
    found = regimes(game, assumptions=["0 < a < 1"])
    assert derivative_sign(found[0], "war", "a") == "+/-"
    with pytest.raises(dt.ParameterError, match="no parameter 'q'"):
        derivative_sign(found[0], "war", "q")


@pytest.mark.parametrize("event", ["attack", "war"])
def test_proven_signs_hold_at_points(event):
    found = solved("ALSIG")
    table = found.statics(event)
    compiled = found.compile(event)
    points = found.assumptions.points[:400]
    step = 1e-6
    for j, name in enumerate(found.parameters):
        moved = points.copy()
        moved[:, j] += step
        here, there = (compiled(**dict(zip(found.parameters, x.T, strict=True)))[1][0] for x in (points, moved))
        for i, sign in enumerate(table[name]):
            slope = (there[i] - here[i])[np.isfinite(there[i] - here[i])]
            if sign == "+":
                assert (slope >= -1e-12).all()
            elif sign == "-":
                assert (slope <= 1e-12).all()
            elif sign == "0":
                assert np.allclose(slope, 0, atol=1e-12)


def test_attack_jumps_up_where_bluffers_drop_out():
    found = solved("ALSIG")
    (bluff,) = [i for i, r in enumerate(found, 1) if r.kind == "semi-separating: I mixes"]
    (apart,) = [i for i, r in enumerate(found, 1) if r.kind == "separating"]
    crossings = {(b.regime, b.beyond, str(b.condition)): b for b in found.boundaries("attack")}
    crossing = crossings[bluff, apart, "k <= v_I"]
    assert crossing.change == "jump up"
    assert same(crossing.jump, "rho*d1/g", found)


def test_war_is_continuous_where_bluffing_begins():
    found = solved("UDG")
    numbers = {r.kind: i for i, r in enumerate(found, 1)}
    changes = {(b.regime, b.beyond, str(b.condition)): b for b in found.boundaries("war")}
    c_s = "(c_DC - c_SQ)/(c_DC - c_CD)"
    kink = changes[numbers["separating"], numbers["semi-separating: soft mixes"], f"{c_s} <= p_Def"]
    assert kink.change == "kink"
    assert kink.jump == 0


# ---------------------------------------------------------------- text, pictures, sweeps


def test_the_proposition_says_what_is_known():
    text = solved("ALSIG").to_markdown("attack")
    assert r"*Separating*, iff $v_{I} \le k \le w$" in text
    assert r"Pr(R \| treaty) $\le$ $\frac{g}{d_{1} + g}$" in text
    assert "I does not gain by sending treaty" in text
    latex = solved("ALSIG").to_latex("attack")
    assert latex.count(r"\begin{enumerate}") == latex.count(r"\end{enumerate}") == 2
    assert r"\emph{Separating}, iff $v_{I} \le k \le w$" in latex
    assert latex.count("{") == latex.count("}")


def test_the_proposition_says_where_a_regime_survives_refinements():
    text = solved("two types").to_markdown()
    assert (
        "It survives the intuitive criterion iff $w$ $\\le$ $k$ or $k$ $\\le$ $v$. It survives D1 iff $w$ $\\le$ $k$."
        in text
    )
    assert "Assume $k > 0$, $0 < v < w$" in text
    assert "It fails D1." in solved("beer-quiche").to_latex()


def test_the_table_has_a_row_per_regime():
    found = solved("beer-quiche")
    table = found.to_frame("duel")
    assert len(table) == len(found)
    assert table["condition"].iloc[0] == "b <= a"
    assert "P(duel)" in table


PUBLISHED_LENGTH = {  # the longest condition that the sources print for a regime, in the same symbols
    "ALSIG": "k <= v_I, h <= w - v_I, rho > g/(g + d1)",
    "beer-quiche": "a <= b, p >= 1/2",
    "UDG": "p_Ch >= (d_CD - d_DC)/(d_CD - d_DDm), p_Def <= (c_DC - c_SQ)/(c_DC - c_CD)",
    "RADG": "p_B >= (a_DC - a_SQ)/(a_DC - a_DD)",
    "RADG, two sides": "p_B >= (a_DC - a_SQ)/(a_DC - a_DD)",
    "two types": "v <= k <= w, rho <= g/(g + l)",
    "Spence": "p >= 1/2, wage >= c_L",
}


@pytest.mark.parametrize("name", PUBLISHED_LENGTH)
def test_no_condition_is_much_longer_than_the_published_one(name):
    assert max(len(r.condition_text()) for r in solved(name)) <= 1.5 * len(PUBLISHED_LENGTH[name])


def test_every_condition_kept_is_needed():
    for name in (*GAMES, "CID", "RADG"):
        assert all(c.needed for r in solved(name) for c in r.conditions)


def test_the_map_has_an_area_for_each_set_of_kinds():
    import matplotlib.pyplot as plt

    at = {"h": 0.1, "d1": 2, "v_I": 0.4, "w": 1, "v_R": 2, "g": 1, "d": 1}
    axes = solved("ALSIG").plot("rho", "k", at=at, xlim=(0.01, 0.99), ylim=(0.01, 1.2))
    assert len(axes.get_legend().get_texts()) == 6
    vertical = [line for line in axes.lines if np.nanstd(line.get_xdata()) < 1e-12]
    assert {round(float(np.nanmean(line.get_xdata())), 6) for line in vertical} == {0.333333, 0.5}
    plt.close(axes.figure)
    with pytest.raises(dt.ParameterError, match="the axis 'z'"):
        solved("ALSIG").plot("z", "k", at={}, xlim=(0, 1), ylim=(0, 1))


def test_a_sweep_takes_the_closed_forms():
    found = solved("beer-quiche")
    over = {"p": np.linspace(0.05, 0.95, 7), "b": np.array([1.5, 2.5])}
    exact = dt.sweep(found.compile("duel"), over=over, at={"a": 1}, event="duel", progress=False)
    numeric = dt.sweep(found.game, over=over, at={"a": 1}, event="duel", progress=False)
    clear = over["p"] != 0.5
    for name in ("duel_low", "duel_high"):
        np.testing.assert_allclose(exact[name].values[clear], numeric[name].values[clear], atol=1e-10)


def test_the_closed_forms_travel_to_another_process():
    found = solved("beer-quiche")
    again = pickle.loads(pickle.dumps(found.compile("duel")))
    assert str(again.regimes) == str(found)
    assert again.regimes.complete
    values = {"p": np.array([0.2, 0.7]), "a": 1.0, "b": 2.0}
    np.testing.assert_array_equal(again(**values)[1], found.compile("duel")(**values)[1])
    part = pickle.loads(pickle.dumps(found.where(kind="pooling")))
    assert len(part) == 2


def test_priors_may_differ():
    p, q = dt.symbols("p q")
    mine, theirs = [[[1, 3], [0, 2]], [[0, 2], [1, 3]]], [[[0, 1], [0, 1]], [[1, 0], [1, 0]]]
    game = dt.SignalingGame(
        ("strong", "weak"), ("beer", "quiche"), ("duel", "not"), [p, 1 - p], mine, theirs, receiver_prior=[q, 1 - q]
    )
    found = regimes(game)
    (bluff,) = found.where(kind="semi-separating")
    assert bluff.condition_text() == "q <= 1/2"
    assert same(bluff.strategies["Sender"]["weak"]["beer"], "q/(1 - q)", found)
    assert same(bluff.probability("duel"), "p/2 + (1 - p)*(1 - q/(1 - q)/2)", found)


def test_a_point_that_breaks_an_assumption_is_invalid():
    found = solved("beer-quiche")
    values = {"p": np.array([0.2, 0.2]), "a": np.array([1.0, -1.0]), "b": np.array([2.0, 2.0])}
    answer = found.compile("duel").answer(values)
    assert answer.status.tolist() == [Status.OK, Status.INVALID]
    assert np.isnan(answer.low["duel"][1])
    exists, probability = found.compile("duel")(**values)
    assert not exists[:, 1].any()
    assert np.isnan(probability[0, :, 1]).all()


def test_boundaries_belong_to_both_sides():
    found = solved("beer-quiche")
    assert {r.kind for r in found.at(p="1/2", a=1, b=2)} == {
        "pooling on beer", "pooling on quiche", "semi-separating: weak mixes"}  # fmt: skip


# ---------------------------------------------------------------- what it refuses, and what it admits


def test_ties_by_construction_are_admitted():
    p, g = dt.symbols("p g")
    cheap = dt.SignalingGame(
        ("R", "I"), ("silence", "promise"), ("hold", "attack"), [p, 1 - p],
        [[[0, -1], [0, -1]], [[0, -1], [0, -1]]], [[[0, -1], [0, -1]], [[0, g], [0, g]]])  # fmt: skip
    found = regimes(cheap, assumptions=["g > 0"])
    assert not found.complete
    assert any("tied by construction" in note for note in found.notes)
    with pytest.raises(dt.GameError, match="not complete"):
        found.compile("attack").answer({"p": np.array([0.5]), "g": np.array([1.0])})


def test_what_has_no_closed_form_is_refused():
    game, _ = beer_quiche()
    with pytest.raises(dt.GameError, match="no parameters"):
        regimes(game.at(p=0.5, a=1, b=2))
    with pytest.raises(dt.GameError, match=r"more than 10; raise the limit"):
        regimes(game, limit=10)
    with pytest.raises(dt.GameError, match="takes a signaling game or a tree"):
        regimes(3)
    x = dt.symbols("x")
    labels = [f"{i}" for i in range(6)]
    large = dt.SignalingGame(labels, labels, labels, [x, *[(1 - x) / 5] * 5], *np.zeros((2, 6, 6, 6)))
    with pytest.raises(dt.GameError, match="give parameters numbers"):
        regimes(large)
    odd = dt.ExtensiveGame(("A",), dt.move("A", {"l": dt.end(A=sympy.exp(x)), "r": dt.end(A=1)}))
    with pytest.raises(dt.GameError, match="rational function"):
        regimes(odd)


@pytest.mark.parametrize(
    ("assumption", "message"),
    [
        ("q > 0", "names 'q'"),
        ("a", "must be an inequality"),
        ("a > __import__('os')", "no expression in the parameters"),
        (("a > 1", "a < 0"), "contradict"),
        ("a < a", "never holds"),
    ],
)
def test_assumptions_that_cannot_be_are_refused(assumption, message):
    game, _ = beer_quiche()
    with pytest.raises(dt.ParameterError, match=message):
        regimes(game, assumptions=assumption)


def test_values_are_checked():
    found = solved("beer-quiche")
    with pytest.raises(dt.ParameterError, match="needs a value for 'b'"):
        found.at(p=0.5, a=1)
    with pytest.raises(dt.ParameterError, match="breaks the assumption"):
        found.at(p=0.5, a=-1, b=2)
    with pytest.raises(dt.GameError, match="no event 'due'"):
        found[0].probability("due")


# ---------------------------------------------------------------- proofs


def test_certificates_prove_what_is_true_and_nothing_else():
    x, y, z = dt.symbols("x y z")
    known = Assumptions((x, y, z), ["0 < x < 1", "0 < y < z"])

    def poly(expression):
        return known.fraction(expression).numer

    assert known.implies(poly(x * z - x * y), frozenset())
    assert known.implies(poly(1 - x**2), frozenset())
    assert not known.implies(poly(y - x), frozenset())
    assert known.implies(poly(z - x), frozenset({poly(y - x)}))
    assert known.holds_somewhere(frozenset({poly(y - z + x * y)})) is True
    assert known.holds_somewhere(frozenset({poly(x * y - z)})) is False
    assert known.sign(poly(y - x)) == 0
    assert known.sign(poly(x * y - z)) == -1


@settings(deadline=None, max_examples=40, derandomize=True)
@given(coefficients=st.lists(st.integers(-3, 3), min_size=6, max_size=6))
def test_what_is_proven_holds_at_every_point(coefficients):
    x, y = dt.symbols("x y")
    known = Assumptions((x, y), ["0 < x < y < 1"])
    terms = (1, x, y, x * y, x**2, y**2)
    expression = sum(c * term for c, term in zip(coefficients, terms, strict=True))
    if expression == 0:
        return
    value = known.fraction(expression).numer
    grid = [(Fraction(i, 12), Fraction(j, 12)) for j in range(13) for i in range(j + 1)]
    if known.implies(value, frozenset()):
        assert all(expression.subs({x: a, y: b}) >= 0 for a, b in grid)
