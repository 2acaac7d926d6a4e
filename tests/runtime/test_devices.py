import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtl_hsi.runtime import devices

ROOT = Path(__file__).parents[2]

CONFIGURE = """
import json, os, sys
from pathlib import Path

import pytest
from mtl_hsi.runtime import devices
devices._ACCELERATORS = (sys.argv[2],)
devices.configure(Path(sys.argv[1]), networks=int(sys.argv[3]))
import jax
platforms = jax.config.jax_platforms
jax.config.update("jax_platforms", "cpu")
jax.block_until_ready(jax.jit(lambda x: x + 1)(1.0))
print(
  json.dumps(
    {
      "platforms": platforms,
      "devices": len(jax.devices()),
      "cores": devices.usable_cores(),
      "flags": os.environ.get("XLA_FLAGS", ""),
    }
  )
)
"""


def configure(cache: Path, accelerator: str = "/nowhere", networks: int = 1, **variables: str) -> dict:
  """Returns what `configure` does in a new process, in which JAX has not been initialised."""
  inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_"))}
  command = [sys.executable, "-c", CONFIGURE, str(cache), accelerator, str(networks)]
  result = subprocess.run(
    command, cwd=ROOT, env={**inherited, **variables}, capture_output=True, text=True, check=True
  )
  assert result.stderr == ""
  return json.loads(result.stdout)


def test_without_an_accelerator_every_core_is_a_device(tmp_path):
  settled = configure(tmp_path / "cache")
  assert settled["platforms"] == "cpu"
  assert settled["devices"] == settled["cores"]
  assert list((tmp_path / "cache").glob("jit__lambda-*")), "the program was not cached"


def test_with_an_accelerator_jax_chooses(tmp_path):
  assert configure(tmp_path, accelerator=os.devnull)["platforms"] is None


def test_environment_variables_take_precedence(tmp_path):
  settled = configure(
    tmp_path / "ours",
    JAX_PLATFORMS="cpu",
    JAX_NUM_CPU_DEVICES="3",
    JAX_COMPILATION_CACHE_DIR=str(tmp_path / "theirs"),
  )
  assert settled["devices"] == 3
  assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_each_network_uses_one_core_if_there_are_enough_networks(tmp_path):
  cores = devices.usable_cores()
  alone = configure(tmp_path, networks=cores, XLA_FLAGS="--xla_cpu_enable_fast_math=false")
  assert alone["flags"] == "--xla_cpu_multi_thread_eigen=false --xla_cpu_enable_fast_math=false"
  assert cores == 1 or "eigen" not in configure(tmp_path, networks=cores - 1, XLA_FLAGS="")["flags"]


def test_a_truncated_cache_entry_is_recompiled_without_a_warning(tmp_path):
  configure(tmp_path)
  for entry in tmp_path.glob("*-cache"):
    entry.write_bytes(entry.read_bytes()[:10])
  configure(tmp_path)


@pytest.mark.parametrize("named", ["cuda", "nonsense"])
def test_a_missing_backend_is_one_line(named):
  code = "from mtl_hsi.runtime import devices\ndevices.check_backend()"
  done = subprocess.run(
    [sys.executable, "-c", code],
    cwd=ROOT,
    env=os.environ | {"JAX_PLATFORMS": named},
    capture_output=True,
    text=True,
  )
  *_, last = done.stderr.splitlines()
  assert last.startswith(f"mtl_hsi.errors.RequestError: JAX cannot use the backend '{named}'")
  assert "unset JAX_PLATFORMS or set it to cpu" in last
