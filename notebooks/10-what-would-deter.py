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
# # Which of these would deter, whatever we don't know?
#
# Most numbers of the scenario `baltic-2017` are illustrations with a range, so that its likelihood of attack can be almost
# anything. That does not make every choice as good as any other. Here eight options, each with a cost that is uncertain
# too, are tried alone and together on the same draws of everything that is not known.

# %%
# %matplotlib inline

# %%
import numpy as np

import deterrence as dt

scenario = dt.Scenario.load("baltic-2017")
for name, option in scenario.table.options.items():
    print(f"{name}: {option.title}")

# %% [markdown]
# ## What is not known
#
# The draws of the status quo: each dot is as likely as any other.

# %%
decision = scenario.decide(draws=128, seed=1)
decision.uncertainty.plot("dots").figure

# %% [markdown]
# ## What each policy costs and does
#
# A policy is a set of options that go together and keep to the budget in at least half of the draws. All of them are solved
# on the draws above; letters stand for options.

# %%
print(decision)

# %%
decision.plot("front").figure

# %% [markdown]
# Colours show unwanted wars: attacks that the aggressor regrets, and that are resisted. A policy that makes attack less
# likely can make these more likely, because it is strong and not believed. So the front has a third dimension.

# %%
both = decision.front("attack", "unwanted war")
only = [decision.names[p] for p in decision.front() if p in both]
print(f"{len(decision.front())} policies on the front of cost and attack, {len(both)} with unwanted war as well")
print("on both:", ", ".join(only))

# %% [markdown]
# ## How robust that is
#
# Regret is how much likelier attack is than under the best affordable policy *of the same draw*. A policy with a small
# largest regret is never far from the best, whichever draw is the truth.

# %%
decision.plot("regret").figure

# %%
decision.plot("satisficing").figure

# %% [markdown]
# ## What is worth finding out
#
# A number is worth knowing if knowing it would change the choice. Without a value of peace in money, the policy that lowers
# the likelihood most is nearly always the largest, and little is worth knowing. With one (here 10 billion dollars a year for
# certain attack against none), a choice between spending and not spending arises.

# %%
weighed = decision.at(harm=10.0)
print({rule: weighed.names[p] for rule, p in weighed.choices().items()})
weighed.plot("information").figure

# %% [markdown]
# ## Which of these would deter, whatever we don't know?
#
# In how many draws each option makes attack less likely and in how many likelier; by how many points in the middle half of
# the draws; and what the rules choose.

# %%
for option in decision.options:
    change = -100 * decision.reduction()[decision.policy(option.name)]
    less, more = (change < -1e-4).mean(), (change > 1e-4).mean()
    low, high = np.quantile(change, [0.25, 0.75])
    print(
        f"{option.name}: less likely in {less:.0%}, likelier in {more:.0%} of draws; {low:+.1f} to {high:+.1f} points"
    )
frame = decision.to_frame()
for rule, place in decision.choices().items():
    row = frame.iloc[place]
    print(f"{rule}: {row['options']}, {row['likelihood']:.0%} against {frame['likelihood'].iloc[0]:.0%}")
