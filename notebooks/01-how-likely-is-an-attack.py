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
# # How likely is an attack on the Baltic states, and what does perceived resolve have to do with it?
#
# A scenario is a small text file: who might come, with what, how soon, at what cost; what the aggressor wants; and what it believes.
# We load the one for 2017, look at what an attack would meet, and vary perceived resolve.

# %%
import numpy as np

import deterrence as dt

scenario = dt.Scenario.load("baltic-2017")
print(scenario)
print(scenario.table.description)

# %% [markdown]
# ## Who would come?
#
# Each ally weighs its own cost of fighting, which only it knows, against its stake, its word, and the troops that it has in harm's
# way. An equilibrium of this participation game is a cutpoint for each: assist if your cost is below it.

# %%
response = scenario.game().response()
for attack, sets in response.equilibria.items():
    print(
        f"{attack}: treaty invoked with probability {response.invoked[response.attacks.index(attack)]:.2f}; {len(sets)} equilibria listed"
    )
for i, member in enumerate(response.members):
    print(
        f"{member:15s}",
        "  ".join(f"{attack} {response.comes[1][x, i]:.2f}" for x, attack in enumerate(response.attacks)),
    )

# %% [markdown]
# ## Is it worth it?
#
# The aggressor compares three kinds of attack with doing nothing. Its value of the prize is private; the likelihood of attack is the
# probability that this value lies above the threshold at which some attack pays. It acts on what it *believes* about the allies:
# in this scenario it thinks fighting costs each of them more than it does.

# %%
assessment = scenario.assess()
print(assessment)

# %% [markdown]
# ## Varying perceived resolve
#
# Below, only the aggressor's perception moves; the allies stay as they are.

# %%
from deterrence.plotting import attack_curve

axes = attack_curve(scenario)
axes.figure

# %% [markdown]
# ## Perceived against true resolve
#
# Now both move. Where the aggressor sees more resolve than there is (above the diagonal), deterrence holds by a bluff; where it sees less,
# there are wars that it regrets. A higher number is a higher mean cost of fighting, so a lower resolve.

# %%
grid = dt.sweep(
    scenario,
    over={"resolve": np.linspace(-1, 1, 9), "perception.Russia.resolve": np.linspace(-1, 1, 9)},
    event=["attack", "unwanted war"],
    progress=False,
)
grid

# %% [markdown]
# ## The answer

# %%
print(assessment.in_words())
truth = assessment.likelihood_correct_beliefs[0]
assert assessment.likelihood[0] > truth, "underestimated resolve raises the likelihood of attack"
