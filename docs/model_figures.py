"""What the figure of each model on the page of models shows: a quantity of the closed form against one parameter.

A quantity is a path into what ``closed_form`` returns: ``"P_attack"``, ``"sunk.P_war"``, ``"e.1"`` (of a list), or
``"equilibria.*.P_attack"``, which draws a line for each class of equilibria, broken where the class does not exist. A
quantity that is a list (one entry for each equilibrium) is drawn as dots, a pair (lowest, highest) as a band.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ATTACK = "likelihood of attack"
WAR = "likelihood of war"
LIKELIHOOD = "likelihood"


@dataclass(frozen=True, slots=True)
class Curve:
    """One quantity, its name in the legend, and the parameter values that are its own."""

    quantity: str
    label: str = ""
    at: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure.

    Attributes
    ----------
    x : str
        The parameter of the horizontal axis; its meaning and unit are in the model's table, unless ``axis`` says more.
    low, high : float
        Where it runs.
    y : str
        Label of the vertical axis.
    curves : tuple of Curve
    at : mapping
        Other parameters, where they are not at their defaults.
    of : callable, optional
        Parameters as a function of x, where more than ``x`` itself moves.
    whole : bool
        Whether x counts something.
    axis : str
    model : str
        Another model's id, where that one shows it better.
    """

    x: str
    low: float
    high: float
    y: str
    curves: tuple[Curve, ...]
    at: Mapping[str, Any] = field(default_factory=dict)
    of: Callable[[Any], dict[str, Any]] | None = None
    whole: bool = False
    axis: str = ""
    model: str = ""


ATTACK_AND_WAR = (Curve("P_attack", "attack"), Curve("P_war", "war"))

FIGURES: Mapping[str, Panel] = {
    # backward induction and attack thresholds
    "CID": Panel("A.war", -1, 1, ATTACK, (
        Curve("P_attack", "the defender would rather yield", {"D.war": -0.5}),
        Curve("P_attack", "the defender would fight", {"D.war": 0.2}),
    )),
    "EXT3": Panel("t", 0, 0.6, LIKELIHOOD, (
        Curve("attack", "attack, multilateral war costs the attacker 0.4"),
        Curve("P_war", "war, multilateral war costs the attacker 0.2", {"c_A2": 0.2}),
    )),
    "EXTI": Panel("rho_A", 0, 1, LIKELIHOOD, (Curve("attack", "attack"), Curve("P_war", "war"))),
    "THR": Panel("q", 0, 1, LIKELIHOOD, ATTACK_AND_WAR, of=lambda q: {"q": q, "q_hat": q},
                 axis="q = q_hat: chance of a response, rightly perceived"),
    "SCOPE": Panel("q", 0.01, 1, "scope of support", (Curve("s_star", "least scope that deters"),)),
    "NEST": Panel("q_bilateral", 0, 1, LIKELIHOOD, (
        Curve("p_any", "somebody comes"), Curve("attack", "attack"),
        Curve("attack", "attack, correlation 0.5", {"corr": 0.5}),
    )),
    "SEL": Panel("rho", 0, 1, LIKELIHOOD, (
        *ATTACK_AND_WAR, Curve("P_multilateral_war", "multilateral war"), Curve("P_resist", "resistance if attacked"))),
    "HONOR": Panel("c", 0, 10, "patience", (Curve("delta_star", "least discount factor that supports honouring"),)),
    "CSF": Panel("eps", 0, 1, LIKELIHOOD, (
        Curve("p_aided", "attacker wins against the pooled forces"), Curve("attack", "attack"))),
    # perfect deterrence
    "RADG": Panel("p_B", 0, 1, LIKELIHOOD, (*ATTACK_AND_WAR, Curve("P_concession", "concession"))),
    "UDG": Panel("p_Def", 0.005, 0.995, "likelihood of a challenge", (Curve("equilibria.*.P_challenge"),)),
    "GMDG": Panel("p", 0.005, 0.995, WAR, (Curve("symmetric_equilibria.*.P_war"),)),
    # signalling a commitment
    "ALSIG": Panel("k", 0.002, 1.2, ATTACK, (Curve("equilibria.*.P_attack"),)),
    "F97": Panel("c", 0.005, 0.495, WAR, (
        Curve("tying.P_war", "tied hands"), Curve("sunk.P_war", "sunk costs"), Curve("no_signal.P_war", "no signal"))),
    "SUNK": Panel("k", 0.005, 2.6, ATTACK, (Curve("equilibria.*.P_attack"),), {"p": 0.4}),
    "WOA": Panel("a_A", 0.1, 5, LIKELIHOOD, (
        Curve("P_war", "war"), Curve("P_A_backs_down", "A backs down"), Curve("P_B_backs_down", "B backs down"))),
    "PERS": Panel("rho", 0, 1, ATTACK, (
        Curve("P_attack_no_information", "no information"), Curve("P_attack_full_disclosure", "full disclosure"),
        Curve("P_attack_optimal", "best design"))),
    "OPP": Panel("pi", 0.01, 0.49, LIKELIHOOD, (
        Curve("unitary.P_threat", "threat, one voice"), Curve("with_opposition.P_threat", "threat, with opposition"),
        Curve("unitary.P_war", "war, one voice"), Curve("with_opposition.P_war", "war, with opposition"))),
    # crisis bargaining
    "RRT": Panel("hi", 0.01, 0.5, WAR, (Curve("P_war", "war"),)),
    "RRT2": Panel("pi", 0, 1, WAR, (Curve("P_war", "war"),)),
    "RRT3": Panel("q_hat", 0, 1, WAR, (
        Curve("P_war", "reliability q = 0.8"), Curve("P_war", "reliability q = 0.4", {"q": 0.4}))),
    "MOPT": Panel("pA_own", 0.4, 1, "share of the prize", (Curve("range_width", "width of the bargaining range"),)),
    "MHAZ": Panel("t", 0, 0.4, LIKELIHOOD, (
        Curve("challenge", "challenge"), Curve("P_war_given_crisis", "war in a crisis"), Curve("P_war", "war"))),
    "PREV": Panel("p1", 0.3, 1, WAR, (
        Curve("war", "discount factor 0.9"), Curve("war", "discount factor 0.6", {"delta": 0.6}))),
    "NASHB": Panel("c_A", 0, 0.5, "share of the prize", (
        Curve("share_A", "equal bargaining weights"),
        Curve("share_A", "weight of A 0.8", {"weight_A": 0.8}))),
    # stochastic choice and estimable crisis games
    "SIGN": Panel("lam", 0, 12, LIKELIHOOD, (*ATTACK_AND_WAR, Curve("P_concession", "concession"))),
    "QRE": Panel("lam", 0, 12, LIKELIHOOD, (
        Curve("p_row_first", "first action, row player"), Curve("q_col_first", "first action, column player"))),
    "LS": Panel("a", -3, 0, LIKELIHOOD, (Curve("challenge", "challenge"), Curve("war", "war"))),
    # reputation over several challenges
    "CHAIN": Panel("delta", 0.001, 0.6, "expected number", (
        Curve("expected_challenges", "challenges of ten"), Curve("expected_fights", "fights"))),
    # collective response
    "GG2": Panel("loss", 0.05, 2, "strength", (Curve("threshold", "assist above"),)),
    "GGC": Panel("c", 0.01, 0.99, LIKELIHOOD, (
        Curve("P_attack", "attack"), Curve("theta_star", "strongest attack that is beaten (a strength)"))),
    "GGN": Panel("tau", 0.12, 1, "likelihood of a response", (Curve("P_response", "equilibria"),),
                 {"c": 0.45, "sigma": 0.5}),
    "GGK": Panel("k", 1, 12, "severity", (
        Curve("threshold", "12 members"), ), {"N": 12, "c": 0.2}, whole=True),
    "CONS": Panel("N", 1, 32, "likelihood of invocation", (
        Curve("P_invoke", "unanimity"),), of=lambda n: {"p": [0.95] * n, "k": n}, whole=True,
        axis="N: members, each of whom approves with probability 0.95"),
    "FP": Panel("n", 2, 30, LIKELIHOOD, (
        Curve("P_fail_given_threat", "no response to a threat"),
        Curve("P_respond_given_none", "response without a threat")), whole=True),
    "VD": Panel("N", 2, 32, "likelihood that nobody acts", (
        Curve("P_nobody", "cost 0.6 of the gain", {"c": 0.6}), Curve("P_nobody", "cost 0.3", {"c": 0.3}),
        Curve("P_nobody", "cost 0.1", {"c": 0.1})), whole=True),
    "VDA": Panel("cost_benefit", 0.21, 0.8, LIKELIHOOD, (
        Curve("volunteer.0", "this member acts"), Curve("volunteer.1", "member with ratio 0.4 acts"),
        Curve("volunteer.2", "member with ratio 0.5 acts"), Curve("P_nobody", "nobody acts")),
        of=lambda r: {"cost_benefit": [r, 0.4, 0.5]}, axis="cost of acting over gain, first of three members"),
    "VDK": Panel("c", 0.01, 0.6, "likelihood that enough act", (Curve("P_provision", "equilibria"),)),
    "OZ": Panel("beta", 0.05, 3, "money", (Curve("X", "common defence"), Curve("X_efficient", "efficient"))),
    # brinkmanship and the security dilemma
    "CRISK": Panel("disaster", -10, -0.1, LIKELIHOOD, (
        Curve("critical_risk", "highest risk that is worth running"),)),
    "BRINK": Panel("p_hard", 0.01, 0.6, "risk of war in the threat", (
        Curve("q_effective", "least that is effective"), Curve("q_acceptable", "most that is acceptable"))),
    "NALE": Panel("v", 0.01, 0.99, "likelihood of disaster", (
        Curve("P_disaster", "disaster costs 1"), Curve("P_disaster", "disaster costs 3", {"D": 3}))),
    "BS04": Panel("mu", 0, 0.5, "likelihood of arming", (
        Curve("P_arm", "gap 0.8"), Curve("P_arm", "gap 0.5", {"d": 0.5}))),
    "TRUST": Panel("T", 1.1, 3.9, "trust", (Curve("min_trust", "least trust that supports cooperation"),)),
    "REAS": Panel("t", 0.01, 0.99, "size of the first step", (
        Curve("alpha_min", "least that reassures"), Curve("alpha_max", "most that the trustworthy take"))),
    # ambiguity, tripwires, faits accomplis, gray zone, time
    "AMBIG": Panel("W", -0.2, 1.5, "chance of support", (
        Curve("q_deter", "least that deters"), Curve("q_restrain", "most that restrains"))),
    "TRIP": Panel("T", 0, 7, LIKELIHOOD, (*ATTACK_AND_WAR, Curve("P_intervene", "intervention if attacked"))),
    "FAIT": Panel("delta", 0, 0.5, LIKELIHOOD, (
        Curve("P_coercion", "coercion"), Curve("P_fait_accompli", "fait accompli"), Curve("P_war", "war"))),
    "GRAY": Panel("sigma", 0.01, 0.5, "severity, likelihood", (
        Curve("s_star", "severity chosen"), Curve("P_response", "response"))),
    "GRAYP": Panel("m", 1.05, 8, "severity, likelihood", (
        Curve("s_star", "severity chosen"), Curve("P_attribution", "attribution"))),
    "SALAMI": Panel("p", 0.01, 0.99, "share of the territory", (
        Curve("defender_retains", "war costs 0.2"),
        Curve("defender_retains", "war costs 0.1", {"c": 0.1}))),
    "RACE": Panel("tau", 0, 4, "likelihood of a fait accompli", (
        Curve("P_fait_accompli", "one reinforcement in 0.5 units of time", {"rho": 2}),
        Curve("P_fait_accompli", "one reinforcement in 2 units of time", {"rho": 0.5}))),
    "ATTR": Panel("f", 0.005, 0.75, ATTACK, (Curve("equilibria.*.P_attack"),)),
    # consultation
    "CS": Panel("bias", 0.005, 0.35, "expected payoff", (
        Curve("EU_receiver", "receiver"), Curve("EU_sender", "sender"))),
    # learning resolve from noisy posture
    "SDT": Panel("d_prime", 0.02, 5, LIKELIHOOD, ATTACK_AND_WAR),
    "BSIG": Panel("alpha", 0.31, 1, LIKELIHOOD, ATTACK_AND_WAR),
    "MSG": Panel("n_firm", 0, 8, LIKELIHOOD, (
        Curve("posterior", "belief in resolve, two wavering statements"), Curve("P_attack", "attack")),
        {"n_wavering": 2}, whole=True),
    "DET": Panel("d_prime", 0.1, 4, LIKELIHOOD, (
        Curve("P_hit", "attack is warned of"), Curve("P_false_alarm", "false alarm"))),
    # misperception as a solution concept
    "NCP": Panel("challenger_belief_p_Def", 0.005, 0.995, LIKELIHOOD, (
        Curve("P_challenge", "challenge"), Curve("P_war", "war"))),
    "NCPS": Panel("rho_hat_attacker", 0.005, 0.995, LIKELIHOOD, (*ATTACK_AND_WAR, Curve("P_signal", "treaty"))),
    "HYPER": Panel("D_perceived.war", -0.6, 0.6, LIKELIHOOD, ATTACK_AND_WAR),
    "CURS": Panel("chi", 0, 1, ATTACK, (Curve("eq.*.P_attack"),)),
    "CEQ": Panel("chi", 0, 1, "payoff", (
        Curve("true_payoff", "true"), Curve("perceived_payoff", "as the offerer sees it"))),
    "CH": Panel("tau", 0.05, 6, LIKELIHOOD, (Curve("P_first", "first action"),)),
    "ABEE": Panel("f_core", 0.01, 0.99, "1: an equilibrium, 0: none", (
        Curve("attack_both_is_ABEE", "attack both"), Curve("attack_none_is_ABEE", "attack neither"))),
    "SCE": Panel("q_true", 0, 1, "1: self-confirming, 0: not", (
        Curve("no_attack_is_SCE", "no attack"), Curve("attack_is_SCE", "attack"))),
    "BERK": Panel("kappa", 0.5, 6, "severity", (
        Curve("s_berk_nash", "Berk-Nash"), Curve("s_optimal", "optimal"))),
    # refinement benchmarks
    "BQ": Panel("P_strong", 0.01, 0.99, "likelihood of a duel", (Curve("P_duel", "surviving outcome"),)),
    "REF-ALSIG": Panel("k", 0.005, 1.2, LIKELIHOOD, ATTACK_AND_WAR,
                       {"mode": "sweep of the D1-selected class over k"}, model="ALSIG"),
    "RILEY": Panel("theta", 1.02, 2.98, "signal", (
        Curve("e.1", "middle type"), Curve("e.2", "highest type")), of=lambda x: {"theta": [1, x, 3]},
        axis="productivity of the middle type, between 1 and 3"),
    "MOP": Panel("lam", 0, 1, "payoff of the high type", (
        Curve("u_H_riley", "least-cost separation"), Curve("u_pool_at_0", "pooling without signals"))),
}  # fmt: skip

WITHOUT_FIGURE: Mapping[str, str] = {
    "AEG": "No figure: outcomes follow from the orders of preference alone; the table of outcomes is the result.",
    "D1-3TYPE": "No figure: the result is a verdict on one proposed equilibrium.",
    "HORSE": "No figure: the game has no parameter.",
}
