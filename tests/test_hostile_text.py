"""What others wrote never reaches a terminal or a page raw, and a command ends as it is asked to."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import deterrence as dt
from deterrence.cli import app
from deterrence.games.display import Display, printable
from deterrence.sweeps.study import resume
from deterrence.sweeps.sweep import load

ESCAPES = 'EFG 2 R "x" { "P\x1b]0;pwned\x07" }\np "" 1 1 "" { "n" "\x1b[31mred" } 0\nt "" 1 "" { 1 }\nt "" 2 "" { 2 }\n'
COMMAND = [sys.executable, "-c", "from deterrence.cli import app; app()"]


def controls(text):
    return [c for c in text if (ord(c) < 0x20 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0]


def test_control_characters_of_a_file_are_printed_as_escapes(tmp_path):
    file = tmp_path / "escape.efg"
    file.write_text(ESCAPES)
    asked = CliRunner().invoke(app, ["solve", str(file)])
    assert asked.exit_code == 0
    assert r"P\x1b]0;pwned\x07 at start: \x1b[31mred" in asked.output
    assert not controls(asked.output)
    file.write_text(ESCAPES.replace("t ", "t\x1b[2J "))
    asked = CliRunner().invoke(app, ["solve", str(file)])
    assert asked.exit_code == 2
    assert not controls(asked.output)


def test_results_print_no_control_characters(tmp_path):
    game = dt.read_efg(ESCAPES)
    found = dt.spe(game)
    for thing in (found, found[0]):
        assert not controls(str(thing))
        assert "pwned" in str(thing)
    assert "\x1b" in game.players[0], "the label itself is kept as it was read"


def test_every_text_of_a_display_is_printable():
    class Loud(Display):
        def __str__(self):
            return "a\x9b31m\u202eb\tc\n"

    assert str(Loud()) == "a\\x9b31m\\u202eb\tc\n"
    assert printable("Größe ≥ 1") == "Größe ≥ 1"


def test_markdown_of_an_assessment_holds_no_html():
    text = dt.Scenario.load("textbook").text.replace('name = "Ally"', 'name = "<img src=x onerror=alert(1)>"', 1)
    if "<img" not in text:
        pytest.skip("the shipped scenario names its ally otherwise")
    assessment = dt.Scenario.loads(text.replace('"Ally"', '"<img src=x onerror=alert(1)>"')).assess(draws=16)
    assert "<img" not in assessment.to_markdown()
    assert "&lt;img" in assessment.to_markdown()


HOSTILE = "<img src=x onerror=alert(1)> | [a](javascript:b)\n"


def test_markdown_and_html_of_results_hold_nothing_of_a_label_raw():
    p = dt.symbols("p")
    types = (HOSTILE + "1", HOSTILE + "2")
    game = dt.SignalingGame(
        types, (HOSTILE + "m", "n"), (HOSTILE + "x", "y"), [p, 1 - p],
        [[[1, 0], [0, 0.5]], [[0, 1], [1, 0]]], [[[0, 1], [0, 1]], [[1, 0], [1, 0]]]
    )  # fmt: skip
    found = dt.regimes(game)
    text = found.to_markdown(HOSTILE + "x")
    assert "<img" not in text
    assert "[a](" not in text
    assert "&lt;img" in text
    solved = dt.pbe(game.at(p=0.3))
    tree = dt.spe(dt.ExtensiveGame((HOSTILE,), dt.move(HOSTILE, {HOSTILE: dt.end(HOSTILE, {HOSTILE: 1})})))
    for thing in (solved, solved[0], tree, tree[0], dt.draw(game.at(p=0.3)), dt.draw(tree.game)):
        for form in ("_repr_html_", "_repr_markdown_", "_repr_svg_"):
            assert "<img" not in (getattr(thing, form, str)() or ""), form


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
@pytest.mark.parametrize("arguments", [("list",), ("--help",), ("--version",)])
def test_a_full_standard_output_ends_without_a_traceback(arguments):
    with open("/dev/full", "w") as full:
        ended = subprocess.run([*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=100)
    assert ended.returncode == 1
    assert "No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_stored_study_which_resumes(tmp_path, sent):
    study, store = tmp_path / "s.toml", tmp_path / "s.zarr"
    study.write_text(
        'schema_version = 1\ntarget = "model:ALSIG"\nstore = "s.zarr"\nblock = 20\n[vary]\n'
        "rho = { low = 0.1, high = 0.9, points = 300 }\nk = { low = 0.1, high = 0.9, points = 20 }\n"
    )
    process = subprocess.Popen([*COMMAND, "study", study], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while len(list(store.glob("progress/digest/c/*"))) < 3 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(sent)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "interrupted; what is in a store is kept" in told
    assert "Traceback" not in told
    assert 0 < int((load(store, partial=True).status == 0).sum()) < 6000
    assert int((resume(store, progress=False).status == 0).sum()) == 6000


# ---------------------------------------------------------------- the explorer's server


@pytest.fixture(scope="module")
def server():
    from deterrence.explorer.server import running

    explorer = dt.explore(dt.models.get("ALSIG"))
    with running(explorer) as served:
        yield served


def ask(server, head, body=b""):
    import socket
    from urllib.parse import urlsplit

    host, port = urlsplit(server.address).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.replace("{host}", f"{host}:{port}").encode("latin-1") + b"\r\n\r\n" + body)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return int(answer.split()[1])


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (
            "POST {place}answer HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: "
            + "9" * 5000,
            b"",
        ),
        ("GET http://[::1/ HTTP/1.1\r\nHost: {host}", b""),
        (
            "POST {place}answer HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 22",
            b'{"view":"\\ud800", "x":1}'[:22],
        ),
        (
            "POST {place}answer HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 19",
            b'{"event":"\\udfffff"}',
        ),
        ("GET /\ud800".encode("utf-8", "surrogatepass").decode("latin-1") + " HTTP/1.1\r\nHost: {host}", b""),
    ],
    ids=["5,000 digits", "half an address", "a surrogate", "another", "bytes"],
)
def test_malformed_requests_are_refused_with_4xx(server, head, body):
    from urllib.parse import urlsplit

    assert (
        400 <= ask(server, head.replace("{place}", urlsplit(server.address).path) + "\r\nConnection: close", body) < 500
    )


def test_two_hundred_clients_at_once_are_served(server):
    from concurrent.futures import ThreadPoolExecutor
    from urllib.parse import urlsplit

    head = f"GET {urlsplit(server.address).path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close"
    with ThreadPoolExecutor(200) as clients:
        assert list(clients.map(lambda _: ask(server, head), range(200))) == [200] * 200


def test_the_question_of_a_client_that_went_away_is_dropped(server):
    import socket

    from deterrence.explorer.server import _Desk

    desk = _Desk(dt.explore(dt.models.get("ALSIG")))
    here, there = socket.socketpair()
    with here, desk.turn:
        there.close()
        with pytest.raises(ConnectionAbortedError, match="went away while it waited"):
            desk.wait_for_turn(lambda: not here.recv(1, socket.MSG_PEEK))
    desk.wait_for_turn(lambda: False)
    assert desk.turn.locked()
