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
# # Is this profile an equilibrium, and how would you know?
#
# A paper, or your own pencil, says that some strategies and beliefs are an equilibrium. `dt.verify` recomputes from the game alone what everybody
# could gain by deviating, and how far beliefs are from Bayes' rule. We do the same by hand, in fractions, and then plant mistakes.

# %%
from fractions import Fraction

import numpy as np

import deterrence as dt

# %% [markdown]
# ## The game
#
# A guarantor is strong (9 in 10) or weak; it may show its flag or hide it; the attacker fights it or lets it be. Cho and Kreps (1987) tell the story
# with beer and quiche. Payoffs are rationals, so that every comparison is exact.

# %%
game = dt.SignalingGame(
    types=("strong", "weak"),
    messages=("show", "hide"),
    responses=("fight", "let be"),
    prior=[Fraction(9, 10), Fraction(1, 10)],
    sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]],
    receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    players=("Guarantor", "Attacker"),
).exact()
game

# %% [markdown]
# ## The claim
#
# Both types show the flag. The attacker lets be who shows it, and fights who hides it, for it takes whoever hides the flag to be weak with probability 3/4.

# %%
one, zero = Fraction(1), Fraction(0)


def claim(belief_if_hidden, belief_if_shown=Fraction(9, 10)):
    return dt.SignalingProfile(
        sender=np.array([[one, zero], [one, zero]]),
        receiver=np.array([[[zero, one], [one, zero]]]),
        posterior=np.array([[[belief_if_shown, 1 - belief_if_shown], [belief_if_hidden, 1 - belief_if_hidden]]]),
    )


profile = claim(Fraction(1, 4))
dt.draw(game, profile)

# %% [markdown]
# ## By hand
#
# Bayes' rule after a message that is sent: the prior of a type times the probability that it sends the message, over the sum.

# %%
prior = dict(zip(game.types, game.prior, strict=True))
sent = {t: profile.sender[i, 0] for i, t in enumerate(game.types)}
total = sum(prior[t] * sent[t] for t in game.types)
posterior = {t: prior[t] * sent[t] / total for t in game.types}
print("after show:", ", ".join(f"{t} {x}" for t, x in posterior.items()))

# %% [markdown]
# Nobody hides the flag, so Bayes' rule says nothing there. What the attacker expects of each response, at its beliefs:

# %%
for m, message in enumerate(game.messages):
    belief = profile.posterior[0, m]
    values = {
        r: sum(belief[t] * game.receiver_payoffs[t, m, k] for t in range(2)) for k, r in enumerate(game.responses)
    }
    print(f"after {message}: {', '.join(f'{r} {v}' for r, v in values.items())}; best: {max(values, key=values.get)}")

# %% [markdown]
# And what each type gets from each message, as the attacker responds:

# %%
for t, label in enumerate(game.types):
    values = {}
    for m, message in enumerate(game.messages):
        values[message] = sum(profile.receiver[0, m, r] * game.sender_payoffs[t, m, r] for r in range(2))
    print(
        f"{label}: {', '.join(f'{message} {v}' for message, v in values.items())}; best: {max(values, key=values.get)}"
    )

# %% [markdown]
# Everybody plays a best response and beliefs follow from Bayes' rule where it applies. The certificate says the same, in rational arithmetic.

# %%
certificate = dt.verify(game, profile)
certificate

# %% [markdown]
# ## Planted mistakes
#
# A belief after `show` that forgets the prior; a belief after `hide` at which fighting does not pay; a weak type that hides.

# %%
forgetful = dt.verify(game, claim(Fraction(1, 4), belief_if_shown=Fraction(1, 2)))
print(f"beliefs off by {forgetful.max_belief_error}: Bayes' rule is broken after a message that is sent")

timid = dt.verify(game, claim(Fraction(3, 4)))
print(
    f"regret {timid.max_regret}: at this belief fighting loses to letting be; sequentially rational: {timid.sequentially_rational}"
)

hiding = dt.SignalingProfile(
    sender=np.array([[one, zero], [zero, one]]),
    receiver=profile.receiver,
    posterior=np.array([[[one, zero], [zero, one]]]),
)
print(f"regret {dt.verify(game, hiding).max_regret}: the weak type would rather show the flag, and be let alone")

# %% [markdown]
# ## All beliefs that hold it up
#
# The belief of 3/4 was one of many. The solver finds every equilibrium; the picture has the beliefs after each message, from a weak guarantor at the
# left to a strong one at the right, with the response that is best there.

# %%
equilibria = dt.pbe(game, exact=True)
pooling = equilibria.where(kind="pooling on show")[0]
dt.belief_simplex(game, pooling)

# %% [markdown]
# ## The answer

# %%
low, high = sorted(vertex.posterior[0, 1, 1] for vertex in (pooling.vertices[0], pooling.vertices[-1]))
print(
    f"The claim is an equilibrium: regret {certificate.max_regret}, belief error {certificate.max_belief_error}, exact: {certificate.exact}. "
    f"Any belief that a hider is weak with probability {low} to {high} holds it up; the three planted mistakes are all caught."
)
assert certificate.max_regret == 0
assert certificate.max_belief_error == 0
assert certificate.exact
assert posterior["strong"] == Fraction(9, 10)
assert forgetful.max_belief_error > 0
assert timid.max_regret > 0
assert (low, high) == (Fraction(1, 2), 1)
