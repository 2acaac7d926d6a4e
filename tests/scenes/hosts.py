"""HTTPS servers on the loopback interface that give correct, incomplete or wrong answers."""

import contextlib
import http.server
import re
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

CERTIFICATE = Path(__file__).with_name("localhost.pem")

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Host:
  """Gives one answer per request, repeats the last one, and records the requests.

  Attributes:
    requests: headers of the requests, in order, with the path under "Path".
    released: set at the end of the test, which ends answers that wait.
  """

  def __init__(self, *answers: Answer):
    self.requests = []
    self.released = threading.Event()
    self._answers = list(answers)
    self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    # The thread of the request makes the handshake, so a client that refuses it does not stop the host.
    self._server.socket = context.wrap_socket(
      self._server.socket, server_side=True, do_handshake_on_connect=False
    )
    self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
    self._thread.start()

  def url(self, name: str = "file", scheme: str = "https") -> str:
    return f"{scheme}://localhost:{self._server.server_port}/{name}"

  def close(self) -> None:
    self.released.set()
    self._server.shutdown()
    self._thread.join()
    self._server.server_close()

  def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
    host = self

    class Handler(http.server.BaseHTTPRequestHandler):
      protocol_version = "HTTP/1.1"

      def do_GET(self):
        host.requests.append({**self.headers, "Path": self.path})
        answer = host._answers[min(len(host.requests), len(host._answers)) - 1]
        self.host, self.close_connection = host, True
        answer(self)

      def log_message(self, *_):
        pass

      def handle(self):
        # In some tests the client closes the connection.
        with contextlib.suppress(OSError):
          super().handle()

    return Handler


def whole(body: bytes, tag: str = '"1"', ranges: bool = True) -> Answer:
  """Sends the file or the requested range of it, as RFC 9110 specifies."""

  def answer(request):
    start = _start(request) if ranges and request.headers.get("If-Range", tag) == tag else 0
    if start >= len(body):
      _head(request, 416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": 0})
    elif start:
      place = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
      _head(request, 206, {"ETag": tag, "Content-Length": len(body) - start, **place})
      request.wfile.write(body[start:])
    else:
      _head(request, 200, {"ETag": tag, "Content-Length": len(body)})
      request.wfile.write(body)

  return answer


def cut(body: bytes, after: int, **headers: str) -> Answer:
  """Sends the beginning of the file, then closes the connection."""

  def answer(request):
    _head(request, 200, {"ETag": '"1"', "Content-Length": len(body), **headers})
    request.wfile.write(body[:after])

  return answer


def status(code: int, **headers: str) -> Answer:
  """Sends a status without a file; underscores in the names of headers become hyphens."""

  def answer(request):
    _head(request, code, {"Content-Length": 0, **{name.replace("_", "-"): v for name, v in headers.items()}})

  return answer


def partial(body: bytes, place: str, tag: str = '"1"', stop: int | None = None) -> Answer:
  """Sends status 206 with any content and Content-Range, cut after `stop` bytes."""

  def answer(request):
    _head(request, 206, {"ETag": tag, "Content-Range": place, "Content-Length": len(body)})
    request.wfile.write(body[:stop])

  return answer


def chunked(body: bytes) -> Answer:
  """Sends the file without its size."""

  def answer(request):
    _head(request, 200, {"Transfer-Encoding": "chunked"})
    for i in range(0, len(body), 500):
      piece = body[i : i + 500]
      request.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    request.wfile.write(b"0\r\n\r\n")

  return answer


def drip(body: bytes, pause: float) -> Answer:
  """Sends one byte at a time, with a pause after each."""

  def answer(request):
    _head(request, 200, {"Content-Length": len(body)})
    for i in range(len(body)):
      request.wfile.write(body[i : i + 1])
      if request.host.released.wait(pause):
        return

  return answer


def silence(request) -> None:
  """Accepts the request and does not answer."""
  request.host.released.wait()


def hang_up(request) -> None:
  """Accepts the request and closes the connection."""


def _start(request) -> int:
  found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
  return int(found[1]) if found else 0


def _head(request, code: int, headers: dict) -> None:
  request.send_response(code)
  for name, value in headers.items():
    request.send_header(name, str(value))
  request.send_header("Connection", "close")
  request.end_headers()
