import io

import pytest

from mtl_hsi.runtime.spelling import Spelled, spelled

OPTIONS = {
  "output": "--output",
  "run": "RUN",
  "files.*.label_column": "--column",
  "check_only": "mtl-hsi check",
}


@pytest.mark.parametrize(
  ("text", "expected"),
  [
    ("set --config.folds=0.", "set --set folds=0."),
    ("lower --config.folds, label more", "lower --set folds=..., label more"),
    ("(--config.phases.phase1.epochs)", "(--set phases.phase1.epochs=...)"),
    ("--config.snapshots='(-4,-2,0)'", "--set snapshots='(-4,-2,0)'"),
    ("--config.<key>=<value>", "--set <key>=<value>"),
    ("give --config.files.<scene>.bands=0:9", "give --set files.<scene>.bands=0:9"),
    ("choose another --config.output or move", "choose another --output or move"),
    ("name a run with --config.run=<path>; it", "name a run with RUN; it"),
    ("add --config.files.town.label_column=<column>", "add --column=<column>"),
    ("add --config.files.<scene>.label_column=a", "add --column=a"),
    ("; --config.check_only=True shows values", "; mtl-hsi check shows values"),
    ("name it, --config=configs/own.py:a,b", "name it, --scenes=a,b"),
    (r"name it, --config=C:\configs\own.py:a", "name it, --scenes=a"),
    ("choose another --workdir", "choose another --output"),
    ("use --config.fold_buffer=&lt;pixels&gt; to", "use --set fold_buffer=&lt;pixels&gt; to"),
    ("use --workdir, or python launch.py --config.a=1", "use --output, or python launch.py --config.a=1"),
    ("config key output is ''", "--output is ''"),
    ("config key files.a.label_column is 'x'", "--column is 'x'"),
    ("config key seed is -1; unknown config key 'sede'", "key seed is -1; unknown config key 'sede'"),
    ("config key check_only is 'yes'", "key check_only is 'yes'"),
    ("the file that configs/assess_draw.py wrote", "the file that mtl-hsi assess draw wrote"),
    ("needs folds, as configs/own.py has", "needs folds, as --recipe own has"),
    ("cannot read /home/me/configs/own.py", "cannot read /home/me/configs/own.py"),
    ("--shard=1/2 and --configure stay", "--shard=1/2 and --configure stay"),
  ],
)
def test_flags_become_options(text, expected):
  assert spelled(text, OPTIONS) == expected


def test_a_stream_spells_what_is_written_and_stays_a_stream():
  under = io.StringIO()
  stream = Spelled(under, OPTIONS)
  print("use --config.seed=1", file=stream, flush=True)
  assert under.getvalue() == "use --set seed=1\n"
  assert not stream.isatty()
