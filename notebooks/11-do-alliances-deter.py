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
# Huth and Russett's 58 crises of extended immediate deterrence are the best-known data of the field. Their licence is unclear, and so is that of the militarised disputes
# of 1816-1899 which the R package *games* ships; **no data of others are in this notebook**. The data below are simulated from a *published fit*: the model of
# Kenkel and Signorino (2014) for 282 of those disputes, in which the similarity of two states' alliance portfolios enters the initiator's payoff of the status quo. Its
# maximum, at a log-likelihood of -286.12, is taken for the truth, so that every answer can be checked against it.

# %%
import numpy as np
import pandas as pd

import deterrence as dt
from deterrence.estimation import cross_validate, plain_logit, vuong

# %% [markdown]
# ## The game
#
# An initiator may leave the status quo or escalate a dispute; if it escalates, the respondent gives in or fights. Each symbol is a payoff that we don't know.

# %%
status_quo, gives_in, war, fights = dt.symbols("u1_sq u1_capit u1_war u2_war")
respondent = dt.move(
    "Respondent",
    {
        "give in": dt.end("capit", Initiator=gives_in, Respondent=0),
        "fight": dt.end("war", Initiator=war, Respondent=fights),
    },
)
crisis = dt.ExtensiveGame(
    ("Initiator", "Respondent"),
    dt.move("Initiator", {"leave": dt.end("sq", Initiator=status_quo, Respondent=0), "escalate": respondent}),
    "a militarised dispute",
)
crisis

# %% [markdown]
# ## Disputes from a published fit
#
# Coefficients: the specification of Kenkel and Signorino (2014, *J. Stat. Softw.* 56(8)) with agent errors, at its maximum. Regressors: drawn with the shares, means and spreads of the 282
# disputes (Correlates of War; Jones, Bremer and Singer 1996), independently of each other.

# %%
UTILITIES = {
    "u1_sq": "similarity + revisionist",
    "u1_capit": 0,
    "u1_war": "regime1",
    "u2_war": "balance + regime2",
}
PUBLISHED = {
    "u1_sq:Intercept": -0.50,
    "u1_sq:similarity": -0.74,
    "u1_sq:revisionist": 0.43,
    "u1_war:Intercept": 0.22,
    "u1_war:regime1[T.dem]": -1.90,
    "u1_war:regime1[T.mixed]": -0.58,
    "u2_war:Intercept": 0.50,
    "u2_war:balance": -0.04,
    "u2_war:regime2[T.dem]": -1.54,
    "u2_war:regime2[T.mixed]": -0.62,
}
REGIMES = ["autoc", "dem", "mixed"]


def regressors(number, generator):
    """Return regressors with the shares, means and spreads of the 282 disputes."""
    return pd.DataFrame(
        {
            "similarity": generator.normal(0.42, 0.40, number).clip(-1, 1),
            "revisionist": generator.binomial(1, 0.76, number),
            "balance": generator.beta(0.75, 0.46, number),
            "regime1": generator.choice(REGIMES, number, p=[0.22, 0.23, 0.55]),
            "regime2": generator.choice(REGIMES, number, p=[0.33, 0.16, 0.51]),
        }
    )


first = regressors(300, np.random.default_rng(0)).assign(outcome=["sq", "capit", "war"] * 100)
model = dt.fit(crisis, first, outcome="outcome", utilities=UTILITIES, starts=1).likelihood  # for its formulas alone
assert list(model.names) == list(PUBLISHED)


def disputes(number, seed):
    """Return disputes drawn from the published fit."""
    generator = np.random.default_rng(seed)
    frame = regressors(number, generator)
    drawn = model.at(frame).simulate(np.array(list(PUBLISHED.values())), generator)
    return frame.assign(outcome=drawn.outcome_frame()["outcome"].to_numpy())


few = disputes(58, seed=11)
few["outcome"].value_counts()

# %% [markdown]
# ## What 58 crises say

# %%
fit = dt.fit(crisis, few, outcome="outcome", utilities=UTILITIES)
print(fit)

# %% [markdown]
# Normal intervals are rough in a sample of this size. The profile likelihood says how far each coefficient can be moved before the data object; an end at infinity means that they never do.

# %%
fit.conf_int(method="profile").assign(published=pd.Series(PUBLISHED)).round(2)

# %% [markdown]
# What a unit of similarity does to the probability of each outcome, averaged over the crises. If alliances deterred, `sq` would go up.

# %%
fit.effects("similarity").round(3)

# %% [markdown]
# ## A plain logit of the same crises
#
# It has a coefficient of every regressor for each outcome, and no idea who moves first. Vuong's test charges it for its coefficients; the scores are those of crises that a fit has not seen.

# %%
logit = plain_logit(fit)
print(vuong(fit, logit))
cross_validate(fit, folds=5).round(3)

# %% [markdown]
# ## What goes wrong in small samples
#
# Among 60 samples of 58 crises, how often is there no maximum at all, because some regressor separates what a player did? A penalty (Firth 1993) then keeps the estimate finite.

# %%
fits = [dt.fit(crisis, disputes(58, seed), outcome="outcome", utilities=UTILITIES, starts=1) for seed in range(60)]
pd.Series([f.status for f in fits]).value_counts()

# %%
good = [f for f in fits if f.converged]
name = "u1_sq:similarity"
estimates = np.array([f.params[name] for f in good])
low, high = np.array([f.conf_int().loc[name] for f in good]).T
covered, told = np.mean((low < PUBLISHED[name]) & (PUBLISHED[name] < high)), np.mean((low > 0) | (high < 0))
print(
    f"similarity in the payoff of the status quo: published {PUBLISHED[name]}, median estimate {np.median(estimates):.2f}"
)
print(f"95 % intervals cover it in {covered:.0%} of the samples that have a maximum, and exclude zero in {told:.0%}")

# %%
bad = [seed for seed, f in enumerate(fits) if f.status == "separated"]
for seed in bad[:1]:
    penalised = dt.fit(crisis, disputes(58, seed), outcome="outcome", utilities=UTILITIES, penalty="firth")
    print(f"sample {seed}: {fits[seed].message}")
    print(f"with Firth's penalty: {penalised.status}, similarity {penalised.params[name]:.2f}")

# %% [markdown]
# ## What if the respondent had looked more resolute?
#
# A fit is a game again. At a typical dispute, let the respondent's payoff of war rise, and ask whether the dispute is escalated.

# %%
game = fit.game({"regime2": "autoc"}, free=["u2_war"])
at = fit.values({"regime2": "autoc"})
table = dt.sweep(game, over={"u2_war": np.linspace(-2, 2, 9)}, event="escalate", progress=False)
pd.DataFrame({"u2_war": table.u2_war.values, "escalate": table.escalate_high.values, "fitted": at["u2_war"]}).round(2)

# %% [markdown]
# ## Answer
#
# Do alliances deter? The published fit does not say so: among states that already were in a dispute, those with more similar alliances kept the status quo *less* often. That is no proof of the
# contrary either: pairs whom alliances had deterred never came into the data, and neither a coefficient nor a sample of 58 can show them. What 58 crises can say is little:
# the table compares one sample of that size with one of 2,000.

# %%
big = dt.fit(crisis, disputes(2000, seed=5), outcome="outcome", utilities=UTILITIES)
effect = {f"{len(f.frame)} crises": f.effects("similarity").loc["sq", ["effect", "low", "high"]] for f in (fit, big)}
print("effect of a unit of similarity on the probability that the status quo is kept:")
print(pd.DataFrame(effect).T.round(3).to_string())
print(
    f"samples of 58 with a maximum: {len(good)} of {len(fits)}; of these, with an interval that excludes zero: {told:.0%}"
)
