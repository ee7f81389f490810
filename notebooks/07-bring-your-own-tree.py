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
# # Which equilibria of your own tree rest on threats that nobody would carry out?
#
# Bring a tree: as a Gambit file, or written down with symbols. We solve it by several concepts, see which equilibria are empty threats, draw
# it, and save the drawing for a paper.

# %%
import tempfile
from pathlib import Path

import deterrence as dt

# %% [markdown]
# ## A Gambit file
#
# A challenger may stay out or move in; the incumbent then fights or yields. `read_efg` takes a path or, as here, the text. Numbers are exact.

# %%
text = """EFG 2 R "Entry" { "Challenger" "Incumbent" }
p "" 1 1 "" { "stay out" "move in" } 0
t "" 1 "peace" { 0, 2 }
p "" 2 1 "moved in" { "fight" "yield" } 0
t "" 2 "war" { -1, -1 }
t "" 3 "loss" { 1, 0 }
"""
entry = dt.read_efg(text)
entry

# %% [markdown]
# ## Every Nash equilibrium, and the credible one
#
# The strategic form marks best responses; cells in which both are best are equilibria in pure strategies. There are two.

# %%
entry.to_strategic()

# %% [markdown]
# One of them rests on a threat to fight that the incumbent would not carry out.

# %%
for equilibrium in dt.nash(entry):
    print(equilibrium)
    for threat in dt.incredible_threats(entry, equilibrium):
        print("  an empty threat:", threat)

# %%
credible = dt.spe(entry)
credible[0]

# %% [markdown]
# ## A tree of your own, with symbols
#
# A guarantor is committed with probability p, or not; only it knows. The attacker may refrain, or attack; a guarantor then fights at a cost c or
# abandons. Payoffs are expressions, an information set is a name that two nodes share.

# %%
p, c = dt.symbols("p c")


def crisis(stake):
    answer = dt.move(
        "Guarantor",
        {
            "fight": dt.end("war", Guarantor=-c, Attacker=-2),
            "abandon": dt.end("conquest", Guarantor=-stake, Attacker=1),
        },
    )
    return dt.move(
        "Attacker", {"refrain": dt.end("peace", Guarantor=0, Attacker=0), "attack": answer}, infoset="in the dark"
    )


game = dt.ExtensiveGame(
    ("Attacker", "Guarantor"), dt.chance({"committed": (p, crisis(2)), "bluffing": (1 - p, crisis(0.5))}), "Guarantee"
)
print(game.parameters)
game

# %% [markdown]
# Numbers come last. Sequential equilibria, with beliefs at the attacker's information set:

# %%
equilibria = {belief: dt.sequential(game, at={"p": belief, "c": 1}) for belief in (0.2, 0.5)}
for belief, found in equilibria.items():
    low, high = found.probability("attack")
    print(
        f"p = {belief}: attack with probability {low:.2f} to {high:.2f} ({len(found)} equilibrium, complete: {found.complete})"
    )

# %% [markdown]
# ## The picture
#
# Wide lines are played, pale ones are off the path, the dashed bracket is the information set, with beliefs in square brackets.

# %%
picture = dt.draw(equilibria[0.2][0])
picture

# %% [markdown]
# One call saves it; the suffix decides: SVG and PNG for a page, PDF and TikZ for a paper.

# %%
with tempfile.TemporaryDirectory() as folder:
    for suffix in ("svg", "png", "pdf", "tex"):
        path = picture.save(Path(folder) / f"guarantee.{suffix}")
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} kB")
print(
    f"text has {picture.text_points():.0f} points at {picture.width:.1f} inches, and {picture.text_points(3.25):.1f} points in a column of 3.25 inches"
)

# %% [markdown]
# And back to Gambit, with the numbers filled in:

# %%
print(dt.write_efg(game.at(p=0.2, c=1)).splitlines()[0])

# %% [markdown]
# ## The answer

# %%
empty = [e for e in dt.nash(entry) if dt.incredible_threats(entry, e)]
print(
    f"{len(empty)} of {len(dt.nash(entry))} Nash equilibria of the entry game rest on an empty threat: "
    f"{dt.incredible_threats(entry, empty[0])[0]}. What is left is {credible[0].kind}."
)
assert len(empty) == 1
assert credible.probability("move in") == (1, 1)
