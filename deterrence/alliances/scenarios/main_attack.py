"""The kind of attack that a text, a table or a figure speaks of where it has to speak of one."""

from __future__ import annotations

from deterrence.alliances.collective_defence import CollectiveDefence


def main_attack(game: CollectiveDefence) -> int:
    """Return which kind of attack is chosen most often, else the one most likely to succeed, by its index."""
    chosen, truth = game.attack_probabilities().by_kind, game.response()

    def rank(x: int) -> tuple[float, float]:
        return max(map(float, chosen[game.attacks[x].name])), -min(float(end[..., x]) for end in truth.holds)

    return max(range(len(game.attacks)), key=rank)
