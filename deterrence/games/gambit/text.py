r"""The tokens of Gambit's game files: quoted labels, numbers, braces; shared by the ``.efg`` and ``.nfg`` readers.

Blanks, newlines and commas separate tokens and mean nothing else. In a label ``\\"`` is a quote and ``\\\\`` a
backslash.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, NoReturn, TypeAlias

from deterrence.games.errors import GameError
from deterrence.games.quantities import Quantity

Source: TypeAlias = str | Path | IO[Any]
Number: TypeAlias = int | Fraction

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]|[-+]?\d+\s*/\s*[-+]?\d+|[^\s{},"]+|"', re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+\s*/\s*[-+]?\d+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?)\Z")
_ESCAPE = re.compile(r'\\(["\\])')
LARGEST_EXPONENT = 400  # a float64 holds no larger one; a file could otherwise ask for a number of any length


class Tokens:
    """The tokens of a game file, read one after the other; errors name line and column."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.all: list[str] = _TOKEN.findall(text)
        self.at = 0
        self.known: dict[str, Number] = {}

    def peek(self) -> str:
        """Return the next token without taking it; empty at the end."""
        return self.all[self.at] if self.at < len(self.all) else ""

    def take(self, what: str) -> str:
        """Return the next token, which is to be something."""
        if self.at >= len(self.all):
            self.fail(f"the file ends where {what} should stand", at=len(self.all))
        token = self.all[self.at]
        self.at += 1
        return token

    def expect(self, token: str, what: str) -> None:
        """Take a token that has to be there."""
        if self.peek() != token:
            self.fail(f"expected {token!r} {what}, got {self.peek() or 'the end of the file'!r}", at=self.at)
        self.at += 1

    def string(self, what: str) -> str:
        """Take a quoted label."""
        token = self.take(f"{what} in quotes")
        if token[0] != '"':
            self.fail(f"expected {what} in quotes, got {token!r}")
        if token == '"':
            self.fail(f"{what} has an opening quote but no closing one")
        return unquoted(token)

    def integer(self, what: str) -> int:
        """Take a whole number that is not negative."""
        token = self.take(what)
        if not (token.isascii() and token.isdigit()):
            self.fail(f"expected {what}, a whole number, got {token!r}")
        return int(token)

    def number(self, what: str) -> Number:
        """Take a number; it stays exact, whether written as an integer, a rational or a decimal."""
        token = self.take(what)
        known = self.known.get(token)
        if known is None:
            known = self.known[token] = self._number(token, what)
        return known

    def _number(self, token: str, what: str) -> Number:
        if not _NUMBER.match(token):
            self.fail(f"expected {what}, a number such as 3, -.5, 1/3 or 2e-3, got {token!r}")
        if "/" in token:
            top, bottom = (int(x) for x in token.split("/"))
            if bottom == 0:
                self.fail(f"{what} divides by zero: {token!r}")
            value = Fraction(top, bottom)
        else:
            exponent = re.search(r"[eE]([-+]?\d+)\Z", token)
            if exponent and abs(int(exponent[1])) > LARGEST_EXPONENT:
                self.fail(f"{what} is {token}, beyond the range of numbers (exponents up to {LARGEST_EXPONENT})")
            value = Fraction(token)
        return int(value) if value.denominator == 1 else value

    def strings(self, what: str) -> list[str]:
        """Take labels in braces."""
        self.expect("{", f"before {what}")
        found = []
        while self.peek() != "}":
            found.append(self.string(what))
        self.at += 1
        return found

    def fail(self, why: str, *, at: int | None = None) -> NoReturn:
        """Raise GameError with the place of a token, by default the one just taken."""
        index = self.at - 1 if at is None else at
        place = len(self.text)
        for i, match in enumerate(_TOKEN.finditer(self.text)):
            if i == index:
                place = match.start()
                break
        line = self.text.count("\n", 0, place) + 1
        column = place - (self.text.rfind("\n", 0, place) + 1) + 1
        raise GameError(f"line {line}, column {column}: {why}")


def text_of(source: Source, start: str) -> str:
    """Return the text of a file, a path, or the text itself if it begins with a word.

    Raises
    ------
    GameError
        If there is no such file, or its bytes are no text.
    """
    if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith(start):
        return source.lstrip("\ufeff")
    if isinstance(source, str | Path):
        try:
            content: Any = Path(source).read_bytes()
        except (OSError, ValueError) as error:
            shown = repr(str(source)[:80])
            raise GameError(
                f"cannot read {shown}: {error}; give a path, an open file, or text that starts with {start}"
            ) from None
    else:
        content = source.read()
    if isinstance(content, bytes):
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return content.decode("latin-1")
    return str(content).lstrip("\ufeff")


def unquoted(token: str) -> str:
    """Return the label in a quoted token."""
    inner = token[1:-1]
    return _ESCAPE.sub(r"\1", inner) if "\\" in inner else inner


def quoted(label: str) -> str:
    """Return a label as a quoted token."""
    return '"' + label.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number_token(value: Quantity) -> str:
    """Return a number as text that reads back as the same number, in a form that Gambit takes too."""
    if isinstance(value, Fraction | int):
        return str(value)
    text = repr(float(value)).replace("e+", "e")
    return text.removesuffix(".0")


def distinct(labels: Sequence[str]) -> list[str]:
    """Return labels with a number behind each that is empty or not alone, as Gambit does: ``a_1``, ``a_2``."""
    count = Counter(labels)
    if "" not in count and len(count) == len(labels):
        return list(labels)
    taken = {label for label, n in count.items() if n == 1 and label}
    number: Counter[str] = Counter()
    result = []
    for label in labels:
        if label in taken and count[label] == 1:
            result.append(label)
            continue
        number[label] += 1
        while f"{label}_{number[label]}" in taken:
            number[label] += 1
        result.append(f"{label}_{number[label]}")
        taken.add(result[-1])
    return result
