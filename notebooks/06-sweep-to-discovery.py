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
# # Which assumption decides whether deterrence holds in the Baltic, and where does it fail?
#
# The scenario `baltic-2017` gives one answer. Here the same question is asked at many points: over how resolute the
# allies look, how strongly the treaty obliges them, and how late their forces come. Nothing below is an estimate: the
# ranges are illustrative.

# %%
# %matplotlib inline

# %%
import tempfile
from pathlib import Path

import numpy as np

import deterrence as dt
from deterrence.plotting import heat_map, index_chart, phase_map, small_multiples, tornado
from deterrence.sweeps import discover, influence, sobol_indices, tipping_points

scenario = dt.Scenario.load("baltic-2017")
print(scenario)

# %% [markdown]
# ## Three parameters
#
# `perception.Russia.resolve` is what the aggressor adds to every ally's cost of fighting: the higher, the less resolute
# they look. The other two multiply every member's obligation and delay.

# %%
seen, obliged, late = "perception.Russia.resolve", "*members.*.obligation", "*members.*.delay"
ranges = {seen: (-1.0, 2.0), obliged: (0.0, 3.0), late: (0.0, 3.0)}
base = {seen: 0.6, obliged: 1.0, late: 1.0}

# %% [markdown]
# ## One at a time
#
# What does each do alone, from one end of its range to the other?

# %%
sensitivity = influence(scenario, base, ranges, progress=False)
chart = tornado(sensitivity, title="Each parameter alone")
chart.figure

# %% [markdown]
# ## All at once
#
# Sobol' indices say which share of the variance each parameter accounts for, alone (first order) and with its interactions
# (total). Where intervals overlap, more samples are needed to tell which parameter is first.

# %%
indices = sobol_indices(scenario, ranges, samples=256, seed=1, progress=False)
chart = index_chart(indices, title="All parameters at once")
most = str(indices.parameter.values[np.argmax(indices.total.values)])
for name in indices.parameter.values:
    one = indices.sel(parameter=name)
    print(f"{name}: total index {float(one.total):.2f}, in [{float(one.total_low):.2f}, {float(one.total_high):.2f}]")
print("most influential:", most)
chart.figure

# %% [markdown]
# ## The whole grid, kept on disk
#
# A sweep with a store can be killed at any moment; the same call goes on where it stopped.

# %%
grid = {seen: np.linspace(*ranges[seen], 21), obliged: np.linspace(*ranges[obliged], 13), late: [0.0, 1.0, 2.0, 3.0]}
folder = tempfile.TemporaryDirectory()
result = dt.sweep(scenario, over=grid, store=Path(folder.name) / "baltic.zarr", progress=False)
print(
    dict(result.sizes),
    "lowest and highest likelihood:",
    float(result.attack_low.min()),
    float(result.attack_high.max()),
)

# %% [markdown]
# ## The phase map
#
# Regions by the likelihood of attack, one picture for each factor on the delays.

# %%
maps = small_multiples(result, phase_map, over=late, columns=2, levels=(0.1, 0.25, 0.5, 0.75), x=seen, y=obliged)
maps[0].figure

# %%
chart = heat_map(result.sel({late: 1.0}), x=seen, y=obliged, title="Delays as they are")
chart.figure

# %% [markdown]
# ## How far may perception slip?
#
# The tipping point: the perceived shift in the costs of fighting at which an attack becomes more likely than not.

# %%
tipping = tipping_points(
    scenario, seen, ranges[seen], over={obliged: [0.0, 1.0, 2.0, 3.0]}, scan=13, tol=1e-3, progress=False
)
for factor, value in zip(tipping[obliged].values, tipping.tipping.values, strict=True):
    where = f"at a perceived shift of {value:.2f}" if np.isfinite(value) else "nowhere in the range"
    print(f"obligation x {factor:g}: attack becomes more likely than not {where}")

# %% [markdown]
# ## Where does deterrence fail?
#
# Scenario discovery looks for a box of parameters in which an attack is more likely than not.

# %%
(box,) = discover(result, lambda r: r.attack_high > 0.5)
print(box)
print(f"The parameter that matters most is {most}.")

# %%
folder.cleanup()
