"""HTTPS requests, and which failures are worth a retry."""

import dataclasses
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping

import certifi

from mtl_hsi import __version__

USER_AGENT = f"mtl_hsi/{__version__} (classification of hyperspectral scenes; downloads public data sets)"
_WORTH_RETRYING = (408, 425, 429, 500, 502, 503, 504)


@dataclasses.dataclass(frozen=True)
class Limits:
  """Limits on the time, size and attempts of a download.

  Attributes:
    timeout: seconds to wait for a connection, an answer or the next piece of a body.
    slowest: bytes per second; a transfer that is slower for `window` seconds is aborted.
    window: seconds over which the speed is measured.
    largest: bytes; a larger body is refused.
    attempts: consecutive failures after which a host is abandoned.
    worthwhile: bytes; an interrupted transfer that received this many resets the count of failures.
    back_off: seconds before the second attempt; doubles with every further attempt.
    longest_wait: seconds; a host that requests a longer pause is abandoned.
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
  """The host does not provide the file; another attempt would fail too."""


class TooLarge(Refused):
  """The file exceeds the size limit."""


class Interrupted(Exception):
  """A temporary failure; `wait` is the pause in seconds that the host requests."""

  def __init__(self, reason: str, wait: float = 0.0):
    super().__init__(reason)
    self.wait = wait


class RangeRefused(Interrupted):
  """The host cannot resume the transfer because its file has changed."""


def https_opener(context: ssl.SSLContext | None = None) -> urllib.request.OpenerDirector:
  """Returns an opener of https addresses only, also after redirects; it uses the environment's proxies.

  `context` has the trusted certificates. None trusts the authorities of the system and of `certifi`, because
  Python finds no system authorities on a Mac or in a minimal container.
  """
  if context is None:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
  opener = urllib.request.OpenerDirector()
  # urllib's build_opener would also add handlers for http, ftp, file and data addresses.
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
  """Sends one GET request and returns the open response, with a status 2xx.

  Raises:
    Refused: the host rejects the request, is unreachable or has no trusted certificate.
    Interrupted: the host is busy, does not answer or closes the connection.
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
    return Interrupted("the connection was closed")
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
