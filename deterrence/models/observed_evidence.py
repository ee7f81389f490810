"""Evidence of resolve that the attacker reads by Bayes' rule: a mobilisation seen or not, statements firm or wavering.

Nature makes the defender resolved, with probability rho, or irresolute; only the defender learns it. What the attacker
sees is no choice of the defender's but comes with its type. **Mobilisation:** a resolved defender is seen to mobilise
with probability alpha, an irresolute one with probability beta. **Statements:** each of n_firm + n_wavering independent
statements tells the type rightly with probability ``accuracy``: the resolved sound firm and the irresolute wavering.
Then the attacker attacks or holds; if attacked, the defender fights if it is resolved and yields if not. The
attacker's payoffs are scaled so that it is indifferent at the belief mu*; at mu* it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.parameters import Parameter
from deterrence.games.tree import chance, end, move
from deterrence.models.misperceived import MisperceivedModel
from deterrence.models.model import Model
from deterrence.perception.indicators import Observation, observe

RHO = Parameter("rho", 0.4, 1e-9, 1 - 1e-9, "probability", "prior that the defender is resolved")
MU_STAR = Parameter("mu_star", 0.5, 1e-9, 1 - 1e-9, "probability", "belief at which the attacker is indifferent")
MOBILISATION = (
    RHO,
    Parameter("alpha", 0.8, 0, 1, "probability", "chance that a resolved defender mobilises"),
    Parameter("beta", 0.3, 0, 1, "probability", "chance that an irresolute defender mobilises"),
    MU_STAR,
)
STATEMENTS = (
    RHO,
    Parameter("accuracy", 0.7, 1e-6, 1 - 1e-6, "probability", "chance that a statement tells the type rightly"),
    Parameter("n_firm", 3, 0, 100, "count", "firm statements"),
    Parameter("n_wavering", 0, 0, 100, "count", "wavering statements"),
    MU_STAR,
)


def binary_mobilisation() -> Model:
    """Return the model of a mobilisation that is seen or not."""
    return MisperceivedModel(
        "BSIG",
        mobilisation_game,
        MOBILISATION,
        ("attack", "war"),
        "Jervis 1970; Bayes' rule",
        title="Binary mobilisation",
        mechanism="a sign of resolve that is often missing costs the resolved a war",
        concept="sequential",
        confidence="A",
        closed_form=mobilisation,
        perceive=watch_mobilisation,
        read=read_mobilisation,
        draw=draw_mobilisation,
        formulas={
            "posterior": r"\mu(mobilised) = \frac{\rho \alpha}{\rho \alpha + (1 - \rho) \beta}, \quad "
            r"\mu(not) = \frac{\rho (1 - \alpha)}{\rho (1 - \alpha) + (1 - \rho)(1 - \beta)}",
            "attack iff": r"\mu < \mu^*",
        },
    )


def mobilisation_game(rho: Any, alpha: Any, beta: Any, mu_star: Any) -> ExtensiveGame:
    """Return the tree; parameters may be symbols."""

    def defender(resolved: bool, mobilises: Any) -> Any:
        seen = {"mobilises": "mobilised", "waits": "not mobilised"}
        after = {act: _attacker(resolved, mu_star, infoset) for act, infoset in seen.items()}
        return chance({"mobilises": (mobilises, after["mobilises"]), "waits": (1 - mobilises, after["waits"])})

    types = chance({"resolved": (rho, defender(True, alpha)), "irresolute": (1 - rho, defender(False, beta))})
    return ExtensiveGame(("Attacker", "Defender"), types, title="Mobilisation")


def mobilisation(rho: float, alpha: float, beta: float, mu_star: float) -> dict[str, Any]:
    """Return both posteriors (None after what never happens) and the likelihoods of attack and war."""
    result: dict[str, Any] = {}
    attack = war = 0.0
    for name, resolved, irresolute in (("mobilised", alpha, beta), ("not", 1 - alpha, 1 - beta)):
        seen = rho * resolved + (1 - rho) * irresolute
        posterior = rho * resolved / seen if seen > 0 else None
        result[f"posterior_{name}"] = posterior
        if posterior is not None and posterior < mu_star:
            attack += seen
            war += rho * resolved
    return {**result, "P_attack": attack, "P_war": war}


def watch_mobilisation(_: ExtensiveGame, params: Mapping[str, Any]) -> Observation:
    """Return what the attacker makes of a mobilisation and of none."""
    chances = [[params[name], 1 - params[name]] for name in ("alpha", "beta")]
    return observe([params["rho"], 1 - params["rho"]], chances, _payoffs(params["mu_star"]))


def read_mobilisation(solution: Observation, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the best use of the sign; a tie is no attack."""
    attacks = solution.response[:, 1] > 0.5
    seen, resolved = solution.chance, solution.posterior[:, 0]
    held = [float(p) if x > 0 else None for p, x in zip(resolved, seen, strict=True)]
    return {
        "posterior_mobilised": held[0],
        "posterior_not": held[1],
        "P_attack": float(seen @ attacks),
        "P_war": float((seen * resolved) @ attacks),
    }


def draw_mobilisation(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which the sign may tell much or nothing."""
    return {name: float(rng.uniform(0.02, 0.98)) for name in ("rho", "alpha", "beta", "mu_star")}


# ---------------------------------------------------------------- statements


def mixed_statements() -> Model:
    """Return the model of statements that agree or contradict one another."""
    return MisperceivedModel(
        "MSG",
        statements_game,
        STATEMENTS,
        ("attack", "war"),
        "Jervis 1970; Bayes' rule",
        title="Consistent or contradictory statements",
        mechanism="mixed messages cancel: what counts is how many more statements are firm than wavering",
        concept="sequential",
        confidence="A",
        closed_form=statements,
        perceive=listen,
        read=read_statements,
        draw=draw_statements,
        formulas={
            "posterior odds": r"\frac{\rho}{1 - \rho} "
            r"\Bigl(\frac{a}{1 - a}\Bigr)^{n_{firm} - n_{wavering}}, \quad a = \text{accuracy}",
            "attack iff": r"\mu < \mu^*",
        },
        differs="P_attack and P_war are those after these statements",
    )


def statements_game(rho: float, accuracy: float, n_firm: float, n_wavering: float, mu_star: float) -> ExtensiveGame:
    """Return the tree; chances of hearing just these statements are relative to the type that is likelier to make them.

    Other statements end the story: what the attacker does after these does not depend on them.
    """
    firm, wavering = int(n_firm), int(n_wavering)
    heard = {
        True: accuracy**firm * (1 - accuracy) ** wavering,
        False: (1 - accuracy) ** firm * accuracy**wavering,
    }
    most = max(heard.values())

    def defender(resolved: bool) -> Any:
        share = heard[resolved] / most
        other = end("other statements", Attacker=0, Defender=0)
        return chance(
            {"these": (share, _attacker(resolved, mu_star, "these statements")), "others": (1 - share, other)}
        )

    types = chance({"resolved": (rho, defender(True)), "irresolute": (1 - rho, defender(False))})
    return ExtensiveGame(("Attacker", "Defender"), types, title="Statements")


def statements(rho: float, accuracy: float, n_firm: float, n_wavering: float, mu_star: float) -> dict[str, Any]:
    """Return the posterior, whether the attacker attacks, and how likely war is after these statements."""
    odds = (1 - rho) / rho * ((1 - accuracy) / accuracy) ** (n_firm - n_wavering)
    posterior = 1 / (1 + odds)
    attack = int(posterior < mu_star)
    return {"posterior": posterior, "attack": attack, "P_attack": float(attack), "P_war": posterior * attack}


def listen(_: ExtensiveGame, params: Mapping[str, Any]) -> Observation:
    """Return what the attacker does when it has heard one statement after the other and has nothing more to hear."""
    right = params["accuracy"]
    payoffs = _payoffs(params["mu_star"])
    belief = np.array([params["rho"], 1 - params["rho"]])
    for said in (0,) * int(params["n_firm"]) + (1,) * int(params["n_wavering"]):
        belief = observe(belief, [[right, 1 - right], [1 - right, right]], payoffs).posterior[said]
    return observe(belief, [[1.0], [1.0]], payoffs)


def read_statements(solution: Observation, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the last of them; a tie is no attack."""
    attacks = bool(solution.response[0, 1] > 0.5)
    posterior = float(solution.posterior[0, 0])
    return {"posterior": posterior, "attack": int(attacks), "P_attack": float(attacks), "P_war": posterior * attacks}


def draw_statements(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters, statements that agree and that contradict one another."""
    return {
        "rho": float(rng.uniform(0.02, 0.98)),
        "accuracy": float(rng.uniform(0.1, 0.95)),
        "n_firm": int(rng.integers(0, 7)),
        "n_wavering": int(rng.integers(0, 7)),
        "mu_star": float(rng.uniform(0.02, 0.98)),
    }


# ---------------------------------------------------------------- shared


def _attacker(resolved: bool, mu_star: Any, seen: str) -> Any:
    """Return the attacker's choice, and the defender's after an attack."""
    reply = move("Defender", {
        "fight": end("war", Attacker=mu_star - 1, Defender=1 if resolved else -1),
        "yield": end("concession", Attacker=mu_star, Defender=0),
    })  # fmt: skip
    return move("Attacker", infoset=seen, actions={"hold": end("peace", Attacker=0, Defender=2), "attack": reply})


def _payoffs(mu_star: float) -> list[list[float]]:
    """Return the attacker's payoffs by type of defender (resolved, irresolute) and response (hold, attack)."""
    return [[0.0, mu_star - 1], [0.0, mu_star]]
