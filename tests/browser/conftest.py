"""A real Chromium, and the hosts that it opens the explorer in: JupyterLab, the local server, a page from disk."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"  # git ignores it
PATIENCE = 20_000  # milliseconds for a kernel to start and a widget to appear


MEASURED = pytest.StashKey[list[str]]()


def pytest_configure(config):
    config.stash[MEASURED] = []


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash[MEASURED]:
        terminalreporter.write_line(line)


@pytest.fixture
def measured(request):
    """Return a function that notes a figure for the end of the run; no test depends on it."""
    return lambda what, figure: request.config.stash[MEASURED].append(f"{what}: {figure}")


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def missing() -> str:
    """Say what the machine lacks, or nothing."""
    if find_spec("playwright") is None:
        return "Playwright is not installed: make test-browser installs it"
    if chromium() is None:
        return "no Chromium was found: install one (Debian: chromium), or name it in the variable CHROMIUM"
    return ""


def chromium() -> str | None:
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if name and (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser():
    """Return a Chromium of the system; where there is none, the test is skipped."""
    lacking = missing()
    if lacking:
        pytest.skip(lacking)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        chrome = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield chrome
        chrome.close()


@pytest.fixture
def open_page(browser):
    """Return a function that opens a page; what goes wrong on it in the meantime fails the test."""
    contexts, troubles = [], []

    def opened(address=None, *, scheme="light", strict=True, **options):
        context = browser.new_context(color_scheme=scheme, **{"viewport": {"width": 1280, "height": 1000}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        if strict:  # whatever the console calls an error: a blocked script, a file that is not there
            page.on("console", lambda told: troubles.append(told.text) if told.type == "error" else None)
        page.on("dialog", lambda dialog: (troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        if address:
            page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not troubles


@pytest.fixture(scope="session")
def screenshot():
    """Return a function that keeps a picture of a page, or of an element on it, for people to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)

    def kept(place, name):
        whole = {"full_page": True} if hasattr(place, "goto") else {}
        place.screenshot(path=SCREENSHOTS / f"{name}.png", **whole)

    return kept


@contextmanager
def lab_server(root: Path) -> Iterator[str]:
    """Run JupyterLab on a folder, with settings of its own."""
    settings = root / "config" / "labconfig"
    settings.mkdir(parents=True)
    news = {"@jupyterlab/apputils-extension:announcements": True}  # a pop-up that would cover the page
    (settings / "page_config.json").write_text(json.dumps({"disabledExtensions": news}), "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = {f"JUPYTER_{kind}_DIR": str(root / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    options = {
        "ip": "127.0.0.1",
        "port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": root,
        "ServerApp.disable_check_xsrf": True,
        "IdentityProvider.token": "",
        "LabApp.expose_app_in_browser": True,
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--{name}={value}" for name, value in options.items()]
    with (root / "log").open("w") as log:
        environment = {**os.environ, **folders, "IPYTHONDIR": str(root / "ipython")}
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/api", process, root / "log")
            yield address
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text('utf-8')}")


@pytest.fixture(scope="session")
def lab(browser, tmp_path_factory):
    """Return the folder and the address of a JupyterLab."""
    if find_spec("jupyterlab") is None:
        pytest.skip("JupyterLab is not installed: make test-browser installs it")
    root = tmp_path_factory.mktemp("lab")
    with lab_server(root) as address:
        yield root, address


@pytest.fixture
def run_notebook(lab, open_page):
    """Return a function that opens cells as a notebook in JupyterLab and runs them."""
    root, address = lab

    def ran(cells, *, name="explorer", theme="JupyterLab Light", **options):
        import nbformat

        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells], metadata=kernel)
        nbformat.write(notebook, root / f"{name}.ipynb")
        options = {"viewport": {"width": 1400, "height": 2300}, **options}  # all of the explorer at once
        page = open_page(f"{address}/lab/tree/{name}.ipynb?reset", strict=False, **options)
        page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.context?.isReady")
        page.evaluate(
            """async theme => {
                const commands = window.jupyterapp.commands;
                await commands.execute('apputils:change-theme', { theme });
                await window.jupyterapp.shell.currentWidget.sessionContext.ready;
                await commands.execute('notebook:run-all-cells');
            }""",
            theme,
        )
        return page

    return ran
