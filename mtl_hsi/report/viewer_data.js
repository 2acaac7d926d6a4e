"use strict";
// What the viewers of the page's scenes show, and spectra as charts. What a scene is made of stands beside each viewer
// as JSON (viewer.py, spectra.py): `pixels` and `spectra.text` are zlib streams in base64, unpacked without a canvas, since browsers that guard
// against fingerprinting falsify what is read from one. Positions are those of the maps, which may be thinned out;
// `every` leads to the scene's own rows and columns. Text goes into the page as text only.
const SVG = "http://www.w3.org/2000/svg";
const [TRAIN, TEST, NO_DATA] = [1, 2, 3];
const USES = ["none: unlabelled", "training pixel", "test pixel", "no measurement"];

async function inflate(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Arrays of the maps: places of classes from 1, 0 for none; see `_pixels` in viewer.py.
async function readPixels(scene) {
  const count = scene.height * scene.width, bytes = await inflate(scene.pixels);
  let plane = 0;
  const next = () => bytes.subarray(count * plane, count * ++plane);
  function places() {
    const low = next();
    if (scene.classes.length <= 255) return low;
    const high = next();
    return Uint16Array.from(low, (value, i) => value + 256 * high[i]);
  }
  const read = { truth: places(), prediction: places(), use: next() };
  return scene.confidence ? { ...read, share: next(), probability: next() } : read;
}

async function readSpectra({ text, columns }) {
  if (!text) return null;
  const bytes = await inflate(text);
  // Each is the difference to its left neighbour, modulo 256 as the array itself counts.
  for (let i = 0; i < bytes.length; i++) if (i % columns) bytes[i] += bytes[i - 1];
  return bytes;
}

// Colours as a canvas stores them, whatever the order of the machine's bytes.
const packed = ([red, green, blue]) => new Uint32Array(new Uint8Array([red, green, blue, 255]).buffer)[0];

function rampTable(ramp) {
  return Array.from({ length: 256 }, (_, value) => {
    const place = (value / 255) * (ramp.length - 1), start = Math.min(Math.floor(place), ramp.length - 2);
    return packed(ramp[start].map((low, i) => Math.round(low + (place - start) * (ramp[start + 1][i] - low))));
  });
}

// Colour of a pixel in every layer, 0 where nothing is shown; `shown` says so of each class.
function painters(scene, pixels, shown) {
  const classes = [0, ...scene.classes.map(({ colour }) => packed(colour))], ramp = rampTable(scene.ramp);
  const [right, wrong, training] = ["correct", "wrong", "training"].map((key) => packed(scene.errors[key]));
  const { truth, prediction, use, probability } = pixels;
  return {
    none: () => 0,
    truth: (i) => shown[truth[i]] && classes[truth[i]],
    prediction: (i) => shown[prediction[i]] && classes[prediction[i]],
    confidence: (i) => shown[prediction[i]] && ramp[probability[i]],
    errors: (i) => {
      if (!shown[truth[i]]) return 0;
      return use[i] === TRAIN ? training : use[i] !== TEST ? 0 : truth[i] === prediction[i] ? right : wrong;
    },
  };
}

const percent = (byte) => `${Math.round(byte / 2.55)} %`;
const number = (value) => String(+value.toPrecision(4));

// Row and column in the scene, and place on the ground where it is known.
function placeOf(scene, row, column) {
  [row, column] = [row * scene.every, column * scene.every];
  const text = `Row ${row}, column ${column}`;
  if (!scene.georeference) return text;
  const { transform: [a, b, c, d, e, f], crs } = scene.georeference;
  const digits = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(Math.hypot(a, d)))));
  const x = a * (column + 0.5) + b * (row + 0.5) + c, y = d * (column + 0.5) + e * (row + 0.5) + f;
  return `${text}; x ${x.toFixed(digits)}, y ${y.toFixed(digits)} (${crs})`;
}

function element(parent, kind, attributes, text = "") {
  const made = document.createElementNS(SVG, kind);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  parent.append(made);
}

// The spectrum nearest to a pixel, with the row and column that it belongs to.
function spectrumAt({ spectra }, bytes, row, column) {
  const { step, rows, columns, low, high } = spectra;
  const nearest = (place, count) => Math.min(Math.round(place / step), count - 1);
  const [r, c] = [nearest(row, rows), nearest(column, columns)];
  const level = (band) => bytes[(band * rows + r) * columns + c] / 255;
  return { row: r * step, column: c * step, values: low.map((least, b) => least + level(b) * (high[b] - least)) };
}

function drawSpectrum(svg, { axis, spectra }, values) {
  const [left, right, top, bottom] = [44, 312, 8, 132], xs = axis.values;
  const [low, high] = [Math.min(spectra.usual[0], ...values), Math.max(spectra.usual[1], ...values)];
  const first = xs[0], last = xs[xs.length - 1];
  const x = (value) => left + ((value - first) / (last - first || 1)) * (right - left);
  const y = (value) => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
  svg.replaceChildren();
  for (const value of [low, (low + high) / 2, high]) {
    element(svg, "path", { class: "grid", d: `M${left},${y(value)}H${right}` });
    element(svg, "text", { x: left - 5, y: y(value) + 4, "text-anchor": "end" }, number(value));
  }
  for (const [value, anchor] of [[first, "start"], [last, "end"]]) {
    element(svg, "text", { x: x(value), y: bottom + 16, "text-anchor": anchor }, number(value));
  }
  const title = axis.unit ? `${axis.name} (${axis.unit})` : `${axis.name} (from 0)`;
  element(svg, "text", { x: (left + right) / 2, y: bottom + 32, "text-anchor": "middle" }, title);
  const points = values.map((value, i) => `${x(xs[i]).toFixed(1)},${y(value).toFixed(1)}`).join("L");
  element(svg, "path", { class: "line", d: `M${points}` });
}
