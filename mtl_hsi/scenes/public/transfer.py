"""One attempt to bring a file here from one address; the next attempt goes on where it was cut."""

import dataclasses
import hashlib
import http.client
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import tqdm

from mtl_hsi.scenes.public.transport import Interrupted, Limits, RangeRefused, Refused, TooLarge, ask
from mtl_hsi.storage.checksums import sha256

_PIECE_BYTES = 1 << 16
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


@dataclasses.dataclass(frozen=True)
class _Origin:
  """Whose bytes a part file holds: `validator` is a strong ETag or a Last-Modified date."""

  url: str
  validator: str | None
  size: int | None


def transfer(url: str, part: Path, limits: Limits, opener: urllib.request.OpenerDirector) -> str:
  """Completes a part file by at most one request and returns its SHA-256, hexadecimal.

  Bytes that an earlier attempt got from the same address are kept if the host still has that file and
  sends the rest of it (RFC 9110, sections 13.1.5 and 14). A failure leaves what the next attempt needs.

  Raises:
    Refused: asking this address again is of no use.
    Interrupted: asking again may help.
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
  """Removes a part file and the note on its origin."""
  _note(part).unlink(missing_ok=True)
  part.unlink(missing_ok=True)


def _note(part: Path) -> Path:
  return part.with_name(f"{part.name}.json")


def _read_origin(part: Path) -> _Origin | None:
  try:
    note = json.loads(_note(part).read_text())
    return _Origin(**note) if part.exists() else None
  except (FileNotFoundError, ValueError, TypeError):
    return None


def _begin(part: Path, origin: _Origin) -> None:
  """Empties the part file before the note changes, so that the note is never of other bytes."""
  part.write_bytes(b"")
  _note(part).write_text(json.dumps(dataclasses.asdict(origin)))


def _validator(answer: http.client.HTTPResponse) -> str | None:
  tag = answer.headers.get("ETag", "W/")
  return answer.headers.get("Last-Modified") if tag.startswith("W/") else tag


def _continuation(start: int, origin: _Origin | None) -> dict[str, str]:
  if not start:
    return {}
  condition = {"If-Range": origin.validator} if origin.validator else {}
  return {"Range": f"bytes={start}-", **condition}


def _size_if_rest(answer: http.client.HTTPResponse, start: int, origin: _Origin) -> int:
  """Size of the whole file, if the answer is all that is missing of the file whose beginning is held."""
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
    raise TooLarge(f"its file has {size} bytes, {limits.largest} are the most that is taken")
  digest = hashlib.sha256()
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
    raise Interrupted(f"the connection was cut after {taken} of {size} bytes")
  return digest.hexdigest()


def _pieces(answer: http.client.HTTPResponse, taken: int, limits: Limits) -> Iterator[bytes]:
  """The body as it comes, for as long as it comes fast enough and is not too large."""
  before, since = taken, time.monotonic()
  while piece := _read(answer, limits):
    taken += len(piece)
    if taken > limits.largest:
      raise TooLarge(f"its file has more than the {limits.largest} bytes that are taken at most")
    yield piece
    seconds = time.monotonic() - since
    if seconds >= limits.window:
      speed = (taken - before) / seconds
      if speed < limits.slowest:
        raise Interrupted(f"{speed:.0f} bytes per second, less than {limits.slowest:g}")
      before, since = taken, time.monotonic()


def _read(answer: http.client.HTTPResponse, limits: Limits) -> bytes:
  try:
    # Returns what one reception brings; `read` would wait for the whole amount, on a drip for hours.
    return answer.read1(_PIECE_BYTES)
  except TimeoutError as error:
    raise Interrupted(f"no data for {limits.timeout:g} s") from error
  except (OSError, http.client.HTTPException) as error:
    raise Interrupted("the connection was cut") from error
