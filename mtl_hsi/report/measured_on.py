"""How the accuracy of a scene was measured, in words."""

from mtl_hsi.plurals import noun
from mtl_hsi.report import left_out_text
from mtl_hsi.report.run_report import SceneReport


def measured_on(report: SceneReport) -> str:
  """Returns the end of a sentence that starts with an accuracy, or a sentence if there is none."""
  if not report.scored:
    return "All labels were used for training, so no accuracy can be computed."
  if report.left_out is not None:
    return left_out_text.measured_on(report.left_out)
  tested = len(report.test)
  text = f"on {tested:,} test {noun(tested, 'pixel')}"
  if report.replicas == 1:
    return text
  return f"{text}: mean \N{PLUS-MINUS SIGN} standard deviation over {report.replicas} replicas"
