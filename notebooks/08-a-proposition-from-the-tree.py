# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # When does a costly alliance signal deter, as a formula?
#
# A guarantor is resolute (stake above the cost of war) or not, and only it knows. It signs a treaty, at a cost k in peace and h more if it
# then abandons its protege, or stays silent. The attacker sees the treaty, not the type. Fearon (1997) derived by hand when such a signal
# is believed. Here the tree is written down, and the machine lists every equilibrium with its exact condition.

# %%
import deterrence as dt
from deterrence.solvers.regimes import regimes

rho, k, h, v_I, w, v_R, g, d = dt.symbols("rho k h v_I w v_R g d")


def crisis(stake, paid, tied, seen):
    answer = dt.move(
        "Guarantor",
        {
            "fight": dt.end("war", Guarantor=-paid - w, Attacker=-d),
            "abandon": dt.end("conquest", Guarantor=-paid - stake - tied, Attacker=g),
        },
    )
    return dt.move("Attacker", {"hold": dt.end("peace", Guarantor=-paid, Attacker=0), "attack": answer}, infoset=seen)


def guarantor(stake):
    return dt.move("Guarantor", {"silence": crisis(stake, 0, 0, "nothing"), "treaty": crisis(stake, k, h, "a treaty")})


tree = dt.ExtensiveGame(
    ("Guarantor", "Attacker"), dt.chance({"resolute": (rho, guarantor(v_R)), "irresolute": (1 - rho, guarantor(v_I))})
)
found = regimes(tree, assumptions=["k > 0", "h >= 0", "0 < v_I < w < v_R", "d > 0", "g > 0", "h < w - v_I"])
print(found)

# %% [markdown]
# The condition of the separating equilibrium is the published one: the treaty must cost more than the protege is worth to an irresolute
# guarantor, and no more than war costs a resolute one.
#
# ## The proposition
#
# With strategies, beliefs, and the constraint that each inequality comes from. `found.to_latex("attack", "war")` gives the same for a paper.

# %%
from IPython.display import Markdown

Markdown(found.to_markdown("attack", "war"))

# %% [markdown]
# ## What moves the likelihood of attack?
#
# Signs that are proven throughout a regime, and what happens where one ends. Where bluffing pays (k below v_I), a dearer treaty lowers the
# likelihood of attack, until bluffers drop out and it jumps.

# %%
found.statics("attack")

# %%
for boundary in found.boundaries("attack"):
    if boundary.beyond and "mixes" in found[boundary.regime - 1].kind and boundary.change.startswith("jump"):
        print(
            f"{found[boundary.regime - 1].kind}, where {boundary.condition} ends, to {found[boundary.beyond - 1].kind}: {boundary.change} by {boundary.jump}"
        )

# %% [markdown]
# ## Which equilibria are held up by beliefs that nobody should hold?
#
# The cases in which each survives D1, beside its own condition.

# %%
for regime in found:
    cases = [", ".join(map(str, case)) or "everywhere" for case in regime.survives("d1")]
    print(f"{regime}:  survives D1 {' or '.join(cases) or 'nowhere'}")

# %% [markdown]
# ## So when does it deter?
#
# The map over prior resolve and the treaty's cost, with exact boundaries, and the probability of attack of each regime.

# %%
axes = found.plot(
    "rho", "k", at={"h": 0.1, "v_I": 0.4, "w": 1, "v_R": 2, "g": 1, "d": 1}, xlim=(0.01, 0.99), ylim=(0.01, 1.2)
)

# %%
for regime in found:
    print(f"{regime}:  Pr(attack) = {regime.probability('attack')},  Pr(war) = {regime.probability('war')}")
