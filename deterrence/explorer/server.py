"""The explorer without a notebook: a small server on this machine alone, and the page that it serves.

The server listens on 127.0.0.1 and answers only requests that carry the token of its address and name it as their
host, so that neither other sites in the same browser nor other users' programs can ask it anything:

- an address without the token is not found;
- a request whose ``Host`` is another name is refused: a name that was made to point here (DNS rebinding) is no use;
- a question has to be JSON from the page itself: its ``Origin``, where a browser sends one, is this server.
"""

from __future__ import annotations

import json
import logging
import secrets
import select
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deterrence.games.errors import GameError, ParameterError, ScenarioError, SolverError

if TYPE_CHECKING:
    from deterrence.explorer.views import Views

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
MOST_BYTES = 256 * 1024  # of a question: the state of the page, a pinned view with it
PATIENCE = 30  # seconds that a connection may say nothing

_JSON, _HTML = "application/json", "text/html; charset=utf-8"
_STATIC = {
    "explorer.js": "text/javascript; charset=utf-8",
    "host.js": "text/javascript; charset=utf-8",
    "host_model.js": "text/javascript; charset=utf-8",
    "explorer.css": "text/css; charset=utf-8",
    "host.css": "text/css; charset=utf-8",
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_LOOKS_FOR_CLIENT = 0.25  # seconds between looks at whether a client that waits is still there
_MOST_DIGITS = 12  # of a length that is read as a number


def serve(
    explorer: Views,
    *,
    port: int = 0,
    open_browser: bool = False,
    announce: Callable[[str], object] | None = None,
) -> None:
    """Serve an explorer to a browser on this machine until Ctrl-C.

    Parameters
    ----------
    explorer : Views
    port : int
        From 0 to 65535; 0 takes one that is free.
    open_browser : bool
        Whether to show the page in the default browser.
    announce : callable, optional
        Is given the address once it can be opened; by default it is printed.

    Raises
    ------
    ParameterError
        If ``port`` is no port.
    OSError
        If the port is taken.
    """
    with running(explorer, port=port) as server:
        (announce or print)(server.address)
        if open_browser:
            webbrowser.open(server.address)
        try:
            while server.thread.is_alive():
                server.thread.join(0.5)  # in pieces: an endless wait hears no Ctrl-C on Windows
        except KeyboardInterrupt:
            logger.info("interrupted: the server ends")


@contextmanager
def running(explorer: Views, *, port: int = 0) -> Iterator[Server]:
    """Serve an explorer in the background as long as the context lasts.

    Parameters
    ----------
    explorer : Views
    port : int
        From 0 to 65535; 0 takes one that is free.

    Yields
    ------
    Server
        Its ``address`` is the page's.

    Raises
    ------
    ParameterError
        If ``port`` is no port.
    OSError
        If the port is taken.
    """
    if isinstance(port, bool) or not 0 <= port <= 65535:
        raise ParameterError(f"port must be from 0 (any that is free) to 65535, got {port!r}")
    desk = _Desk(explorer)
    try:
        listener = _Listener((HOST, port), desk)
    except OSError as error:
        raise OSError(f"port {port} of {HOST} cannot be had ({error.strerror}); another, or 0 for any") from error
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield Server(f"http://{HOST}:{listener.server_port}/{desk.token}/", thread)
    finally:
        listener.shutdown()
        listener.server_close()
        listener.hang_up()
        thread.join()


@dataclass(frozen=True, eq=False)
class Server:
    """A server at work.

    Attributes
    ----------
    address : str
        Of the page, with the token that lets one in.
    thread : threading.Thread
        Where it waits for requests.
    """

    address: str
    thread: threading.Thread = field(repr=False)


@dataclass(frozen=True, eq=False)
class _Desk:
    """What the requests of one server share."""

    explorer: Views
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    turn: Any = field(default_factory=threading.Lock, repr=False)  # one question at a time

    def page(self) -> bytes:
        title = escape(str(self.explorer.spec.get("title", "Explorer")))
        return (files(__package__) / "static" / "host.html").read_text("utf-8").replace("{{title}}", title).encode()

    def start(self) -> bytes:
        return encode({"spec": self.explorer.spec, "state": self.explorer.initial_state})

    def answer(self, state: dict[str, Any]) -> bytes:
        """Return the answer to a question; to be called in turn."""
        return encode(self.explorer.answer(state))

    def wait_for_turn(self, is_gone: Callable[[], bool]) -> None:
        """Wait until no other question is being answered; raise ConnectionAbortedError if the client goes away."""
        while not self.turn.acquire(timeout=_LOOKS_FOR_CLIENT):
            if is_gone():
                raise ConnectionAbortedError("the client went away while it waited")
        if is_gone():
            self.turn.release()
            raise ConnectionAbortedError("the client went away while it waited")


def encode(value: Any) -> bytes:
    """Return a value as JSON that every browser reads; a number that is not finite is an error."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")  # half of a surrogate pair, which no browser could read


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256  # clients that may knock at once

    def __init__(self, address: tuple[str, int], desk: _Desk) -> None:
        self.desk = desk
        self.open: set[Any] = set()
        super().__init__(address, _Request)

    def get_request(self) -> tuple[Any, Any]:
        request, address = super().get_request()
        self.open.add(request)
        return request, address

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that browsers keep open, which would be answered for as long as the program runs."""
        for request in list(self.open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # a browser that went away is no news
        logger.debug("a request from %s ended early", client_address, exc_info=sys.exc_info())


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "deterrence", ""
    timeout = PATIENCE
    wbufsize = -1  # head and body leave together: apart, the second would wait for the first to be acknowledged
    disable_nagle_algorithm = True
    server: _Listener

    def do_GET(self) -> None:
        self._reply(self._found)

    def do_POST(self) -> None:
        self._reply(self._answered)

    def log_message(self, text: str, *args: Any) -> None:
        """Log what was asked without the token."""
        logger.debug("%s", (text % args).replace(self.server.desk.token, "..."))

    # -- what is asked ---------------------------------------------------------------------------------------------

    def _found(self) -> tuple[bytes, str]:
        match self._place():
            case "":
                return self.server.desk.page(), _HTML
            case "start.json":
                return self.server.desk.start(), _JSON
            case name if name in _STATIC:
                return (files(__package__) / "static" / name).read_bytes(), _STATIC[name]
            case _:
                raise _Refused(HTTPStatus.NOT_FOUND, "there is no such page; open the address as it was printed")

    def _answered(self) -> tuple[bytes, str]:
        if self._place() != "answer":
            raise _Refused(HTTPStatus.NOT_FOUND, "questions are sent to answer")
        if self.headers.get("Origin", self._own()) != self._own():
            raise _Refused(HTTPStatus.FORBIDDEN, "only the explorer's own page may ask")
        if self.headers.get_content_type() != _JSON:
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"a question is {_JSON}")
        state = self._question()
        self.server.desk.wait_for_turn(self._is_gone)
        try:
            return self.server.desk.answer(state), _JSON
        except (GameError, ParameterError, ScenarioError, SolverError) as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"no answer: {error}") from error
        finally:
            self.server.desk.turn.release()

    def _is_gone(self) -> bool:
        """Return whether the client has closed its end of the connection."""
        ready, _, _ = select.select([self.connection], [], [], 0)
        try:
            return bool(ready) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _question(self) -> dict[str, Any]:
        """Return the body of a request, which has to be a JSON object of bounded size."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "a question says how long it is")
        if len(length) > _MOST_DIGITS or int(length) > MOST_BYTES:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a question has at most {MOST_BYTES} bytes")
        try:
            state = json.loads(self.rfile.read(int(length)), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"the question is no JSON: {error}") from error
        if not isinstance(state, dict):
            raise _Refused(HTTPStatus.BAD_REQUEST, f"a question is an object, got {type(state).__name__}")
        return state

    def _place(self) -> str:
        """Return what is asked for below the token; refuse other hosts and wrong tokens."""
        if self.headers.get("Host") not in (self._host(HOST), self._host("localhost")):
            raise _Refused(HTTPStatus.MISDIRECTED_REQUEST, "this server is known by its own address alone")
        try:
            path = urlsplit(self.path).path
        except ValueError as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"the address cannot be read: {error}") from error
        token, _, place = path.removeprefix("/").partition("/")
        if not secrets.compare_digest(token.encode(), self.server.desk.token.encode()):
            raise _Refused(HTTPStatus.NOT_FOUND, "there is no such page; open the address as it was printed")
        return place

    def _host(self, name: str) -> str:
        return f"{name}:{self.server.server_port}"

    def _own(self) -> str:
        return f"http://{self.headers.get('Host')}"

    # -- what is answered ------------------------------------------------------------------------------------------

    def _reply(self, find: Callable[[], tuple[bytes, str]]) -> None:
        try:
            body, kind = find()
            status = HTTPStatus.OK
        except _Refused as refusal:
            status, body, kind = refusal.status, encode({"error": str(refusal)}), _JSON
            self.close_connection = True  # what remains of the body is not read
        except ConnectionError:
            raise
        except Exception:
            logger.exception("the explorer's server could not answer")
            status, kind = HTTPStatus.INTERNAL_SERVER_ERROR, _JSON
            body = encode({"error": "the explorer failed; its log says why"})
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")
