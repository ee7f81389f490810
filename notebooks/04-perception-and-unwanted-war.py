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
# both as axes, for a textbook game with two types and for the Baltic scenario of 2017, each under four solution
# concepts: on the diagonal perception is right; to its left resolve is underestimated, to its right overestimated.

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
# part of the equilibrium of the game that it believes in.

# %%
model = dt.models.get("ALSIG")
dt.subjective(model, truth={"rho": 0.7}, beliefs={"Attacker": {"rho": 0.3}}, select="d1, best for Guarantor")

# %% [markdown]
# The guarantor, known to itself to be resolute with probability 0.7, thinks that silence will do. The attacker thinks
# it weak and reads silence as weakness. It attacks for sure, and with probability 0.7 meets the war that it would not
# have started had it known. The opposite mistake starts no war that was not wanted. A guarantor that is seldom
# resolute signs a treaty in vain; the attacker, who expected silence, may be reassured by it or alarmed (what it then
# believes its equilibrium leaves open, hence ranges):

# %%
dt.subjective(model, truth={"rho": 0.3}, beliefs={"Attacker": {"rho": 0.7}}, select="d1, best for Guarantor")

# %% [markdown]
# What if the two disagree, and both know it? Then the guarantor signals to the attacker's doubts: the treaty is back.

# %%
known = dt.heterogeneous_priors(model, truth={"rho": 0.7}, beliefs={"Attacker": {"rho": 0.3}})
for equilibrium in dt.pbe(known).where(survives="d1"):
    print(
        f"{equilibrium.kind}: attack {equilibrium.probability('attack'):.3f}, war {equilibrium.probability('war'):.3f}"
    )

# %% [markdown]
# ## Four concepts for the textbook game
#
# Perfect Bayesian equilibrium (selected by D1); logit quantal response, that is, noisy best replies; cursed equilibrium,
# whose attacker draws too little from signals; and disagreement that is common knowledge. Where several replies may
# follow a message that surprises the attacker, the mildest is drawn.

# %%
rho = np.linspace(0.02, 0.98, 29)
true, perceived = rho[:, None], rho[None, :]


def beliefs_of(values):
    return {"Attacker": {"rho": values}}


def likelihoods(concept, select):
    found = dt.subjective(model, truth={"rho": true}, beliefs=beliefs_of(perceived), concept=concept, select=select)
    return found.probability("attack")[0], found.unwanted_war()[0]


everywhere = np.broadcast_arrays(true, perceived)
agreed = dt.pbe(dt.heterogeneous_priors(model, truth={"rho": everywhere[0]}, beliefs=beliefs_of(everywhere[1])))
textbook = {
    "perfect Bayesian, D1": likelihoods(dt.pbe, "d1, best for Guarantor"),
    "quantal response, precision 6": likelihoods("qre 6", None),
    "cursed, chi = 0.5": likelihoods("cursed 0.5", "d1, best for Guarantor"),
    "known disagreement": (agreed.probability("attack")[0], None),
}

# %% [markdown]
# ## Four concepts for the Baltic states, 2017
#
# The same question of a scenario with twelve allies. We shift what fighting costs each ally, in truth and in Russia's
# eyes, and label the axes by what this means for resolve: the probability that the defence holds against a full
# attack. The concepts:
#
# - *equilibrium*: Russia expects the equilibrium among the allies as it sees them, and replies best;
# - *quantal response*: the same, but it replies noisily, with a precision of 50 per unit of the prize;
# - *an indicator first*: perceived resolve is the mean of a prior (standard deviation 0.5, in units of the shift), and
#   before it chooses Russia sees a true but noisy indicator (standard deviation 0.5), and updates;
# - *beliefs about beliefs*: Russia sees the allies as they are in the file, and thinks that *they* see each other as
#   perceived resolve says.

# %%
scenario = dt.Scenario.load("baltic-2017")
path = "members.*.cost.location"
shift = np.linspace(-1.2, 1.6, 21)
truth = {f"+{path}": shift[:, None]}
seen = {path: {"add": shift[None, :]}}
true_resolve = scenario.answer({f"+{path}": shift}, events=("defence holds",)).high["defence holds"]
perceived_resolve = (
    scenario.at_values({f"perception.Russia.{path}": {"add": shift}}).perceived_response().holds[1][..., -1]
)


def baltic_likelihoods(overlay, concept=None):
    found = dt.subjective(scenario, truth=truth, beliefs={"Russia": overlay}, concept=concept)
    return found.probability("attack")[1], found.unwanted_war()[1]


z, weights = np.polynomial.hermite_e.hermegauss(15)  # the indicator, around the truth
right = np.interp(true_resolve[::-1], perceived_resolve[::-1], shift[::-1])[::-1]  # the shift that looks like the truth
learned = ((right[:, None, None] + 0.5 * z) + shift[None, :, None]) / 2  # posterior means, equally precise parts
plain = baltic_likelihoods(seen)


def after_the_indicator(values):
    """Return the mean over the indicator; what Russia does depends on its posterior mean and the truth alone."""
    rows = [np.interp(posterior, shift, row) for posterior, row in zip(learned, values, strict=True)]
    return np.stack(rows) @ weights / weights.sum()


allies = scenario.game().names
baltic = {
    "equilibrium": plain,
    "quantal response, precision 50": baltic_likelihoods(seen, "qre 50"),
    "an indicator first": tuple(after_the_indicator(values) for values in plain),
    "beliefs about beliefs": baltic_likelihoods({"believes": dict.fromkeys(allies, seen)}),
}

# %% [markdown]
# ## The picture
#
# Likelihood of attack over true and perceived resolve, with three lines: *correct perception* (white); *underestimation*
# (red): where it is hatched a war that the aggressor would not have started at the true values has a probability of 0.1
# or more; and *overestimation* (blue, dashed): where it is hatched resolve that is only perceived takes 0.1 or more off
# the likelihood of attack that correct perception would have made: a bluff that holds.

# %%
WRONG, BLUFF = "#D55E00", "#56B4E9"  # colours that people with colour blindness tell apart


def deterred_by_mistake(attack, x, y):
    """Return how much less likely an attack is than if perception were right; rows go by y, columns by x."""
    order = np.argsort(x)
    correct = np.array([np.interp(at, x[order], row[order]) for at, row in zip(y, attack, strict=True)])
    return correct[:, None] - attack


def outline(axes, x, y, values, colour, dash, hatch):
    if values.max() > 0.1:
        axes.contour(x, y, values, levels=[0.1], colors=colour, linestyles=dash, linewidths=1.8)
        inside = axes.contourf(x, y, values, levels=[0.1, 2], colors="none", hatches=[hatch])
        inside.set(edgecolor=colour, linewidth=0)


def draw(axes, x, y, attack, unwanted, title, top):
    image = axes.pcolormesh(x, y, attack, vmin=0, vmax=top, cmap="cividis", shading="nearest", rasterized=True)
    both = [max(x.min(), y.min()), min(x.max(), y.max())]
    axes.plot(both, both, color="white", linewidth=1.5)
    if unwanted is not None:
        outline(axes, x, y, unwanted, WRONG, "-", "//")
    outline(axes, x, y, deterred_by_mistake(attack, x, y), BLUFF, "--", "..")
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("perceived resolve")
    return image


figure, panels = plt.subplots(2, 4, figsize=(13, 7), layout="constrained")
for row, maps, x, y, top in ((0, textbook, rho, rho, 1.0), (1, baltic, perceived_resolve, true_resolve, 0.6)):
    for axes, (title, values) in zip(panels[row], maps.items(), strict=True):
        image = draw(axes, x, y, *values, title, top)
    figure.colorbar(image, ax=panels[row], label="likelihood of attack")
panels[0, 0].set_ylabel("two-type game\ntrue resolve")
panels[1, 0].set_ylabel("baltic-2017\ntrue resolve, P(defence holds)")
panels[1, 3].set_xlabel("resolve as allies are thought to see it")
lines = [
    plt.Line2D([], [], color=colour, linestyle=dash, linewidth=2, label=label)
    for colour, dash, label in (
        ("white", "-", "correct perception"),
        (WRONG, "-", "underestimation: unwanted war"),
        (BLUFF, "--", "overestimation: bluff holds"),
    )
]
figure.legend(handles=lines, loc="outside lower center", ncols=3, facecolor="#333333", labelcolor="white", framealpha=1)
plt.show()

# %% [markdown]
# Under all of them the likelihood of attack falls as *perceived* resolve rises. True resolve matters only through what
# the guarantor does because of it, which the attacker may read wrongly, or through what can be learned of it first.
# Unwanted wars lie above the diagonal, where resolve is higher than it seems; noise, and curses, add some below it. What
# allies are thought to think *of each other* moves Russia far less than what it thinks of them: each comes, or not,
# mostly for reasons of its own.

# %%
for game, x, y, maps in (("two-type", rho, rho, textbook), ("baltic-2017", perceived_resolve, true_resolve, baltic)):
    for title, (_, unwanted) in maps.items():
        if unwanted is not None:
            under, over = y[:, None] > x + 1e-9, y[:, None] < x - 1e-9
            print(f"{game}, {title}: unwanted war {unwanted[under].mean():.3f} on average where resolve is "
                  f"underestimated, {unwanted[over].mean():.3f} where it is overestimated")  # fmt: skip

# %% [markdown]
# ## A million points
#
# Every equilibrium that either side may have in mind, at a million pairs of true and perceived resolve: the range that
# a theory without a selection leaves.

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
    over={"rho": np.linspace(0.05, 0.95, 25)},
)  # fmt: skip
table.figure()

# %% [markdown]
# ## Answer
#
# A war that nobody wanted needs an aggressor who underestimates resolve, and underestimates it enough to cross the
# threshold at which it would be deterred. Overestimated resolve deters as well as true resolve does, for as long as
# nobody looks. In numbers:

# %%
asis = dt.subjective(scenario)
print(
    f"baltic-2017 as it stands: attack {asis.probability('attack')[1]:.2f}, of which at the true values unwanted "
    f"{asis.unwanted_war[1]:.2f}"
)
facts = {f"members.{member.name}.cost.location": member.cost.location for member in scenario.game().members}
informed = dt.subjective(scenario, beliefs={"Russia": facts})
print(
    f"with correct perception: attack {informed.probability('attack')[1]:.2f}, unwanted {informed.unwanted_war[1]:.2f}"
)
pbe_unwanted = textbook["perfect Bayesian, D1"][1]
print(
    f"two-type game: the most likely unwanted war has probability {pbe_unwanted.max():.2f}, "
    "and needs perceived resolve below "
    f"{rho[(pbe_unwanted > 1e-9).any(axis=0)].max():.2f}"
)
