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
# # Tying hands or sinking costs: which signal of resolve deters more, and at what price?
#
# A guarantor that wants to be believed can pay for a signal now (sunk cost: troops, bases) or make backing down dearer later (tied
# hands: a treaty, a speech). Fearon (1997) sets the two side by side. We ask his model, a two-type version of it, and a tripwire.

# %%
import numpy as np

import deterrence as dt

# %% [markdown]
# ## A continuum of types (Fearon 1997)

# %%
fearon = dt.models.get("F97")
found = fearon.solved(p=0.5, c=0.3, V=1, e_lo=-0.25, e_hi=1)
for signal in ("no_signal", "sunk", "tying"):
    row = found[signal]
    print(
        f"{signal:10s} challenge {row['P_challenge']:.3f}  war {row['P_war']:.3f}  defender gets {row.get('EU_defender', float('nan')):.3f}"
    )

# %% [markdown]
# Both signals deter challenges. Tied hands deter more of them and leave the defender better off, but when a challenge comes
# there is no way back: war is more likely than with a sunk cost.

# %% [markdown]
# ## Two types: every equilibrium
#
# With two types the whole set of perfect Bayesian equilibria can be listed, and the off-path beliefs that hold them up with it.

# %%
alliance = dt.models.get("ALSIG")
base = {"rho": 0.3, "v_I": 0.4, "w": 1, "v_R": 2, "g": 1, "d": 1, "d1": 1}
for label, signal in {"sunk cost k = 0.2": {"k": 0.2, "h": 0}, "tied hands h = 0.2": {"k": 0, "h": 0.2}}.items():
    equilibria = alliance.solved(**base, **signal)["equilibria"]
    for name, e in equilibria.items():
        print(f"{label}: {name:15s} attack {e['P_attack']:.3f}, war {e['P_war']:.3f}")

# %% [markdown]
# ## Varying both parameters
#
# The lowest likelihood of attack over all equilibria, as each signal is made dearer.

# %%
for name, other in (("k", "h"), ("h", "k")):
    grid = dt.sweep(alliance, over={name: np.linspace(0.05, 0.35, 4)}, at={**base, other: 0}, progress=False)
    print(name, np.round(grid["attack_low"].values, 3))

# %% [markdown]
# ## A tripwire does a little of both

# %%
tripwire = dt.models.get("TRIP")
for troops in (0, 2, 5):
    row = tripwire.solved(T=troops, b=0.3, t=0.2, K=1.5, V=1, c=1.2)
    print(f"{troops} troops: ally comes {row['P_intervene']:.3f}, attack {row['P_attack']:.3f}, war {row['P_war']:.3f}")

# %% [markdown]
# ## The answer

# %%
sunk, tied = found["sunk"], found["tying"]
print(
    f"Tied hands leave {tied['P_challenge']:.0%} of challenges against {sunk['P_challenge']:.0%} with sunk costs, "
    f"but {tied['P_war']:.1%} wars against {sunk['P_war']:.1%}: they deter more, and fail harder."
)
assert tied["P_challenge"] < sunk["P_challenge"]
assert tied["P_war"] > sunk["P_war"]
