r"""Belief simplices: which response is best at which belief, where the prior lies, and what an equilibrium makes of it.

With two types the beliefs after a message are a line, with three a triangle. A response r is best where no other pays
the receiver more, :math:`\sum_t \mu_t\, (v(t, m, r) - v(t, m, r')) \ge 0` for all r': a polytope, found by cutting
the simplex. Of an equilibrium the posterior after a message that is sent is a point; after one that nobody sends, all
beliefs that hold it up are drawn: the hull of those at the vertices of the component.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deterrence.games.errors import GameError
from deterrence.games.quantities import Array, as_float
from deterrence.games.signaling import SignalingGame
from deterrence.plotting.picture import Picture
from deterrence.plotting.scene import (
    COLORS,
    INK,
    Area,
    Dot,
    Label,
    Line,
    Part,
    Scene,
    diamond,
    probability_text,
    stack,
    translate,
    width_of,
)

SIDE = 240.0  # pixels of a line or of a side of a triangle
TIES = 1e-9  # payoffs closer than this, relative to the span of the receiver's payoffs, are as good as each other
SHADES = (0.2, 0.7, 0.45, 0.95)  # of neighbours, so that they differ in grey, too


def belief_simplex(
    game: SignalingGame,
    equilibrium: Any = None,
    message: str | None = None,
    *,
    receiver_type: str | None = None,
    colors: Sequence[str] = COLORS,
    font_size: float = 12,
) -> Picture:
    """Draw the receiver's beliefs after each message: best responses, prior, and posteriors of an equilibrium.

    Parameters
    ----------
    game : SignalingGame
        A single game with numbers and two or three sender types.
    equilibrium : Equilibrium or SignalingProfile, optional
        Whose posteriors to draw: a point after a message that is sent, all beliefs that hold it up after another.
    message : str, optional
        One message; all of them, one below the other, by default.
    receiver_type : str, optional
        Whose beliefs, where the receiver has types; the first by default.
    colors : sequence of str
        One for each response, as ``"#0072B2"``.
    font_size : float
        Pixels.

    Raises
    ------
    GameError
        If the game has no two or three types, is a batch, has free parameters, or a name is unknown.

    Examples
    --------
    >>> import deterrence as dt
    >>> game = dt.SignalingGame(
    ...     types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[0.9, 0.1],
    ...     sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]])
    >>> print(dt.belief_simplex(game, message="beer"))
    beliefs after beer: duel is best for Pr(strong) in [0, 0.5]; not is best for Pr(strong) in [0.5, 1]
    """
    game.require_numbers()
    if game.batch_shape:
        raise GameError("a batch of signaling games is no single picture; index it first, as in game[0]")
    if len(game.types) not in (2, 3):
        raise GameError(f"beliefs over {len(game.types)} types have no picture; two or three types have one")
    q = _index(receiver_type, game.receiver_types or (None,), "receiver type")
    messages = range(len(game.messages)) if message is None else [_index(message, game.messages, "message")]
    profiles: Sequence[Any] = getattr(equilibrium, "vertices", (equilibrium,) if equilibrium is not None else ())
    if profiles and np.shape(getattr(profiles[0], "posterior", ())) != (game.shape[1], game.shape[2], game.shape[0]):
        raise GameError(f"the profile has not the shape of this game, {game.shape}; solve this game")
    draw_one = _line_scene if len(game.types) == 2 else _triangle_scene
    scenes = [draw_one(_Beliefs(game, profiles, m, q), tuple(colors), float(font_size)) for m in messages]
    return Picture(stack(scenes, "; ".join(s.name for s in scenes)) if len(scenes) > 1 else scenes[0])


def best_regions(payoffs: Array, tol: float = TIES) -> list[Array]:
    """Return where each response is best: the corners of its polytope of beliefs, in order around it.

    Parameters
    ----------
    payoffs : ndarray, shape (T, R)
        The receiver's, by type and response; T is 2 or 3.
    tol : float
        Differences below tol times the span of the payoffs count as none.

    Returns
    -------
    list of ndarray, shape (corners, T)
        For each response; with no row where it is best nowhere, or only on the edge of the region of another.
    """
    payoffs = as_float(payoffs)
    count = payoffs.shape[0]
    span = max(float(np.ptp(payoffs)), np.finfo(float).tiny)
    regions = []
    for r in range(payoffs.shape[1]):
        region = np.eye(count)
        for other in range(payoffs.shape[1]):
            gain = payoffs[:, r] - payoffs[:, other]
            region = _cut(region, np.where(np.abs(gain) <= tol * span, 0.0, gain / span))
        regions.append(region if _size(region) > 1e-9 else region[:0])
    return regions


def _cut(corners: Array, gain: Array) -> Array:
    """Return the part of a convex polygon (or segment) of beliefs where the expected gain is not negative."""
    values = corners @ gain
    kept: list[Array] = []
    for k in range(len(corners)):
        after = (k + 1) % len(corners)
        if values[k] >= 0:
            kept.append(corners[k])
        if values[k] * values[after] < 0 and not (len(corners) == 2 and after == 0):
            share = values[k] / (values[k] - values[after])
            kept.append(corners[k] + share * (corners[after] - corners[k]))
    return np.array(kept).reshape(-1, corners.shape[1])


def _size(corners: Array) -> float:
    """Return the length of a segment or the area of a polygon of beliefs."""
    if len(corners) < corners.shape[1]:
        return 0.0
    if corners.shape[1] == 2:
        return float(np.ptp(corners[:, 0]))
    x, y = corners[:, 0], corners[:, 1]
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


class _Beliefs:
    """What there is to draw of the beliefs after one message."""

    def __init__(self, game: SignalingGame, profiles: Sequence[Any], m: int, q: int) -> None:
        self.types, self.message = game.types, game.messages[m]
        regions = best_regions(game.V[:, q, m, :])
        self.regions: list[tuple[str, Array, int]] = []  # words, corners, number of the colour
        for r, corners in enumerate(regions):
            alike = [k for k, (_, known, _) in enumerate(self.regions) if _same(known, corners)]
            if alike:
                words, known, number = self.regions[alike[0]]
                self.regions[alike[0]] = (f"{words} or {game.responses[r]}", known, number)
            elif len(corners):
                self.regions.append((game.responses[r], corners, r))
        self.prior = as_float(game.receiver_view[:, q])
        found = [as_float(p.posterior)[q, m] for p in profiles]
        prior_of_types = as_float(game.joint_prior).sum(axis=1)
        sent = any(prior_of_types @ as_float(p.sender)[:, m] > 0 for p in profiles)
        self.posteriors = np.unique(np.round(np.array(found).reshape(-1, len(game.types)), 12), axis=0)
        self.on_path = sent

    @property
    def name(self) -> str:
        """What the picture shows, in words."""
        words = []
        for response, corners, _ in self.regions:
            if len(self.types) == 2:
                low, high = corners[:, 0].min(), corners[:, 0].max()
                words.append(f"{response} is best for Pr({self.types[0]}) in [{low:.3g}, {high:.3g}]")
            else:
                share = _size(corners) / 0.5
                words.append(f"{response} is best in {share:.0%} of the triangle")
        return f"beliefs after {self.message}: {'; '.join(words)}"

    def key(self, x: float, y: float, size: float, colors: Sequence[str]) -> tuple[list[Part], float]:
        """Return a key to colours and marks, and where it ends at the right."""
        parts: list[Part] = [Label(x, y, f"after {self.message}", bold=True)]
        right = x + width_of(f"after {self.message}", size, bold=True)
        rows: list[tuple[list[Part], str]] = []
        for words, _, number in self.regions:
            color = colors[number % len(colors)]
            box = ((0.0, -9.0), (16.0, -9.0), (16.0, 1.0), (0.0, 1.0))
            rows.append(([Area(box, color, SHADES[number % len(SHADES)], color, 1.0)], f"{words} is best"))
        rows.append(([diamond(8, -4, 5)], "prior"))
        if len(self.posteriors):
            if self.on_path:
                rows.append(([Dot(8, -4, 4.5)], "posterior"))
            else:
                mark: list[Part] = [Line((0, -4), ((16, -4),), width=3.0, dashed=True)]
                rows.append((mark, "beliefs that hold it up"))
        for k, (marks, words) in enumerate(rows, start=1):
            at = y + 1.55 * size * k
            parts += [translate(mark, x, at) for mark in marks]
            parts.append(Label(x + 22, at, words, longest=60))
            right = max(right, x + 22 + width_of(words, size, 60))
        return parts, right


def _line_scene(beliefs: _Beliefs, colors: Sequence[str], size: float) -> Scene:
    """Return two types' beliefs: a line from the second type, at the left, to the first."""
    left, y = 14.0, 3.4 * size
    ends = [f"Pr({t}) = 1" for t in reversed(beliefs.types)]
    width = max(SIDE, sum(width_of(e, size) for e in ends) + 20, 40.0)

    def x(mu: float) -> float:
        return left + width * mu

    parts: list[Part] = []
    cuts: set[float] = set()
    for _, corners, number in beliefs.regions:
        low, high = float(corners[:, 0].min()), float(corners[:, 0].max())
        color = colors[number % len(colors)]
        box = ((x(low), y - 9), (x(high), y - 9), (x(high), y + 9), (x(low), y + 9))
        parts.append(Area(box, color, SHADES[number % len(SHADES)], color, 1.0))
        cuts |= {round(v, 9) for v in (low, high) if 1e-9 < v < 1 - 1e-9}
    levels: list[float] = []
    for cut in sorted(cuts):
        words = probability_text(cut)
        start = x(cut) - width_of(words, size) / 2
        level = next((k for k, right in enumerate(levels) if right + 6 <= start), len(levels))
        levels[level : level + 1] = [x(cut) + width_of(words, size) / 2]
        parts.append(Line((x(cut), y - 9), ((x(cut), y - 13),), width=1.0))
        parts.append(Label(x(cut), y - 16 - 1.15 * size * level, words, "middle"))
    rise = 1.15 * size * max(len(levels) - 1, 0)
    if len(beliefs.posteriors):
        low, high = float(beliefs.posteriors[:, 0].min()), float(beliefs.posteriors[:, 0].max())
        if beliefs.on_path:
            parts.append(Line((x(low), y), ((x(high), y),), width=2.0))
            parts += [Dot(x(float(mu[0])), y, 4.5) for mu in beliefs.posteriors]
        elif high > low:
            parts.append(Line((x(low), y), ((x(high), y),), width=3.0, dashed=True))
        else:
            parts.append(Line((x(low), y - 9), ((x(low), y + 9),), width=3.0, dashed=True))
    parts.append(diamond(x(float(beliefs.prior[0])), y, 5))
    parts += [Label(left, y + 9 + 1.2 * size, ends[0]), Label(left + width, y + 9 + 1.2 * size, ends[1], "end")]
    key, right = beliefs.key(left + width + 26, y - 9 - 0.2 * size, size, colors)
    lines = 2 + len(beliefs.regions) + bool(len(beliefs.posteriors))
    height = max(y + 9 + 2 * size, y - 9 + 1.55 * size * lines)
    scene = Scene(right + 10, height, beliefs.name, (*parts, *key), size)
    return scene if rise == 0 else stack([Scene(1, rise, "", (), size), scene], scene.name, 0)


def _triangle_scene(beliefs: _Beliefs, colors: Sequence[str], size: float) -> Scene:
    """Return three types' beliefs: a triangle with the first type on top."""
    words = [f"Pr({t}) = 1" for t in beliefs.types]
    half = max(SIDE / 2, (width_of(words[1], size) + width_of(words[2], size)) / 4 + 10)
    middle = 10 + half + max(width_of(words[1], size), width_of(words[2], size)) / 2
    top, bottom = 2.6 * size, 2.6 * size + half * np.sqrt(3.0)
    corners = np.array([[middle, top], [middle - half, bottom], [middle + half, bottom]])

    def place(mu: Array) -> tuple[float, float]:
        return float(mu @ corners[:, 0]), float(mu @ corners[:, 1])

    parts: list[Part] = []
    for _, region, number in beliefs.regions:
        color = colors[number % len(colors)]
        parts.append(Area(tuple(place(mu) for mu in region), color, SHADES[number % len(SHADES)], color, 1.2))
    parts.append(Area(tuple(place(mu) for mu in np.eye(3)), edge=INK, width=1.2))
    if len(beliefs.posteriors):
        places = [place(mu) for mu in beliefs.posteriors]
        if beliefs.on_path:
            parts.append(Area(tuple(_hull(places)), edge=INK, width=2.0))
            parts += [Dot(x, y, 4.5) for x, y in places]
        elif len(places) == 1:
            parts.append(Line((places[0][0] - 8, places[0][1]), ((places[0][0] + 8, places[0][1]),), 3.0, dashed=True))
        else:
            around = _hull(places)
            parts.append(Area(tuple(around), INK, 0.12, INK, 3.0, dashed=True))
    x, y = place(beliefs.prior)
    parts.append(diamond(x, y, 5))
    parts += [
        Label(middle, top - 0.7 * size, words[0], "middle"),
        Label(middle - half, bottom + 1.3 * size, words[1], "middle"),
        Label(middle + half, bottom + 1.3 * size, words[2], "middle"),
    ]
    start = middle + half + width_of(words[2], size) / 2 + 16
    key, right = beliefs.key(start, top + size, size, colors)
    lines = 3 + len(beliefs.regions) + bool(len(beliefs.posteriors))
    height = max(bottom + 2.2 * size, top + size + 1.55 * size * lines)
    return Scene(right + 10, height, beliefs.name, (*parts, *key), size)


def _hull(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the corners of the convex hull of points, in order around it."""
    ordered = sorted(set(places))
    if len(ordered) < 3:
        return ordered

    def side(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        found: list[tuple[float, float]] = []
        for p in points:
            while len(found) > 1 and _turn(found[-2], found[-1], p) <= 0:
                found.pop()
            found.append(p)
        return found[:-1]

    return side(ordered) + side(ordered[::-1])


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _same(one: Array, two: Array) -> bool:
    return len(one) == len(two) > 0 and bool(np.allclose(np.sort(one, axis=0), np.sort(two, axis=0), atol=1e-9))


def _index(name: str | None, known: Sequence[str | None], what: str) -> int:
    if name is None:
        return 0
    if name not in known:
        raise GameError(f"no {what} {name!r}; this game has {', '.join(map(repr, known))}")
    return list(known).index(name)
