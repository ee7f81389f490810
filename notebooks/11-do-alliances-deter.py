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
# # Do alliances deter? What the data of 58 crises can and can't say
#
# Huth and Russett's 58 crises of extended immediate deterrence are the best-known data of the field; Signorino and Tarar (2006) fitted a strategic model to
# them. Their licence is unclear, so **the data below are simulated**: 58 crises with the regressors' names and kinds of that study, drawn from coefficients of our own that are marked `illustrative`. The
# question is therefore not what happened in history, but what a sample of that size could tell if the truth were known, as here it is.

# %%
import numpy as np
import pandas as pd

import deterrence as dt
from deterrence.estimation import cross_validate, plain_logit, vuong

# %% [markdown]
# ## The game
#
# An attacker threatens a protege. It may accept the status quo or attack; if it attacks, the defender fights or gives way. Each symbol is a payoff that we don't know.

# %%
status_quo, gives_way, war, fights = dt.symbols("u1_sq u1_yield u1_war u2_war")
defender = dt.move(
    "Defender",
    {
        "give way": dt.end("yield", Attacker=gives_way, Defender=0),
        "fight": dt.end("war", Attacker=war, Defender=fights),
    },
)
crisis = dt.ExtensiveGame(
    ("Attacker", "Defender"),
    dt.move("Attacker", {"accept": dt.end("sq", Attacker=status_quo, Defender=0), "attack": defender}),
    "extended immediate deterrence",
)
crisis

# %% [markdown]
# ## Crises from a known truth (illustrative)
#
# An alliance makes the defender more willing to fight, and does nothing else. Whatever it does to the attacker, it does through what the attacker expects.

# %%
UTILITIES = {"u1_sq": "0", "u1_yield": "1", "u1_war": "balance", "u2_war": "alliance + balance"}
TRUTH = {
    "u1_yield:Intercept": 0.9,
    "u1_war:Intercept": -1.6,
    "u1_war:balance": 0.8,
    "u2_war:Intercept": -0.4,
    "u2_war:alliance": 1.5,
    "u2_war:balance": -0.7,
}  # illustrative


def crises(number, seed):
    """Return crises drawn from the truth."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({"alliance": generator.integers(0, 2, number), "balance": generator.normal(size=number)})
    frame["outcome"] = generator.choice(["sq", "yield", "war"], number)
    model = dt.fit(crisis, frame, outcome="outcome", utilities=UTILITIES, errors="private", starts=1)
    assert list(model.names) == list(TRUTH)
    drawn = model.likelihood.simulate(np.array(list(TRUTH.values())), generator)
    return frame.assign(outcome=drawn.outcome_frame()["outcome"].to_numpy())


few = crises(58, seed=11)
few["outcome"].value_counts()

# %% [markdown]
# ## What 58 crises say

# %%
fit = dt.fit(crisis, few, outcome="outcome", utilities=UTILITIES, errors="private")
print(fit)

# %% [markdown]
# Normal intervals are rough in a sample of this size. The profile likelihood says how far each coefficient can be moved before the data object.

# %%
fit.conf_int(method="profile").assign(truth=pd.Series(TRUTH)).round(2)

# %% [markdown]
# What the alliance does to the probability of each outcome, averaged over the crises: it deters (`sq` up) only as far as the attacker anticipates the defender.

# %%
fit.effects("alliance").round(3)

# %% [markdown]
# ## A plain logit of the same crises
#
# It has a coefficient of the alliance for each outcome and no idea who moves first. With 58 crises the two can hardly be told apart.

# %%
logit = plain_logit(fit)
print(vuong(fit, logit))
cross_validate(fit, folds=5).round(3)

# %% [markdown]
# ## What goes wrong in small samples
#
# Among 100 samples of 58 crises, how often is there no maximum at all, because some regressor separates what the defender did? A penalty (Firth 1993) then keeps the estimate finite.

# %%
fits = [
    dt.fit(crisis, crises(58, seed), outcome="outcome", utilities=UTILITIES, errors="private", starts=1)
    for seed in range(100)
]
pd.Series([f.status for f in fits]).value_counts()

# %%
good = [f for f in fits if f.converged]
estimates = np.array([f.params["u2_war:alliance"] for f in good])
low, high = np.array([f.conf_int().loc["u2_war:alliance"] for f in good]).T
truth = TRUTH["u2_war:alliance"]
covered, significant = np.mean((low < truth) & (truth < high)), np.mean(low > 0)
print(f"effect of the alliance on the defender: truth {truth}, median estimate {np.median(estimates):.2f}")
print(f"95 % intervals cover the truth in {covered:.0%} of the samples, and lie above zero in {significant:.0%}")

# %%
bad = [seed for seed, f in enumerate(fits) if not f.converged]
for seed in bad[:1]:
    penalised = dt.fit(
        crisis, crises(58, seed), outcome="outcome", utilities=UTILITIES, errors="private", penalty="firth"
    )
    print(f"sample {seed}: {fits[seed].message}")
    print(f"with Firth's penalty: {penalised.status}, alliance {penalised.params['u2_war:alliance']:.2f}")

# %% [markdown]
# ## What if the defender had looked more resolute?
#
# A fit is a game again. At a typical crisis without an alliance, let the defender's payoff of war rise, and ask for the attack.

# %%
game = fit.game({"alliance": 0}, free=["u2_war"])
at = fit.values({"alliance": 0})
table = dt.sweep(game, over={"u2_war": np.linspace(-2, 2, 9)}, event="attack", progress=False)
pd.DataFrame({"u2_war": table.u2_war.values, "attack": table.attack_high.values, "estimate": at["u2_war"]}).round(2)

# %% [markdown]
# ## Answer
#
# In the cells above: with 58 crises the effect of an alliance on the defender can be told from zero in fewer than half of the samples, although it is there
# in all of them; a strategic model can't be told from a logit; and in some samples the estimate does not exist. What an alliance does to the *attacker* is not a coefficient at all:
# it follows from the game.

# %%
big = dt.fit(crisis, crises(2000, seed=5), outcome="outcome", utilities=UTILITIES, errors="private")
effect = {f"{len(f.frame)} crises": f.effects("alliance").loc["sq", ["effect", "low", "high"]] for f in (fit, big)}
print("effect of an alliance on the probability that the status quo is kept:")
print(pd.DataFrame(effect).T.round(3).to_string())
