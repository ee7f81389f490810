"""Rules of the repository that a machine can check: who imports whom, what an import costs, what no file may hold."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import deterrence

PACKAGE = Path(deterrence.__file__).parent
CHECKOUT = Path(__file__).parent.parent

LAYER = {
    "files": -1,  # how files are written: known to every package
    "games": 0,
    "solvers": 1,
    "perception": 2,
    "models": 3,
    "alliances": 3,
    "estimation": 4,
    "sweeps": 4,
    "plotting": 5,
    "explorer": 6,
    "cli": 7,
}
ALIASES = ("scenarios",)  # names of an earlier layout, kept for one release
HEAVY = ("sympy", "scipy.stats", "matplotlib", "xarray", "pandas", "nashpy", "pydantic")
GENERATED = {".git", ".venv", ".nox", "build", "dist", "demo", "__pycache__", ".benchmarks", ".hypothesis"}
GENERATED |= {".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache"}

# ---------------------------------------------------------------- who imports whom


def module_name(file: Path) -> str:
    """Return the dotted name of a file of the package."""
    parts = ["deterrence", *file.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(file): file.read_text("utf-8") for file in sorted(PACKAGE.rglob("*.py"))}


def imports(source: str) -> Iterator[tuple[str, int]]:
    """Yield every module that a source imports, wherever it does so, and the line.

    ``from a.b import c`` yields ``a.b.c``, since ``c`` may be a module; a relative import yields its dots.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, node.lineno) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                start = "." * level + (module or "")
                yield from ((f"{start}.{alias.name}", node.lineno) for alias in names)
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
                args=[ast.Constant(value=str(target)), *_],
            ):
                yield target, node.lineno


def package_of(module: str) -> str:
    """Return the package of ``deterrence.package.file``; the top-level API is ``""``."""
    return module.partition(".")[2].partition(".")[0]


def violations(module: str, source: str) -> list[str]:
    """Return what a module imports against the rule that imports go down, a line for each."""
    package = package_of(module)
    lines = []
    for target, line in imports(source):
        other = package_of(target)
        if target.startswith("."):
            lines.append(f"{module}:{line} imports {target}: write the import in full")
        elif target.split(".")[0] != "deterrence" or target == "deterrence.__version__" or not package:
            continue
        elif other not in LAYER:
            lines.append(f"{module}:{line} imports {target}: import a name from the file that defines it")
        elif other != package and LAYER[other] >= LAYER[package]:
            lines.append(
                f"{module}:{line} imports {target}: {other} (layer {LAYER[other]}) "
                f"is not below {package} (layer {LAYER[package]})"
            )
    return lines


def circles(sources: Mapping[str, str]) -> list[list[str]]:
    """Return the groups of files that import each other, imports inside functions counted.

    Left out is an import for the type checker alone: it never runs.
    """
    graph: dict[str, set[str]] = {module: set() for module in sources}
    for module, source in sources.items():
        for target, _ in imports(_running(source)):
            known = target if target in sources else target.rpartition(".")[0]
            if known in sources and known != module:
                graph[module].add(known)
    return [sorted(group) for group in _strongly_connected(graph) if len(group) > 1]


def _strongly_connected(graph: Mapping[str, set[str]]) -> Iterator[set[str]]:
    """Yield the strongly connected components of a graph (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> Iterator[set[str]]:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                yield from visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            group = set(stack[at:])
            del stack[at:]
            yield group

    for node in graph:
        if node not in index:
            yield from visit(node)


def _running(source: str) -> str:
    """Return a source without what only the type checker reads."""
    return ast.unparse(_Running().visit(ast.parse(source)))


class _Running(ast.NodeTransformer):
    def visit_If(self, node: ast.If) -> ast.AST:
        return ast.Pass() if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)


def test_every_package_has_a_layer():
    packages = {package_of(module) for module in SOURCES} - {"", "_version", "__main__", *ALIASES}
    assert packages <= set(LAYER), f"no layer is known for {sorted(packages - set(LAYER))}"


def test_games_know_only_how_files_are_written():
    assert [package for package, layer in LAYER.items() if layer < LAYER["games"]] == ["files"]


@pytest.mark.parametrize("module", sorted(set(SOURCES) - {f"deterrence.{alias}" for alias in ALIASES}))
def test_imports_go_down(module):
    assert not violations(module, SOURCES[module])


def test_no_files_import_each_other_in_a_circle():
    assert not circles(SOURCES)


@pytest.mark.parametrize("module", SOURCES)
def test_no_file_reaches_the_package_through_the_loaded_modules(module):
    assert "sys.modules[__name__" not in SOURCES[module]


@pytest.mark.parametrize(
    ("module", "source", "message"),
    [
        (
            "deterrence.games.tree",
            "from deterrence.solvers.pbe import pbe",
            "solvers .* is not below games",
        ),
        (
            "deterrence.games.tree",
            "import deterrence.solvers.pbe as p",
            "solvers .* is not below games",
        ),
        ("deterrence.games.tree", "from deterrence import solvers", "solvers .* is not below games"),
        (
            "deterrence.games.tree",
            "def f():\n    import deterrence.cli",
            "games.tree:2 imports deterrence.cli",
        ),
        ("deterrence.games.tree", "import_module('deterrence.cli')", "cli .* is not below games"),
        (
            "deterrence.models.a",
            "import deterrence.alliances",
            "alliances .* is not below models",
        ),
        ("deterrence.sweeps.a", "from deterrence.cli import app", "cli .* is not below sweeps"),
        ("deterrence.cli", "import deterrence", "import a name from the file that defines it"),
        ("deterrence.cli", "from deterrence import Scenario", "import a name from the file that defines it"),
        ("deterrence.games.tree", "from . import errors", "write the import in full"),
        ("deterrence.games.tree", "from .errors import GameError", "write the import in full"),
    ],
)
def test_an_import_that_goes_up_is_found(module, source, message):
    (line,) = violations(module, source)
    assert re.search(message, line)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("deterrence.solvers.pbe", "from deterrence.games.errors import GameError"),
        ("deterrence.solvers.pbe", "import deterrence.games.errors"),
        ("deterrence.games.tree", "from deterrence.games import errors"),
        ("deterrence.sweeps.a", "from deterrence import __version__"),
        ("deterrence.games.tree", "import numpy as np"),
        ("deterrence", "from deterrence.games.tree import move"),
    ],
)
def test_an_import_that_goes_down_is_let_through(module, source):
    assert not violations(module, source)


def test_a_circle_is_found():
    there, back = "from deterrence.games.b import x", "import deterrence.games.a"
    both = [["deterrence.games.a", "deterrence.games.b"]]
    assert circles({"deterrence.games.a": there, "deterrence.games.b": back}) == both
    assert circles({"deterrence.games.a": there, "deterrence.games.b": f"def f():\n    {back}"}) == both
    assert not circles({"deterrence.games.a": there, "deterrence.games.b": f"if TYPE_CHECKING:\n    {back}"})
    assert not circles({"deterrence.games.a": there, "deterrence.games.b": ""})


def test_every_package_that_is_imported_is_declared():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = _names(project["dependencies"], *project["optional-dependencies"].values())
    homes = packages_distributions()
    for module, source in SOURCES.items():
        for target, line in imports(source):
            top = target.split(".")[0]
            if top and top not in {"deterrence", *sys.stdlib_module_names}:
                known = {_normal(name) for name in homes.get(top, [top])}
                assert known & declared, f"{module}:{line} imports {top}, which pyproject.toml does not name"


def _names(*requirements: list[str | dict[str, str]]) -> set[str]:
    """Return the packages that lists of requirements ask for, this one and included groups left out."""
    asked = [one for several in requirements for one in several if isinstance(one, str)]
    return {_normal(re.match(r"[\w.-]+", requirement)[0]) for requirement in asked} - {"deterrence"}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# ---------------------------------------------------------------- tests follow the packages

SHARED = {file.stem for file in (CHECKOUT / "tests").glob("*.py") if not file.stem.startswith(("test_", "__"))}
ABOUT_ALL = {"browser", "documentation"}  # tests of the explorer in a browser, and of docs/, notebooks/, README.md


def bare_imports(source: str) -> list[str]:
    """Return the imports of what tests share that leave out the package ``tests``, as ``from tests.strategies``."""
    return [target for target, _ in imports(source) if target.split(".")[0] in SHARED]


def test_each_folder_of_tests_is_a_package_of_the_package():
    folders = {file.parent for file in (CHECKOUT / "tests").rglob("test_*.py")} - {CHECKOUT / "tests"}
    for folder in folders:
        assert folder.parent == CHECKOUT / "tests", f"{folder} is no mirror of a package"
        assert folder.name in {*LAYER, *ABOUT_ALL}, f"no package has the name of {folder}"
        assert (folder / "__init__.py").is_file(), f"{folder} has no __init__.py"


def test_what_tests_share_is_imported_from_the_package_of_tests():
    assert "tree_strategies" in SHARED
    assert bare_imports("from tree_strategies import trees")
    assert not bare_imports("from tests.tree_strategies import trees")
    for file in (CHECKOUT / "tests").rglob("*.py"):
        assert not bare_imports(file.read_text("utf-8")), file


# ---------------------------------------------------------------- what an import costs


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter holds after a statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules, sep='\\n')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(run.stdout.split())


def test_the_package_is_light_to_import():
    loaded = loaded_by("import deterrence; deterrence.__version__; dir(deterrence)")
    assert "deterrence" in loaded
    assert not loaded.intersection(HEAVY)


@pytest.mark.parametrize("heavy", ["scipy.stats", "pydantic"])
def test_a_heavy_import_would_be_seen(heavy):
    assert heavy in loaded_by(f"import deterrence, {heavy}")


def test_every_public_name_can_be_had():
    assert deterrence.__all__
    for name in deterrence.__all__:
        assert getattr(deterrence, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        deterrence.no_such_name  # noqa: B018


@pytest.mark.parametrize(
    "package",
    [m for m in SOURCES if {"__getattr__", "__all__"} <= set(re.findall(r"\w+", SOURCES[m])) and m != "deterrence"],
)
def test_every_name_that_a_package_hands_on_can_be_had(package):
    """Names imported when first used are told by strings, which neither the type checker nor a rename follows.

    None is the name of a file: as soon as that file were imported, the name would be the file.
    """
    handed_on = importlib.import_module(package)
    for name in handed_on.__all__:
        assert getattr(handed_on, name) is not None, name
        assert f"{package}.{name}" not in SOURCES, name


# ---------------------------------------------------------------- what no file may hold

# A pattern is written so that it does not match its own text.
INDEX_HOST = re.compile(
    r"pypi\.org|pythonhosted\.org|(?:index|find)[-_](?:url|links)\s*=|trusted[-_]host\b\s*=|https?://\S+/simple\b"
)
MACHINE_PATH = re.compile(r"(?<![\w.~)}*-])(?:/(?:work|tmp|root|home/\w+|Users/\w+)/|[A-Z]:\\Users\\)")


def text_files() -> Iterator[Path]:
    """Yield the text files that git tracks; where it does not track this one, all that no tool made."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True).stdout
        files = [CHECKOUT / name for name in listed.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        files = []
    if Path(__file__) not in files:
        inside = {file: set(file.relative_to(CHECKOUT).parts) for file in CHECKOUT.rglob("*")}
        files = [file for file, parts in inside.items() if not parts & GENERATED]
    yield from (file for file in files if file.is_file() and b"\0" not in file.read_bytes()[:8192])


@pytest.mark.parametrize(
    ("pattern", "what"),
    [(INDEX_HOST, "a package index"), (MACHINE_PATH, "a path of one machine")],
    ids=["index", "path"],
)
def test_no_file_names_a_place_of_one_machine(pattern, what):
    files = list(text_files())
    assert Path(__file__) in files
    found = [
        f"{file.relative_to(CHECKOUT)}:{number} holds {what}: {line.strip()[:80]}"
        for file in files
        for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def _join(*parts: str) -> str:
    """Write a forbidden text without holding it."""
    return "".join(parts)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (INDEX_HOST, _join("see https://py", "pi.org/project/deterrence")),
        (INDEX_HOST, _join("index", "-url = https://mirror.example")),
        (INDEX_HOST, _join("https://mirror.example/root/", "simple")),
        (MACHINE_PATH, _join("open('/ro", "ot/games/a.efg')")),
        (MACHINE_PATH, _join("cd /ho", "me/someone/deterrence")),
        (MACHINE_PATH, _join("C:", "\\Users\\someone")),
    ],
    ids=["project", "option", "mirror", "root", "home", "windows"],
)
def test_a_place_of_one_machine_is_found(pattern, line):
    assert pattern.search(line)


@pytest.mark.parametrize("line", ["#!/usr/bin/env bash", "https://example.org/work/paper.pdf", "and/or", "tests/tmp/a"])
def test_a_harmless_path_is_let_through(line):
    assert not INDEX_HOST.search(line)
    assert not MACHINE_PATH.search(line)


# ---------------------------------------------------------------- one version


def test_the_citation_names_the_version_of_the_package():
    citation = (CHECKOUT / "CITATION.cff").read_text("utf-8")
    assert re.search(r"(?m)^version: (\S+)$", citation)[1] == deterrence.__version__


def test_the_changelog_tells_of_this_version_below_what_is_to_come():
    headings = re.findall(r"(?m)^## \[(.+?)\]", (CHECKOUT / "CHANGELOG.md").read_text("utf-8"))
    assert headings[:2] == ["Unreleased", deterrence.__version__]


def test_the_workflow_checks_the_oldest_and_the_newest_python_that_are_promised():
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with dask")
    workflow = yaml.safe_load((CHECKOUT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    promised = [c.rpartition(" ")[2] for c in project["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert project["requires-python"] == f">={promised[0]}"
    assert workflow["jobs"]["checks"]["strategy"]["matrix"]["python"] == [promised[0], promised[-1]]
    commands = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert ".ci/run" in commands
    targets = set(re.findall(r"(?m)^([\w-]+):", (CHECKOUT / "Makefile").read_text("utf-8")))
    made = {target for command in commands for target in re.findall(r"make ([\w-]+)", command)}
    assert {"audit", "sbom"} <= made <= targets


def test_constraints_name_a_version_for_all_that_is_asked_for():
    pins = (CHECKOUT / "constraints.txt").read_text("utf-8")
    pinned = {_normal(name) for name in re.findall(r"(?m)^([\w.-]+)==", pins)}
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
    names = _names(
        settings["build-system"]["requires"],
        settings["project"]["dependencies"],
        *settings["project"]["optional-dependencies"].values(),
        *settings["dependency-groups"].values(),
    )
    assert names <= pinned, f"constraints.txt names no version for {sorted(names - pinned)}"
