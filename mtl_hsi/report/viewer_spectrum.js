// Spectra of pixels, and their chart as SVG. Text enters the page as text only.
const SVG = "http://www.w3.org/2000/svg";

async function readSpectra({ text, columns }) {
  if (!text) return null;
  const bytes = await inflate(text);
  // Each byte is the difference from its left neighbour; the array itself counts modulo 256.
  for (let i = 0; i < bytes.length; i++) if (i % columns) bytes[i] += bytes[i - 1];
  return bytes;
}

// The stored spectrum nearest to a pixel, with its own row and column.
function spectrumAt({ spectra }, bytes, row, column) {
  const { step, rows, columns, low, high } = spectra;
  const nearest = (position, count) => Math.min(Math.round(position / step), count - 1);
  const [r, c] = [nearest(row, rows), nearest(column, columns)];
  const level = (band) => bytes[(band * rows + r) * columns + c] / 255;
  return { row: r * step, column: c * step, values: low.map((least, b) => least + level(b) * (high[b] - least)) };
}

function appendSvg(parent, kind, attributes, text = "") {
  const element = document.createElementNS(SVG, kind);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  parent.append(element);
}

function drawSpectrum(svg, { axis, spectra }, values) {
  const [left, right, top, bottom] = [44, 312, 8, 132], xs = axis.values;
  const [low, high] = [Math.min(spectra.usual[0], ...values), Math.max(spectra.usual[1], ...values)];
  const first = xs[0], last = xs[xs.length - 1];
  const x = (value) => left + ((value - first) / (last - first || 1)) * (right - left);
  const y = (value) => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
  const short = (value) => String(+value.toPrecision(4));
  svg.replaceChildren();
  for (const value of [low, (low + high) / 2, high]) {
    appendSvg(svg, "path", { class: "grid", d: `M${left},${y(value)}H${right}` });
    appendSvg(svg, "text", { x: left - 5, y: y(value) + 4, "text-anchor": "end" }, short(value));
  }
  for (const [value, anchor] of [[first, "start"], [last, "end"]]) {
    appendSvg(svg, "text", { x: x(value), y: bottom + 16, "text-anchor": anchor }, short(value));
  }
  const title = axis.unit ? `${axis.name} (${axis.unit})` : `${axis.name} (from 0)`;
  appendSvg(svg, "text", { x: (left + right) / 2, y: bottom + 32, "text-anchor": "middle" }, title);
  const points = values.map((value, i) => `${x(xs[i]).toFixed(1)},${y(value).toFixed(1)}`).join("L");
  appendSvg(svg, "path", { class: "line", d: `M${points}` });
}
