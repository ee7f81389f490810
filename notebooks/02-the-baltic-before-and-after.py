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
# # What did forward presence change for the Baltic states?
#
# Three scenarios of the library describe one place at three times: 2014, when no allied battalions stood there; 2017, with four
# battlegroups; 2024, with brigades planned and two members more. We compare the likelihood of attack, and ask what made the difference.
# Public figures carry a source in the scenario; stakes and costs of fighting are illustrations, so read the numbers as a comparison.

# %%
import matplotlib.pyplot as plt
import numpy as np

import deterrence as dt

years = ("2014", "2017", "2024")
scenarios = {year: dt.Scenario.load(f"baltic-{year}") for year in years}
for year, scenario in scenarios.items():
    game = scenario.game()
    forward = sum(float(member.forward) for member in game.members)
    print(
        f"{year}: {len(game.members)} members, forward strength {forward:.2f} brigades, own strength {float(game.base):.2f}"
    )

# %% [markdown]
# ## The likelihood of attack, as the aggressor sees the allies
#
# `resolve` shifts what fighting costs every ally: a higher value is a lower resolve. Here it moves in the aggressor's eyes alone.

# %%
shift = np.linspace(-1, 1, 21)
seen = {year: s.answer({"perception.Russia.resolve": shift}).high["attack"] for year, s in scenarios.items()}

figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for (year, likelihood), color, dash in zip(
    seen.items(), ("#D55E00", "#0072B2", "#009E73"), ("-", "--", "-."), strict=True
):
    axes.plot(shift, likelihood, color=color, linestyle=dash, linewidth=2, label=year)
axes.set_xlabel("shift of the allies' mean cost of fighting, as Russia sees it (0: rightly)")
axes.set_ylabel("likelihood of attack")
axes.set_ylim(0, 1)
axes.legend()
plt.show()

# %% [markdown]
# ## What made the difference?
#
# Between two scenarios many things change at once. The contribution of each group of parameters is its Shapley value: what the change
# of the group adds, averaged over all orders in which the groups may change. Points of likelihood; they add up.

# %%
before = dt.compare_scenarios(scenarios["2014"], scenarios["2017"])
before

# %%
after = dt.compare_scenarios(scenarios["2017"], scenarios["2024"])
after

# %% [markdown]
# ## Forward presence alone
#
# The group "forces" holds more than forward presence: equipment, and how soon others arrive. So we take the battalions alone out of 2017 and 2024
# (factor 0), or double them, and leave all else as it is.

# %%
factor = np.array([0.0, 0.5, 1.0, 2.0])
alone = {year: scenarios[year].answer({"*members.*.forward": factor}).high["attack"] for year in ("2017", "2024")}
for year, likelihood in alone.items():
    print(year, "  ".join(f"{f:g} x presence: {p:.1%}" for f, p in zip(factor, likelihood, strict=True)))

# %% [markdown]
# Forward presence works twice: it is strength on the spot, and it is a tripwire that makes staying out dearer for those whose troops are hit.
# The second part can be switched off by itself.

# %%
without_wire = scenarios["2017"].answer({"*members.*.forward": factor, "tripwire": np.zeros(4)}).high["attack"]
print("2017, no tripwire:", "  ".join(f"{f:g} x presence: {p:.1%}" for f, p in zip(factor, without_wire, strict=True)))

# %% [markdown]
# ## The answer

# %%
largest = before.contributions[0]
print(
    f"From 2014 to 2017 the likelihood of attack falls from {before.likelihood_before:.0%} to {before.likelihood_after:.0%}; "
    f"{largest.group} account for {-100 * largest.shapley:.0f} of the {-100 * before.change:.0f} points. "
    f"Without its battalions 2017 would stand at {alone['2017'][0]:.0%} instead of {alone['2017'][2]:.0%}; "
    f"of this the tripwire is worth {100 * (without_wire[2] - alone['2017'][2]):.1f} points."
)
assert alone["2017"][0] > alone["2017"][2], "forward presence deters"
assert np.isclose(sum(c.shapley for c in before.contributions), before.change)
