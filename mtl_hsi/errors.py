"""The error for requests that cannot be carried out."""


class RequestError(Exception):
  """Raised if a request cannot be carried out; its message is all that the user sees.

  The message is one line: what was wrong and where (file, key, scene), what was
  expected, and what to do. `launch.py` and `mtl-hsi` print it without a traceback
  and exit with status 2.
  """
