"""The explorer's server: what it answers, and whom it refuses."""

from __future__ import annotations

import http.client
import json
import logging
import re
import threading
from urllib.parse import urlsplit

import pytest

from deterrence.explorer import server
from deterrence.explorer.server import running, serve
from deterrence.games.errors import ParameterError


class Echo:
    """As much of an explorer as the server sees: it answers with what it was asked."""

    def __init__(self):
        self.spec = {"title": "</title><script>alert(1)</script>", "parameters": []}
        self.initial_state = {"values": {"p": 0.5}, "serial": 0}

    def answer(self, state):
        if "wrong" in state:
            raise ParameterError("p must be from 0 to 1, got 2")
        if "broken" in state:
            raise OSError("the disk is on fire")
        if "infinite" in state:
            return {"point": float("inf")}
        return {"serial": state["serial"], "asked": state}


@pytest.fixture(scope="module")
def address():
    with running(Echo()) as served:
        yield served.address


def ask(address, place="", body=None, *, method=None, **headers):
    """Return status, headers and content of a request; a header of None is left out."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    data = body.encode() if isinstance(body, str) else body
    sent = {"Host": parts.netloc, "Content-Type": "application/json" if data is not None else None}
    sent |= {"Content-Length": str(len(data)) if data is not None else None}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.putrequest(method or ("POST" if data is not None else "GET"), parts.path + place, skip_host=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(data)
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()
    finally:
        connection.close()


def test_the_page_comes_with_its_title_escaped_and_nothing_from_elsewhere(address):
    status, headers, page = ask(address)
    assert status == 200
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;</title>" in page
    assert b"<script>alert" not in page
    assert b"//" not in re.sub(rb"<!--.*?-->", b"", page)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in re.search("script-src[^;]*", headers["Content-Security-Policy"])[0]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_what_the_page_links_to_is_served(address):
    _, _, page = ask(address)
    linked = [name.decode() for name in re.findall(rb'(?:src|href)="([a-z.]+)"', page)]
    assert "host.js" in linked
    for name in linked:
        status, headers, content = ask(address, name)
        assert status == 200, name
        assert content
        assert headers["Content-Type"].startswith("text/css" if name.endswith("css") else "text/javascript")
        linked += [found.decode() for found in re.findall(rb'^import .* from "./(.*)";$', content, re.MULTILINE)]
    assert {"explorer.js", "host_model.js"} <= set(linked)


def test_the_first_state_is_handed_out(address):
    status, _, content = ask(address, "start.json")
    assert status == 200
    assert json.loads(content) == {"spec": Echo().spec, "state": Echo().initial_state}


def test_a_question_is_answered(address):
    state = {"serial": 3, "values": {"p": 0.25}, "note": "ß ≥ <"}
    status, headers, content = ask(address, "answer", json.dumps(state))
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert json.loads(content) == {"serial": 3, "asked": state}


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        ("{", {}, 400, "no JSON"),
        ('{"serial": NaN}', {}, 400, "NaN is no number"),
        ("[" * 20_000, {}, 400, "no JSON"),
        (b"\xff\xfe", {}, 400, "no JSON"),
        ("[1]", {}, 400, "a question is an object, got list"),
        ('{"wrong": 1}', {}, 400, "p must be from 0 to 1, got 2"),
        ('{"infinite": 1}', {}, 500, "its log says why"),
        ('{"broken": 1}', {}, 500, "its log says why"),
        ("{}", {"Content_Length": str(server.MOST_BYTES + 1)}, 413, "at most 262144 bytes"),
        ("{}", {"Content_Length": "-5"}, 411, "how long it is"),
        ("{}", {"Content_Length": None}, 411, "how long it is"),
        ("{}", {"Content_Type": "text/plain"}, 415, "application/json"),
        ("{}", {"Origin": "http://evil.example"}, 403, "own page"),
        ("{}", {"Origin": "null"}, 403, "own page"),
    ],
)
def test_a_bad_question_is_refused_with_its_reason(address, body, headers, status, said, caplog):
    caplog.set_level(logging.CRITICAL, "deterrence.explorer.server")
    found, _, content = ask(address, "answer", body, **headers)
    assert found == status
    assert said in json.loads(content)["error"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "evil.example:80", None])
@pytest.mark.parametrize("place", ["", "start.json", "answer"])
def test_another_host_is_refused(address, host, place):
    status, _, content = ask(address, place, "{}" if place == "answer" else None, Host=host)
    assert status == 421
    assert "own address" in json.loads(content)["error"]


def test_the_page_may_be_asked_for_by_the_name_of_this_machine(address):
    port = urlsplit(address).port
    assert ask(address, Host=f"localhost:{port}")[0] == 200
    origin = f"http://localhost:{port}"
    assert ask(address, "answer", '{"serial": 1}', Host=f"localhost:{port}", Origin=origin)[0] == 200
    assert ask(address, "answer", '{"serial": 1}', Origin=origin)[0] == 403


@pytest.mark.parametrize("place", ["/", "/explorer.js", "/wrong/", "/wrong/start.json", "/é/", "//"])
def test_without_the_token_there_is_nothing(address, place):
    parts = urlsplit(address)
    bare = f"{parts.scheme}://{parts.netloc}"
    status, _, content = ask(bare, place.replace("é", "%C3%A9"))
    assert status == 404
    assert "address" in json.loads(content)["error"]
    assert ask(bare, "/answer", "{}")[0] == 404


@pytest.mark.parametrize("place", ["../server.py", "server.py", "host.html", "static/explorer.js", "%2e%2e/server.py"])
def test_no_other_file_is_served(address, place):
    assert ask(address, place)[0] == 404


def test_other_methods_are_refused(address):
    assert ask(address, method="PUT")[0] == 501
    assert ask(address, "start.json", "{}")[0] == 404


def test_questions_are_answered_one_at_a_time():
    class Counting(Echo):
        inside = most = 0

        def answer(self, state):
            self.inside += 1
            self.most = max(self.most, self.inside)
            threading.Event().wait(0.01)
            self.inside -= 1
            return {}

    explorer = Counting()
    with running(explorer) as served:
        threads = [threading.Thread(target=ask, args=(served.address, "answer", "{}")) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert explorer.most == 1


def test_two_servers_have_two_tokens_and_none_outlives_its_context():
    with running(Echo()) as one, running(Echo()) as other:
        assert urlsplit(one.address).path != urlsplit(other.address).path
        port = urlsplit(one.address).port
        with pytest.raises(OSError, match=f"port {port} of 127.0.0.1 cannot be had"), running(Echo(), port=port):
            pass
    assert not one.thread.is_alive()
    with pytest.raises(OSError):
        ask(one.address)


@pytest.mark.parametrize("port", [-1, 65536, True])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ParameterError, match="port must be from 0"), running(Echo(), port=port):
        pass


def test_ctrl_c_ends_it_cleanly(monkeypatch):
    told = []
    monkeypatch.setattr(server.webbrowser, "open", told.append)

    def interrupt(address):
        told.append(address)
        assert ask(address)[0] == 200
        monkeypatch.setattr(threading.Thread, "join", interrupted)

    join = threading.Thread.join

    def interrupted(thread, timeout=None):
        monkeypatch.setattr(threading.Thread, "join", join)
        raise KeyboardInterrupt

    serve(Echo(), open_browser=True, announce=interrupt)
    assert told[0] == told[1]
    assert told[0].startswith("http://127.0.0.1:")
    with pytest.raises(OSError):
        ask(told[0])
