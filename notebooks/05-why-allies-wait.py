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
# # Why do allies wait, although each of them wants the attack to be answered?
#
# Four reasons, each in a model of its own: somebody else may do it (the volunteer's dilemma), nobody is sure that the others see what
# it sees (global games), a rule asks for too many (consensus), and they do not see the same threat.

# %%
import numpy as np

import deterrence as dt

# %% [markdown]
# ## Somebody else may do it
#
# One response suffices, and each member would rather that another one paid. The larger the alliance, the more often nobody acts.

# %%
volunteers = dt.models.get("VD")
nobody = {}
for members in (2, 5, 12, 32):
    row = volunteers.solved(N=members, b=1, c=0.3)
    nobody[members] = row["P_nobody"]
    print(f"{members:3d} members: each acts with probability {row['p']:.3f}, nobody with {row['P_nobody']:.3f}")

# %% [markdown]
# ## Nobody is sure what the others see
#
# A response works only if enough members join. With private assessments of the attack, fear of standing alone settles it: attacks
# above a cutoff go unanswered, whatever the true balance.

# %%
regime = dt.models.get("GGC")
cutoffs = {cost: regime.solved(c=cost, sigma=0.1)["theta_star"] for cost in (0.1, 0.3, 0.5)}
for cost, cutoff in cutoffs.items():
    print(f"cost of assisting {cost}: answered up to strength {cutoff:.2f}")

# %% [markdown]
# ## The rule asks for many
#
# The share of severity that an attacker can take unpunished, as the number of members that must agree rises.

# %%
rule = dt.models.get("GGK")
for needed in (1, 3, 5):
    print(f"{needed} of 5 must assist: threshold of severity {rule.solved(N=5, k=needed, c=0.15)['threshold']:.2f}")

# %% [markdown]
# ## They do not see the same threat
#
# Under unanimity one sceptic decides for all; a majority can do without a few.

# %%
consensus = dt.models.get("CONS")
perceived = [0.95] * 10 + [0.4, 0.5]
invoked = {needed: consensus.solved(p=perceived, k=needed)["P_invoke"] for needed in (7, 10, 12)}
for needed, probability in invoked.items():
    print(f"{needed} of 12 votes: invoked with probability {probability:.3f}")

# %% [markdown]
# ## All at once, in an alliance of unequal members
#
# In the scenario of a fractured alliance, the same mechanisms act together; shared intelligence gives the members one view.

# %%
fractured = dt.Scenario.load("fractured-alliance")
shares = np.array([0.0, 1.0])
answer = fractured.answer({"treaty.shared_intelligence": shares}, events=("attack", "defence holds"))
for share, attack in zip(shares, answer.low["attack"], strict=True):
    print(f"shared intelligence {share:.0f}: likelihood of attack {attack:.3f}")

# %% [markdown]
# ## The answer

# %%
print(
    f"Because waiting is safe for one and costly for all: nobody acts with probability {nobody[2]:.2f} among 2 and {nobody[32]:.2f} "
    f"among 32; with costs of 0.5 only attacks up to {cutoffs[0.5]:.2f} are answered; and two sceptics cut the chance of "
    f"unanimity to {invoked[12]:.2f}, where 7 of 12 votes would give {invoked[7]:.2f}."
)
assert nobody[32] > nobody[2]
assert invoked[12] < invoked[7]
