"""An error never recommends a parameter that nobody could pass: every message of the package is read."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

import deterrence

ROOT = Path(deterrence.__file__).parent
NAMED = re.compile(r"(?<![\w.])([a-z]\w+)=(?!=)")  # "pure=True", "limit="
IN_WORDS = re.compile(r"(?:raise|raise the|larger|smaller|lower|less) (limit|tol|time_limit|regret|starts|precision)\b")
CALLED = re.compile(r"(?<![\w.])(?:dt\.)?([a-z]\w+)\(([a-z]\w+)=")  # "sequential(pure=True)"


@cache
def parsed():
    """Module -> (its syntax tree, the modules of the package that it imports)."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(["deterrence", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("deterrence"):
                imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        found[name] = tree, imported
    return found


@cache
def callers(module):
    """A module and all that import it, however far up."""
    known, new = {module}, {module}
    while new:
        new = {name for name, (_, imported) in parsed().items() if imported & new} - known
        known |= new
    return known


@cache
def parameters(module):
    """Names of what a user can pass to the public functions and classes of a module, and of its command line."""
    names = set()
    for node in parsed()[module][0].body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            names |= _arguments(node)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for part in node.body:
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                    names.add(part.target.id)
                if isinstance(part, ast.FunctionDef) and (part.name == "__init__" or not part.name.startswith("_")):
                    names |= _arguments(part)
    return names


def _arguments(function):
    return {a.arg for a in (*function.args.args, *function.args.kwonlyargs, *function.args.posonlyargs)}


def messages(module):
    """Yield the texts of a module's errors, numbers and names put in replaced by a mark."""
    for node in ast.walk(parsed()[module][0]):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for argument in node.exc.args[:1]:
                parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
                text = "".join(
                    str(p.value) if isinstance(p, ast.Constant) else "\N{HORIZONTAL ELLIPSIS}" for p in parts
                )
                yield text


def recommended(text):
    return {*NAMED.findall(text), *IN_WORDS.findall(text)}


EVERYWHERE = {
    "cli": {"resolve"},  # NAME=LOW:HIGH:POINTS: a parameter of a game in an example
    "estimation.predictions": {"change"},
    "games.extensive": {"at"},  # of every solver
    "games.signaling": {"at"},
    "games.strategic": {"at"},
    "solvers.symbolic.map": {"at"},
}


@pytest.mark.parametrize("module", sorted(parsed()))
def test_a_message_names_parameters_that_someone_could_pass(module):
    known = set.union(*(parameters(m) for m in callers(module)))
    own = EVERYWHERE.get(module.removeprefix("deterrence."), set())
    for text in messages(module):
        assert recommended(text) <= known | own, text


def test_a_message_that_calls_a_function_calls_it_as_it_is():
    functions = {
        node.name: _arguments(node)
        for tree, _ in parsed().values()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    checked = 0
    for module in parsed():
        for text in messages(module):
            for name, parameter in CALLED.findall(text):
                checked += 1
                assert parameter in functions[name], text
    assert checked >= 1


def test_messages_are_found():
    assert sum(len(recommended(text)) for module in parsed() for text in messages(module)) > 60


SOLVERS = {
    "solvers.sequential": "sequential",
    "solvers.nash": "nash",
    "solvers.spe": "spe",
    "solvers.sequence_form": "sequence_form",
    "solvers.correlated": "correlated",
    "solvers.pbe": "pbe",
    "solvers.regimes": "regimes",
    "solvers.logit.branch": "qre",
}


@pytest.mark.parametrize(("module", "name"), SOLVERS.items())
def test_a_solver_recommends_its_own_parameters(module, name):
    """In its own module, unless the message names another function."""
    own = _arguments_of(name)
    for text in messages(f"deterrence.{module}"):
        elsewhere = {parameter for _, parameter in CALLED.findall(text)}
        assert recommended(text) - elsewhere <= own, text


def _arguments_of(name):
    return set(inspect.signature(getattr(deterrence, name)).parameters)
