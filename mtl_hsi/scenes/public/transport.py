"""Asking a host: https and nothing else, and what each refusal means."""

import dataclasses
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping

import certifi

from mtl_hsi import __version__

USER_AGENT = f"mtl_hsi/{__version__} (classification of hyperspectral scenes; fetches public data sets)"
_WORTH_RETRYING = (408, 425, 429, 500, 502, 503, 504)


@dataclasses.dataclass(frozen=True)
class Limits:
  """How long to wait for a host and how much to take from it.

  Attributes:
    timeout: seconds to wait for a connection, an answer or the next piece of a body.
    slowest: bytes per second; a host that stays below for `window` seconds is cut off.
    window: seconds over which the speed is measured.
    largest: bytes; a larger body is refused.
    attempts: failures in a row after which a host is given up.
    worthwhile: bytes; a cut transfer that brought as many starts the row anew.
    back_off: seconds before the second attempt; doubles with each further one.
    longest_wait: seconds; a host that asks for a longer pause is given up.
  """

  timeout: float
  slowest: float
  window: float
  largest: int
  attempts: int
  worthwhile: int
  back_off: float
  longest_wait: float


class Refused(Exception):
  """The host will not give the file; asking it again is of no use."""


class TooLarge(Refused):
  """The file is larger than any that is wanted."""


class Interrupted(Exception):
  """A failure that may pass; `wait` is the pause in seconds that the host asks for."""

  def __init__(self, reason: str, wait: float = 0.0):
    super().__init__(reason)
    self.wait = wait


class RangeRefused(Interrupted):
  """The host cannot go on where a transfer was cut: its file is another one now."""


def https_opener(context: ssl.SSLContext | None = None) -> urllib.request.OpenerDirector:
  """Opens https addresses only, redirects included; obeys the proxy variables of the environment.

  `context` says which certificates to trust; None: the system's authorities and those of `certifi`,
  as Python finds none of the system's on a Mac or in a bare container.
  """
  if context is None:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
  opener = urllib.request.OpenerDirector()
  # urllib's own build_opener would add handlers for http, ftp, file and data addresses.
  for handler in (
    urllib.request.ProxyHandler(),
    urllib.request.HTTPSHandler(context=context),
    urllib.request.UnknownHandler(),
    urllib.request.HTTPErrorProcessor(),
    urllib.request.HTTPDefaultErrorHandler(),
    _SafeRedirects(),
  ):
    opener.add_handler(handler)
  opener.addheaders = [("User-Agent", USER_AGENT)]
  return opener


def ask(
  url: str, headers: Mapping[str, str], limits: Limits, opener: urllib.request.OpenerDirector
) -> http.client.HTTPResponse:
  """Sends one GET request and returns the open answer, of status 2xx.

  Raises:
    Refused: the host says no, is not there or cannot be trusted.
    Interrupted: the host is busy, silent or cuts the connection.
  """
  try:
    return opener.open(urllib.request.Request(url, headers=dict(headers)), timeout=limits.timeout)
  except urllib.error.HTTPError as error:
    with error:
      raise _unwelcome(error, limits) from error
  except (OSError, http.client.HTTPException) as error:
    raise _failed(error, limits) from error


def _failed(error: Exception, limits: Limits) -> Refused | Interrupted:
  cause = error.reason if isinstance(error, urllib.error.URLError) else error
  if isinstance(cause, TimeoutError):
    return Interrupted(f"no answer within {limits.timeout:g} s")
  if isinstance(cause, http.client.HTTPException | ConnectionResetError | BrokenPipeError | ssl.SSLEOFError):
    return Interrupted("the connection was cut")
  return Refused(str(cause))


def _unwelcome(error: urllib.error.HTTPError, limits: Limits) -> Refused | Interrupted:
  answer = " ".join(f"{error.code} {error.reason}".split())
  if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
    return RangeRefused(answer)
  wait = error.headers.get("Retry-After", "")
  wait = float(wait) if wait.isdecimal() else 0.0
  if error.code not in _WORTH_RETRYING or wait > limits.longest_wait:
    return Refused(answer)
  return Interrupted(answer, wait)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
  """Follows redirects to https only."""

  def redirect_request(self, request, answer, code, message, headers, address):
    if not address.lower().startswith("https://"):
      answer.close()
      raise Refused(f"{code}, a redirect to {address}, which is not https")
    return super().redirect_request(request, answer, code, message, headers, address)
