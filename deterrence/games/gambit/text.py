r"""The tokens of Gambit's game files: quoted labels, numbers, braces; shared by the ``.efg`` and ``.nfg`` readers.

Blanks, newlines and commas separate tokens and mean nothing else. In a label ``\\"`` is a quote and ``\\\\`` a
backslash.
"""

from __future__ import annotations

import codecs
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
_PLAIN = re.compile(  # digits are possessive: nothing is tried twice; a denominator does not begin with 0
    r"(?:[-+]?(?:[0-9]++/[1-9][0-9]*+|(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]{1,2}+)?)\s++)*+"
)
_ESCAPE = re.compile(r'\\(["\\])')
_LONG = 300  # characters of a number, beyond which its size is looked at
MOST_CHARACTERS = 2_000  # of a number, so that reading it takes no time
_KINDS = {
    "EFG": "a tree of Gambit (.efg): read it with dt.read_efg",
    "NFG": "a table of Gambit (.nfg): read it with dt.read_nfg",
    "#AGG": (
        "an action-graph game (.agg), which is not read here: write it as a table with Gambit (gambit-convert, or "
        "pygambit's read_agg and to_nfg) and read that with dt.read_nfg"
    ),
    "#BAGG": (
        "a Bayesian action-graph game (.bagg), which is not read here: write it as a table with Gambit (pygambit's "
        "read_agg and to_nfg) and read that with dt.read_nfg"
    ),
    "<": "an XML or HTML file (of Game Theory Explorer or Gambit's workbook?): export it as .efg or .nfg there",
    "{": "a JSON file: games are read from .efg and .nfg",
    "PK": "an archive: unpack it first",
    "%PDF": "a PDF",
}
LARGEST_EXPONENT = 400  # a float64 holds no larger one; a file could otherwise ask for a number of any length


class Tokens:
    """The tokens of a game file, read one after the other; errors name line and column."""

    def __init__(self, text: str, *, strict: bool = True) -> None:
        self.text = text
        self.strict = strict
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
        return unquote(token)

    def integer(self, what: str) -> int:
        """Take a whole number that is not negative."""
        token = self.take(what)
        if not (token.isascii() and token.isdigit()):
            self.fail(f"expected {what}, a whole number, got {token!r}")
        if len(token) > MOST_CHARACTERS:
            self.fail(f"{what} has {len(token):,} digits, more than {MOST_CHARACTERS:,}")
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
        exponent = re.search(r"[eE]([-+]?\d+)\Z", token)
        if len(token) > MOST_CHARACTERS or (exponent and abs(int(exponent[1])) > LARGEST_EXPONENT):
            self.fail(
                f"{what} is {_shortened(token)}, beyond the range of numbers (exponents up to {LARGEST_EXPONENT}, "
                f"{MOST_CHARACTERS:,} characters)"
            )
        if "/" in token:
            top, bottom = (int(x) for x in token.split("/"))
            if bottom == 0:
                self.fail(f"{what} divides by zero: {token!r}")
            value = Fraction(top, bottom)
        else:
            value = Fraction(token)
        try:
            float(value)
        except OverflowError:
            self.fail(f"{what} is {_shortened(token)}, beyond the range of floats, 1e308")
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


def numbers_in(text: str) -> list[Number]:
    """Return the numbers in a text, blanks between them: those that ``Tokens.number`` reads, but many at a time.

    Raises
    ------
    GameError
        If something is no number.
    """
    tokens = text.split()
    if max(map(len, tokens), default=0) > _LONG or not text.isascii() or "_" in text:
        return _one_by_one(text)
    try:
        return list(map(int, tokens))
    except ValueError:
        if not _PLAIN.fullmatch(text + " "):
            return _one_by_one(text)
    different = list(dict.fromkeys(tokens))
    halves = "/".join([token if "/" in token else _over(token) for token in different]).split("/")
    values = list(map(Fraction, map(int, halves[::2]), map(int, halves[1::2])))
    if all(value.denominator == 1 for value in values):
        return [int(Fraction(token)) for token in tokens]
    return list(map(dict(zip(different, values, strict=True)).__getitem__, tokens))


def _over(decimal: str) -> str:
    """Return a decimal as two whole numbers with a bar between them."""
    whole, _, part = decimal.partition(".")
    if not decimal.isdigit() and ("e" in decimal or "E" in decimal):
        value = Fraction(decimal)
        return f"{value.numerator}/{value.denominator}"
    return f"{whole}{part}/1{'0' * len(part)}"


def _one_by_one(text: str) -> list[Number]:
    tokens = Tokens(text)
    numbers = []
    while tokens.peek():
        numbers.append(tokens.number("a number"))
    return numbers


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
            why = getattr(error, "strerror", None) or error
            raise GameError(
                f"cannot read {shown}: {why}; give a path, an open file, or text that starts with {start}"
            ) from None
    else:
        content = source.read()
    if isinstance(content, bytes):
        if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return _of_this_kind(content.decode("utf-16"), start)
        try:
            return _of_this_kind(content.decode("utf-8-sig"), start)
        except UnicodeDecodeError:
            return content.decode("latin-1")
    return _of_this_kind(str(content).lstrip("\ufeff"), start)


def _of_this_kind(text: str, start: str) -> str:
    """Return a text, or raise GameError with what it is if it is a file of another kind."""
    head = text.lstrip()[:200]
    for mark, kind in _KINDS.items():
        if head.startswith(mark) and mark != start:
            raise GameError(f"this is {kind}, not a file that starts with {start}")
    return text


def unquote(token: str) -> str:
    """Return the label in a quoted token."""
    inner = token[1:-1]
    return _ESCAPE.sub(r"\1", inner) if "\\" in inner else inner


def quote(label: str) -> str:
    """Return a label as a quoted token."""
    return '"' + label.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shortened(token: str) -> str:
    return token if len(token) <= 40 else f"{token[:20]}... ({len(token):,} characters)"


def number_token(value: Quantity) -> str:
    """Return a number as text that reads back as the same number, in a form that Gambit takes too."""
    if isinstance(value, Fraction | int):
        return str(value)
    text = repr(float(value)).replace("e+", "e")
    return text.removesuffix(".0")


def distinct(labels: Sequence[str]) -> list[str]:
    """Return labels with a number behind each that is empty or not alone, as Gambit does: ``a_1``, ``a_2``."""
    if "" not in labels and len(set(labels)) == len(labels):
        return list(labels)
    count = Counter(labels)
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
