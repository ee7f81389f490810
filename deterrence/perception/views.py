"""Earlier place of subjective games, now ``deterrence.perception.belief_hierarchy``."""

from __future__ import annotations

from deterrence.games.renaming import moved_names

__getattr__ = moved_names(
    __name__,
    Source="deterrence.perception.belief_hierarchy.ParametricGame",
    View="deterrence.perception.belief_hierarchy.SubjectiveGame",
    check_players="deterrence.perception.belief_hierarchy.check_overlay_players",
    read_views="deterrence.perception.belief_hierarchy.belief_hierarchy",
    source_of="deterrence.perception.belief_hierarchy.parametric_game",
)
