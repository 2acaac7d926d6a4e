"""One attempt to download a file from one address; the next attempt resumes where this one stopped."""

import dataclasses
import hashlib
import http.client
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from mtl_hsi.scenes.public.transport import Interrupted, Limits, RangeRefused, Refused, TooLarge, ask
from mtl_hsi.storage.checksums import sha256

_PIECE_BYTES = 1 << 16
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


@dataclasses.dataclass(frozen=True)
class _Origin:
  """The source of a part file's bytes: `validator` is a strong ETag or a Last-Modified date."""

  url: str
  validator: str | None
  size: int | None


def transfer(url: str, part: Path, limits: Limits, opener: urllib.request.OpenerDirector) -> str:
  """Completes a part file with at most one request and returns its SHA-256, hexadecimal.

  Bytes that an earlier attempt received from the same address are kept if the host still has that file and
  sends the rest (RFC 9110, sections 13.1.5 and 14). After a failure, the part file stays for the next
  attempt.

  Raises:
    Refused: another attempt at this address would fail too.
    Interrupted: another attempt may succeed.
    OSError: the part file cannot be written.
  """
  origin = _read_origin(part)
  start = part.stat().st_size if origin and origin.url == url else 0
  if start and start == origin.size:
    return sha256(part)
  try:
    with ask(url, _continuation(start, origin), limits, opener) as answer:
      if start and answer.status == http.client.PARTIAL_CONTENT:
        size = _size_if_rest(answer, start, origin)
      elif answer.status == http.client.OK:
        start, size = 0, answer.length
        _begin(part, _Origin(url, _validator(answer), size))
      else:
        raise Refused(f"{answer.status} {answer.reason}")
      return _receive(answer, part, start, size, limits)
  except (RangeRefused, TooLarge):
    discard(part)
    raise


def discard(part: Path) -> None:
  """Removes a part file and the record of its origin."""
  _origin_file(part).unlink(missing_ok=True)
  part.unlink(missing_ok=True)


def _origin_file(part: Path) -> Path:
  return part.with_name(f"{part.name}.json")


def _read_origin(part: Path) -> _Origin | None:
  try:
    origin = json.loads(_origin_file(part).read_text())
    return _Origin(**origin) if part.exists() else None
  except (FileNotFoundError, ValueError, TypeError):
    return None


def _begin(part: Path, origin: _Origin) -> None:
  """Empties the part file before the record changes, so that the record never describes other bytes."""
  part.write_bytes(b"")
  _origin_file(part).write_text(json.dumps(dataclasses.asdict(origin)))


def _validator(answer: http.client.HTTPResponse) -> str | None:
  tag = answer.headers.get("ETag", "W/")
  return answer.headers.get("Last-Modified") if tag.startswith("W/") else tag


def _continuation(start: int, origin: _Origin | None) -> dict[str, str]:
  if not start:
    return {}
  condition = {"If-Range": origin.validator} if origin.validator else {}
  return {"Range": f"bytes={start}-", **condition}


def _size_if_rest(answer: http.client.HTTPResponse, start: int, origin: _Origin) -> int:
  """Returns the size of the whole file if the answer is exactly the missing rest of it."""
  found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
  same = found and origin.validator in (None, _validator(answer))
  size = int(found[2]) + 1 if found else 0
  if not same or int(found[1]) != start or found[3] not in ("*", str(size)):
    raise RangeRefused("its file changed during the transfer")
  return size


def _receive(
  answer: http.client.HTTPResponse, part: Path, start: int, size: int | None, limits: Limits
) -> str:
  if size is not None and size > limits.largest:
    raise TooLarge(f"its file has {size} bytes, more than the limit of {limits.largest}")
  digest = hashlib.sha256()
  import tqdm

  bar = tqdm.tqdm(
    **dict(total=size, initial=start, desc=part.stem, disable=None),
    **dict(unit="B", unit_scale=True, unit_divisor=1024),
  )
  with bar, open(part, "r+b") as file:
    while held := file.read(_PIECE_BYTES):
      digest.update(held)
    for piece in _pieces(answer, start, limits):
      file.write(piece)
      digest.update(piece)
      bar.update(len(piece))
    taken = file.tell()
  if size is not None and taken != size:
    raise Interrupted(f"the connection was closed after {taken} of {size} bytes")
  return digest.hexdigest()


def _pieces(answer: http.client.HTTPResponse, taken: int, limits: Limits) -> Iterator[bytes]:
  """Yields the body as it arrives, unless it is too slow or too large."""
  before, since = taken, time.monotonic()
  while piece := _read(answer, limits):
    taken += len(piece)
    if taken > limits.largest:
      raise TooLarge(f"its file has more than the limit of {limits.largest} bytes")
    yield piece
    seconds = time.monotonic() - since
    if seconds >= limits.window:
      speed = (taken - before) / seconds
      if speed < limits.slowest:
        raise Interrupted(f"{speed:.0f} bytes per second, below the minimum of {limits.slowest:g}")
      before, since = taken, time.monotonic()


def _read(answer: http.client.HTTPResponse, limits: Limits) -> bytes:
  try:
    # `read1` returns what has arrived; on a slow connection, `read` would wait for hours.
    return answer.read1(_PIECE_BYTES)
  except TimeoutError as error:
    raise Interrupted(f"no data for {limits.timeout:g} s") from error
  except (OSError, http.client.HTTPException) as error:
    raise Interrupted("the connection was closed") from error
