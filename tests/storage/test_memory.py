"""Free memory, as read from simulated /proc and /sys."""

import pytest

from mtl_hsi.storage.memory import available

MACHINE = 1000 * 1024


def write(root, **files):
  for name, text in {"proc/meminfo": "MemFree: 1 kB\nMemAvailable:   1000 kB\n", **files}.items():
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def group(path, limit, use, cached=0):
  return {
    f"{path}/memory.max": f"{limit}\n",
    f"{path}/memory.current": f"{use}\n",
    f"{path}/memory.stat": f"anon 5\ninactive_file {cached}\n",
  }


def test_without_control_groups(tmp_path):
  write(tmp_path)
  assert available(tmp_path) == MACHINE


def test_this_machine_has_free_memory():
  assert available() > 0


@pytest.mark.parametrize(
  ("job", "session", "expected"),
  [
    ((5000, 2000), ("max", 9000), 3000),
    ((5000, 2000, 500), ("max", 9000), 3500),
    (("max", 2000), (2500, 2400), 100),
    ((5000, 6000), ("max", 9000), 0),
    (("max", 2000), ("max", 9000), MACHINE),
    ((2 * MACHINE, 0), ("max", 0), MACHINE),
  ],
)
def test_the_tightest_limit_of_nested_groups_applies(tmp_path, job, session, expected):
  groups = {**group("sys/fs/cgroup/a/job", *job), **group("sys/fs/cgroup/a", *session)}
  write(tmp_path, **{"proc/self/cgroup": "0::/a/job\n"}, **groups)
  assert available(tmp_path) == expected


def test_a_container_sees_only_its_group(tmp_path):
  write(tmp_path, **{"proc/self/cgroup": "0::/docker/1f\n"}, **group("sys/fs/cgroup", 5000, 1000))
  assert available(tmp_path) == 4000


def test_control_groups_of_the_first_version(tmp_path):
  job = "sys/fs/cgroup/memory/slurm/job_7"
  write(
    tmp_path,
    **{
      "proc/self/cgroup": "9:cpuset:/slurm\n4:cpu,memory:/slurm/job_7\n0::/\n",
      f"{job}/memory.limit_in_bytes": "5000\n",
      f"{job}/memory.usage_in_bytes": "3000\n",
      f"{job}/memory.stat": "inactive_file 1\ntotal_inactive_file 400\n",
    },
  )
  assert available(tmp_path) == 2400
