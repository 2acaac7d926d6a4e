"""The JSON files of a run that others read: `config.json`, `scenes.json` and `metrics.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtl_hsi.errors import RequestError
from mtl_hsi.storage.json_files import read_json

# Each file has its number under "schema"; docs/schemas/ has the JSON Schemas. Any other number is refused.
SCHEMAS = {"config.json": 2, "scenes.json": 1, "metrics.json": 1}


def with_schema(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
  """Returns the content of a file with the number of its schema."""
  return {"schema": SCHEMAS[name], **record}


def read_record(directory: Path, name: str) -> dict[str, Any]:
  """Returns the content of a JSON file of a finished run, without the number of its schema.

  Raises:
    RequestError: the file is missing, damaged or malformed, or has another schema.
  """
  try:
    record = read_json(directory / name, schema=SCHEMAS[name], verified=True)
  except (FileNotFoundError, NotADirectoryError) as error:
    if directory.is_file():
      problem = "is a file; expected the work directory of a finished run"
      if directory.suffix == ".mtlhsi":
        problem = "is an exported run; expected the work directory of the run"
      raise RequestError(f"{directory.absolute()} {problem}") from error
    if not directory.is_dir():
      raise RequestError(
        f"no such directory: {directory.absolute()}; expected the work directory of a finished run"
      ) from error
    raise RequestError(
      f"{directory.absolute()} is not the work directory of a run: it has no {name}; expected the directory "
      "in which a run was trained"
    ) from error
  return {key: value for key, value in record.items() if key != "schema"}
