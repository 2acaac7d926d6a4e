"""The error that speaks to the person at the keyboard."""


class RequestError(Exception):
  """Something asked for cannot be done; the message is all the user sees.

  The message is one line: what was wrong, where (file, key, scene), what was
  expected and what to do. `launch.py` prints it without a traceback and exits
  with status 2.
  """
