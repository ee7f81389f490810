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
# # When does a mistake about resolve make a war that nobody wanted?
#
# An aggressor decides by the resolve that it *perceives*; what it then meets is the resolve that there *is*. We draw
# both as axes: on
# the diagonal perception is right; below it resolve is underestimated, above it overestimated. First on a textbook
# game with
# two types, under four solution concepts; then on the Baltic scenario of 2017.

# %%
import matplotlib.pyplot as plt
import numpy as np

import deterrence as dt

# %% [markdown]
# ## A game with two types
#
# A guarantor is resolute with probability rho, or irresolute, and may sign a costly treaty; the attacker sees the
# treaty, not the
# type (model `ALSIG` of the library). The attacker believes in another rho than the true one, and each plays its
# part of the
# equilibrium of the game that it believes in.

# %%
model = dt.models.get("ALSIG")
mistaken = dt.subjective(model, truth={"rho": 0.7}, beliefs={"Attacker": {"rho": 0.3}}, select="d1, best for Guarantor")
print(mistaken)

# %% [markdown]
# The guarantor, known to itself to be resolute with probability 0.7, thinks that silence will do. The attacker
# thinks it weak and reads
# silence as weakness. It attacks for sure, and with probability 0.7 meets the war that it would not have started had
# it known. The
# opposite mistake starts no war that was not wanted. A guarantor that is seldom resolute signs a treaty in vain; the
# attacker, who expected
# silence, may be reassured by it or alarmed (what it then believes its equilibrium leaves open, hence ranges):

# %%
print(dt.subjective(model, truth={"rho": 0.3}, beliefs={"Attacker": {"rho": 0.7}}, select="d1, best for Guarantor"))

# %% [markdown]
# What if the two disagree, and both know it? Then the guarantor signals to the attacker's doubts: the treaty is back.

# %%
known = dt.heterogeneous_priors(model, truth={"rho": 0.7}, beliefs={"Attacker": {"rho": 0.3}})
for equilibrium in dt.pbe(known).where(survives="d1"):
    print(
        f"{equilibrium.kind}: attack {equilibrium.probability('attack'):.3f}, war {equilibrium.probability('war'):.3f}"
    )

# %% [markdown]
# ## The whole map
#
# Likelihood of attack over true and perceived resolve, under four concepts: perfect Bayesian equilibrium (selected
# by D1),
# logit quantal response (noisy best replies), cursed equilibrium (the attacker draws too little from signals), and
# disagreement that is common knowledge. White lines mark correct perception. Where several replies may follow a
# message that surprises the
# attacker, the mildest is drawn.

# %%
rho = np.linspace(0.025, 0.975, 39)
true, perceived = rho[:, None], rho[None, :]


def beliefs_of(values):
    return {"Attacker": {"rho": values}}


def attack(concept, select):
    found = dt.subjective(model, truth={"rho": true}, beliefs=beliefs_of(perceived), concept=concept, select=select)
    return found.probability("attack")[0], found.unwanted_war()[0]


maps = {
    "perfect Bayesian, D1": attack(dt.pbe, "d1, best for Guarantor"),
    "quantal response, precision 6": attack("qre 6", None),
    "cursed, chi = 0.5": attack("cursed 0.5", "d1, best for Guarantor"),
}
everywhere = np.broadcast_arrays(true, perceived)
agreed = dt.pbe(dt.heterogeneous_priors(model, truth={"rho": everywhere[0]}, beliefs=beliefs_of(everywhere[1])))
low, high = agreed.probability("attack")
maps["known disagreement"] = (low, None)


def draw(axes, values, title):
    image = axes.imshow(values, origin="lower", extent=(0, 1, 0, 1), vmin=0, vmax=1, cmap="cividis", aspect="equal")
    axes.plot([0, 1], [0, 1], color="white", linewidth=1)
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("perceived resolve")
    axes.set_ylabel("true resolve")
    return image


figure, panels = plt.subplots(2, 2, figsize=(8, 7.4), layout="constrained")
for axes, (title, (likelihood, _)) in zip(panels.flat, maps.items(), strict=True):
    image = draw(axes, likelihood, title)
figure.colorbar(image, ax=panels, label="likelihood of attack", shrink=0.7)
plt.show()

# %% [markdown]
# Under all four, the likelihood of attack falls as *perceived* resolve rises. True resolve matters only through what
# the guarantor does
# because of it, which the attacker may read wrongly. Wars that would not have been started at the true values lie
# above the
# diagonal, where resolve is higher than it seems:

# %%
figure, panels = plt.subplots(1, 3, figsize=(11, 3.9), layout="constrained")
for axes, (title, (_, unwanted)) in zip(panels, list(maps.items())[:3], strict=True):
    image = draw(axes, unwanted, title)
    label = {"fontsize": 9, "ha": "center", "va": "center", "bbox": {"facecolor": "white", "edgecolor": "none"}}
    axes.text(0.26, 0.86, "underestimated:\nunwanted war", **label)
    axes.text(0.74, 0.2, "overestimated:\nbluff holds", **label)
figure.colorbar(image, ax=panels, label="probability of unwanted war", shrink=0.8)
plt.show()
for title, (_, unwanted) in list(maps.items())[:3]:
    under, over = np.triu(np.ones_like(unwanted), 1).T > 0, np.triu(np.ones_like(unwanted), 1) > 0
    print(f"{title}: unwanted war {unwanted[under].mean():.3f} on average where resolve is underestimated, "
          f"{unwanted[over].mean():.3f} where it is overestimated")  # fmt: skip

# %% [markdown]
# ## A million points
#
# Every equilibrium that either side may have in mind, at a million pairs of true and perceived resolve: the range
# that a theory
# without a selection leaves.

# %%
fine = np.linspace(0.001, 0.999, 1000)
grid = dt.subjective(model, truth={"rho": fine[:, None]}, beliefs=beliefs_of(fine[None, :]))
lowest, highest = grid.probability("attack")
print(grid)
for name, there in {"below": fine < 0.5, "above": fine > 0.5}.items():
    print(
        f"perceived resolve {name} one half: attack with a probability "
        f"of {lowest[:, there].mean():.2f} to {highest[:, there].mean():.2f}"
    )

# %% [markdown]
# ## Concepts side by side, if nobody is mistaken

# %%
table = dt.compare(
    model, {}, ["pbe, d1", "qre 6", "cursed 0.5", "level 2", "cognitive hierarchy 1.5"], event="war",
    over={"rho": np.linspace(0.05, 0.95, 37)},
)  # fmt: skip
table.figure()

# %% [markdown]
# ## The Baltic states, 2017
#
# The same question of a scenario with twelve allies. We shift what fighting costs each ally, in truth (rows) and in
# Russia's eyes
# (columns), and label the axes by what this means for resolve: the probability that the defence holds against a full
# attack.

# %%
scenario = dt.Scenario.load("baltic-2017")
path = "members.*.cost.location"
shift = np.linspace(-1.2, 1.6, 29)
baltic = dt.subjective(
    scenario, truth={f"+{path}": shift[:, None]}, beliefs={"Russia": {path: {"add": shift[None, :]}}}
)
likelihood, unwanted = baltic.probability("attack")[1], baltic.unwanted_war()[1]
true_resolve = scenario.answer({f"+{path}": shift}, events=("defence holds",)).high["defence holds"]
seen = scenario.at_values({f"perception.Russia.{path}": {"add": shift}})
perceived_resolve = seen.perceived_response().holds[1][..., -1]

figure, panels = plt.subplots(1, 2, figsize=(9.6, 4.2), layout="constrained")
pictures = {"likelihood of attack": likelihood, "probability of unwanted war": unwanted}
for axes, (label, values) in zip(panels, pictures.items(), strict=True):
    image = axes.pcolormesh(perceived_resolve, true_resolve, values, vmin=0, cmap="cividis", shading="nearest")
    both = [max(perceived_resolve.min(), true_resolve.min()), min(perceived_resolve.max(), true_resolve.max())]
    axes.plot(both, both, color="white", linewidth=1.5)
    axes.set_xlabel("perceived P(defence holds)")
    axes.set_ylabel("true P(defence holds)")
    figure.colorbar(image, ax=axes, label=label)
plt.show()

# %% [markdown]
# ## Answer
#
# A war that nobody wanted needs an aggressor who underestimates resolve, and underestimates it enough to cross the
# threshold at which
# it would be deterred. Overestimated resolve deters as well as true resolve does, for as long as nobody looks. In
# numbers:

# %%
asis = dt.subjective(scenario)
print(
    f"baltic-2017 as it stands: attack {asis.probability('attack')[1]:.2f}, of which at the true values unwanted "
    f"{asis.unwanted_war[1]:.2f}"
)
facts = {f"members.{member.name}.cost.location": member.cost.location for member in scenario.game().members}
right = dt.subjective(scenario, beliefs={"Russia": facts})
print(f"with correct perception: attack {right.probability('attack')[1]:.2f}, unwanted {right.unwanted_war[1]:.2f}")
pbe_unwanted = maps["perfect Bayesian, D1"][1]
print(
    f"two-type game: the most likely unwanted war has probability {pbe_unwanted.max():.2f}, "
    "and needs perceived resolve below "
    f"{rho[(pbe_unwanted > 1e-9).any(axis=0)].max():.2f}"
)
