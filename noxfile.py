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
