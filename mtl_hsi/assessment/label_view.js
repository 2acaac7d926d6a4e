// What is shown of a unit. Text enters the page as text only.
const outlinePath = (corners) => `M${corners.map((corner) => corner.join(",")).join("L")}Z`;

function drawPaths(svg, path) {
  for (const one of svg.querySelectorAll("path")) one.setAttribute("d", path);
}

// A cross with a gap in its middle, across the whole overview.
function crossPath([x, y]) {
  const gap = 0.02;
  return `M0,${y}H${x - gap}M${x + gap},${y}H1M${x},0V${y - gap}M${x},${y + gap}V1`;
}

function showUnit(root, data, i) {
  const unit = data.units[i], cells = data.rows[i], find = (selector) => root.querySelector(selector);
  find(".chip img").src = `data:image/png;base64,${unit.chip}`;
  drawPaths(find(".chip svg"), outlinePath(unit.outline));
  drawPaths(find(".overview svg"), crossPath(unit.place));
  find("[data-show=unit]").textContent = `Unit ${cells[0]} of ${data.units.length}`;
  find("[data-show=place]").textContent = data.head.slice(1).map((name, k) => `${name} ${cells[k + 1]}`).join(", ");
  const chart = find(".spectrum svg");
  if (!chart) return;
  if (unit.spectrum) drawSpectrum(chart, data, unit.spectrum);
  else chart.replaceChildren();
}

function showAnswer(root, data, answers, i) {
  const [answer, note] = answers[i], filled = answers.filter(([cell]) => cell).length;
  for (const button of root.querySelectorAll("[data-cell]")) {
    button.setAttribute("aria-pressed", String(button.dataset.cell === answer));
  }
  const field = root.querySelector("[data-note]");
  if (field.value !== note) field.value = note;
  const unsure = answers.filter(([cell]) => cell === UNSURE).length;
  root.querySelector("progress").value = filled;
  root.querySelector("[data-show=progress]").textContent =
    `${filled} of ${answers.length} filled in${unsure ? `, ${unsure} unsure` : ""}`;
}

// The sheet is what is printed.
function fillSheet(sheet, answers) {
  sheet.querySelectorAll("tbody tr").forEach((row, i) => {
    const [cell, note] = [...row.cells].slice(-2);
    [cell.textContent, note.textContent] = answers[i];
  });
}
