"""The customary picture of a signaling game: types in the middle, one message to the left, the other to the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deterrence.games.errors import GameError
from deterrence.games.forms.signaling_tree import signaling_to_tree, to_signaling
from deterrence.games.quantities import as_float
from deterrence.games.signaling import SignalingGame
from deterrence.games.tables import quantity_text
from deterrence.plotting.scene import (
    COLORS,
    Dot,
    Label,
    Line,
    Part,
    Scene,
    diamond,
    probability_text,
    width_of,
)
from deterrence.plotting.svg import svg_text
from deterrence.plotting.trees import WHOLE, tree_scene


def signaling_svg(game: SignalingGame, equilibrium: Any = None, *, themed: bool = True, **options: Any) -> str:
    """Return a picture of a signaling game as SVG text; see ``signaling_scene`` for the options."""
    return svg_text(signaling_scene(game, equilibrium, **options), themed=themed)


def signaling_scene(
    game: SignalingGame, equilibrium: Any = None, *, colors: Sequence[str] = COLORS, font_size: float = 12
) -> Scene:
    """Return a picture of a signaling game.

    With two messages and no receiver types it is the customary one; other games are drawn as trees, from left to right.

    Parameters
    ----------
    game : SignalingGame
        A single game; it may hold parameters. Display prior: the true one.
    equilibrium : Equilibrium or SignalingProfile, optional
        What to draw on it: wide lines are played, with probabilities where a type or the receiver mixes, and beliefs
        beside the receiver's nodes.
    colors : sequence of str
        Colours of sender and receiver.
    font_size : float
        Pixels.

    Raises
    ------
    GameError
        If the game is a batch, or the equilibrium is none of a game of this shape.
    """
    if game.batch_shape:
        raise GameError("a batch of signaling games is no single picture; index it first, as in game[0]")
    profile = getattr(equilibrium, "profile", equilibrium)
    T, Q, M, R = game.shape
    if profile is not None and (np.shape(profile.sender) != (T, M) or np.shape(profile.receiver) != (Q, M, R)):
        raise GameError(
            f"the profile has not the shape of this game: {T} types, {Q} receiver types, {M} messages, {R} responses"
        )
    if M == 2 and game.receiver_types is None:
        return _Drawing(game, profile, tuple(colors), float(font_size)).scene()
    common = SignalingGame(
        game.types, game.messages, game.responses, game.prior, game.sender_payoffs, game.receiver_payoffs,
        game.receiver_types, events=game.events, players=game.players,
    )  # fmt: skip
    tree = signaling_to_tree(common)
    lifted = None if profile is None else to_signaling(tree).lift(profile)
    return tree_scene(tree, lifted, colors=colors, font_size=font_size)


class _Drawing:
    """The parts of one two-sided picture."""

    def __init__(self, game: SignalingGame, profile: Any, colors: tuple[str, ...], size: float) -> None:
        self.game, self.profile, self.size = game, profile, size
        self.colors = (colors[0], colors[1 % len(colors)])
        T, _, _, R = game.shape
        self.row = 1.9 * size
        self.y = [3.6 * size + self.row * (R - 1) / 2 + t * (self.row * R + 2.2 * size) for t in range(T)]
        payoffs = [self.payoffs(t, m, r) for t in range(T) for m in range(2) for r in range(R)]
        self.head = self.y[0] - self.row * R / 2 - 0.9 * size
        self.out = max(sum(width_of(p, size) for p in pair) + 14 for pair in payoffs)
        replies = [self.reply_text(m, r) for m in range(2) for r in range(R)]
        self.reply = 34 + max(width_of(x, size) for x in replies)
        sends = [self.message_text(t, m) for t in range(T) for m in range(2)]
        beliefs = [self.belief_text(t, m) for t in range(T) for m in range(2)]
        middle = 10 + max(
            width_of(x, size, WHOLE, bold=True) for x in [game.players[0], *map(self.type_text, range(T))]
        )
        self.send = 36 + middle + max(width_of(x, size) for x in [*sends, *beliefs])
        head = width_of(game.players[1], size, bold=True) / 2
        self.center = 10 + self.send + max(self.out + self.reply, head)

    def scene(self) -> Scene:
        """Return the whole picture."""
        game = self.game
        parts: list[Part] = self.nature()
        for m in range(2):
            parts += self.information_set(m)
        parts.append(Label(self.center + 10, self.head, game.players[0], color=self.colors[0], bold=True))
        for t in range(len(game.types)):
            for m in range(2):
                parts += self.side(t, m)
            parts += [
                Dot(self.center, self.y[t], 4.5, self.colors[0]),
                Label(
                    self.center + 8,
                    self.y[t] - 0.5 * self.size,
                    self.type_text(t),
                    color=self.colors[0],
                    bold=True,
                    longest=WHOLE,
                ),
            ]
        height = self.y[-1] + self.row * game.shape[3] / 2 + 2.4 * self.size
        drawn = "" if self.profile is None else ", with an equilibrium"
        name = f"signaling game of {game.players[0]} and {game.players[1]}, {len(game.types)} types{drawn}"
        return Scene(2 * self.center, height, name, tuple(parts), self.size)

    # -- words -------------------------------------------------------------------------------------------------

    def payoffs(self, t: int, m: int, r: int) -> tuple[str, str]:
        """Return both payoffs at an end."""
        return quantity_text(np.asarray(self.game.U[t, 0, m, r])), quantity_text(np.asarray(self.game.V[t, 0, m, r]))

    def type_text(self, t: int) -> str:
        """Return a type with its prior."""
        return f"{self.game.types[t]} ({quantity_text(np.asarray(self.game.joint_prior[t, 0]))})"

    def message_text(self, t: int, m: int) -> str:
        """Return a message, with its probability if the type mixes."""
        return self.game.messages[m] + self._mixed(None if self.profile is None else self.profile.sender[t, m])

    def reply_text(self, m: int, r: int) -> str:
        """Return a response, with its probability if the receiver mixes."""
        return self.game.responses[r] + self._mixed(None if self.profile is None else self.profile.receiver[0, m, r])

    def belief_text(self, t: int, m: int) -> str:
        """Return the receiver's belief in a type after a message."""
        return "" if self.profile is None else f"[{probability_text(self.profile.posterior[0, m, t])}]"

    def _mixed(self, probability: Any) -> str:
        return "" if probability is None or not 0 < probability < 1 else f" {probability_text(probability)}"

    # -- lines -------------------------------------------------------------------------------------------------

    def nature(self) -> list[Part]:
        """Return the move of chance, between two types or above more, with a line to them."""
        if len(self.y) == 1:
            return []
        between = len(self.y) == 2
        y = sum(self.y) / 2 if between else self.y[0] - 2.4 * self.size
        first = self.y[0] if between else y
        return [
            Line((self.center, first), ((self.center, self.y[-1]),), width=1.2, opacity=0.5),
            diamond(self.center, y, 5),
        ]

    def information_set(self, m: int) -> list[Part]:
        """Return the dashed line that joins the receiver's nodes after a message, and who stands there."""
        x = self.center + (self.send if m else -self.send)
        parts: list[Part] = [
            Label(x, self.head, self.game.players[1], anchor="middle", color=self.colors[1], bold=True)
        ]
        if len(self.y) > 1:
            parts.append(Line((x, self.y[0]), ((x, self.y[-1]),), width=1.6, color=self.colors[1], dashed=True))
        return parts

    def side(self, t: int, m: int) -> list[Part]:
        """Return the line of one message from one type, and what may follow it."""
        game, y, sign = self.game, self.y[t], 1 if m else -1
        x = self.center + sign * self.send
        sent = 0.3 if self.profile is None else float(as_float(self.profile.sender)[t, m])
        reached = self.profile is None or sent > 0
        parts: list[Part] = [
            Line(
                (self.center, y),
                ((x, y),),
                width=0.9 + 3.6 * sent,
                color=self.colors[0],
                opacity=1 if reached else 0.5,
            ),
            Label(x - sign * 12, y - 0.4 * self.size, self.message_text(t, m), anchor="end" if m else "start"),
        ]
        if self.profile is not None:
            parts.append(
                Label(
                    x - sign * 12,
                    y + 1.1 * self.size,
                    self.belief_text(t, m),
                    anchor="end" if m else "start",
                    color=self.colors[1],
                )
            )
        R = len(game.responses)
        for r in range(R):
            end_y = y + self.row * (r - (R - 1) / 2)
            knee, end_x = x + sign * 24, x + sign * self.reply
            played = 0.3 if self.profile is None else float(as_float(self.profile.receiver)[0, m, r])
            steps = ((knee, end_y), (end_x, end_y))
            parts.append(
                Line((x, y), steps, width=0.9 + 3.6 * played, color=self.colors[1], opacity=1 if reached else 0.5)
            )
            parts.append(Label(knee + sign * 3, end_y - 4, self.reply_text(m, r), anchor="start" if m else "end"))
            parts += self.end(t, m, r, end_x, end_y, sign)
        parts.append(Dot(x, y, 4.5, self.colors[1]))
        return parts

    def end(self, t: int, m: int, r: int, x: float, y: float, sign: int) -> list[Part]:
        """Return the payoffs at an end: the sender's first, in both players' colours."""
        u, v = self.payoffs(t, m, r)
        first, second = width_of(u, self.size), width_of(v, self.size)
        start = x + 6 if sign > 0 else x - 6 - first - second - 8
        middle = y + 0.35 * self.size
        return [
            Label(start + first, middle, u, anchor="end", color=self.colors[0]),
            Label(start + first + 8 + second, middle, v, anchor="end", color=self.colors[1]),
        ]
