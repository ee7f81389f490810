"""The same checks as `make`, each in an environment of its own: `nox`, or `nox -s tests-3.13`."""

from __future__ import annotations

from pathlib import Path

import nox

OLDEST, NEWEST = "3.11", "3.13"

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.sessions = ["tests", "lint", "types", "wheel"]


def install(session: nox.Session, *what: str) -> None:
    session.install("-c", "constraints.txt", *what)


@nox.session(python=[OLDEST, NEWEST])
def tests(session: nox.Session) -> None:
    install(session, "-e", ".[test]")
    session.run("python", "-m", "pytest", "-n", "2", "--dist", "loadfile", *session.posargs)


@nox.session(name="test-browser")
def test_browser(session: nox.Session) -> None:
    """Try the explorer in the Chromium of the system; without one the tests say so and are skipped."""
    install(session, "-e", ".", "--group", "browser")
    session.run("python", "-m", "pytest", "-m", "browser", "tests/browser", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    install(session, "-e", ".", "--group", "lint")
    session.run("python", "-m", "ruff", "check", ".")
    session.run("python", "-m", "ruff", "format", "--check", ".")


@nox.session(python=[OLDEST, NEWEST])
def types(session: nox.Session) -> None:
    install(session, "-e", ".[test]", "--group", "lint")
    session.run("python", "-m", "mypy")


@nox.session(python=[OLDEST, NEWEST])
def wheel(session: nox.Session) -> None:
    """Run the command line from the built wheel, away from the checkout."""
    aside = Path(session.create_tmp())
    session.run("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(aside), ".")
    newest = max(aside.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    install(session, "--force-reinstall", str(newest))
    session.chdir(aside)
    session.run("deterrence", "--version")
    session.run("deterrence", "list")
    session.run("deterrence", "assess", "baltic-2017", "--figure", "baltic")


@nox.session(python=OLDEST)
def lowest(session: nox.Session) -> None:
    """Test with the lowest version of everything that pyproject.toml admits."""
    bounds = Path(session.create_tmp()) / "lowest.txt"
    settings = nox.project.load_toml("pyproject.toml")["project"]
    wanted = [*settings["dependencies"], *settings["optional-dependencies"]["store"]]
    bounds.write_text("\n".join(one.partition(";")[0].replace(">=", "==") for one in wanted), "utf-8")
    session.install("-r", str(bounds))
    tools = ("hypothesis", "jsonschema", "nbclient", "nbformat", "pytest>=8.4", "pytest-timeout>=2.3.1")
    session.install("-c", str(bounds), "-e", ".[store]", *tools)
    # old libraries warn of what newer ones below them have deprecated; pages are made with the tested versions only
    quiet = ("-W", "ignore::DeprecationWarning", "-W", "ignore::PendingDeprecationWarning")
    session.run("python", "-m", "pytest", "tests", "--ignore", "tests/documentation", *quiet, *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Look up every pinned package among the known vulnerabilities; this needs a network."""
    session.install("pip-audit>=2.7")
    session.run("pip-audit", "--strict", "--disable-pip", "--no-deps", "-r", "constraints.txt", *session.posargs)


@nox.session
def sbom(session: nox.Session) -> None:
    """Write the bill of materials of a release: what an installation of the package holds, as CycloneDX."""
    install(session, ".[store,cluster,explore]")
    session.install("cyclonedx-bom>=4.5")
    where = session.posargs or ["deterrence-sbom.json"]
    session.run("cyclonedx-py", "environment", session.virtualenv.location, "--output-file", *where)


@nox.session(python=NEWEST)
def fuzz(session: nox.Session) -> None:
    """Try 10,000 mutated files on each reader; what fails is kept in tests/data/fuzz and tried first from then on."""
    install(session, "-e", ".[test]")
    environment = {"HYPOTHESIS_PROFILE": "fuzz"}
    session.run("python", "-m", "pytest", "-m", "slow", "tests/test_fuzz.py", *session.posargs, env=environment)
