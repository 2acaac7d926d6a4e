"use strict";
// The data of the viewers. Each scene's data are JSON beside its viewer (viewer.py, viewer_planes.py, spectra.py):
// `truth`, `maps`, `agreement`, `left_out` and `spectra.text` are zlib streams in base64. They are not read from images
// through a canvas, because browsers that guard against fingerprinting falsify what is read. Positions are those of the
// maps, which may be subsampled; `stride` leads to the scene's own rows and columns.
const [TRAIN, TEST, NO_DATA] = [1, 2, 3];
const USES = ["unlabelled or unused", "training pixel", "test pixel", "no measurement"];

async function inflate(text) {
  const compressed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Returns a function that gives the next plane of a stream, and one that gives two planes as numbers of two bytes.
async function readPlanes(scene, text) {
  const count = scene.height * scene.width, bytes = await inflate(text);
  let plane = 0;
  const next = () => bytes.subarray(count * plane, count * ++plane);
  const pair = () => {
    const low = next(), high = next();
    return Uint16Array.from(low, (value, i) => value + 256 * high[i]);
  };
  // Classes are positions from 1, 0 is none.
  return { next, pair, classes: scene.classes.length <= 255 ? next : pair };
}

// Data of all maps of a scene: truth and, where known, agreement of the maps and left-out labels.
async function readScene(scene) {
  const found = { truth: (await readPlanes(scene, scene.truth)).classes() };
  if (scene.agreement) found.agreement = (await readPlanes(scene, scene.agreement)).next();
  if (!scene.left_out) return found;
  const planes = await readPlanes(scene, scene.left_out);
  return { ...found, leftOut: planes.classes(), fold: planes.pair() };
}

async function readMap(scene, number) {
  const planes = await readPlanes(scene, scene.maps[number]);
  const map = { prediction: planes.classes(), use: planes.next() };
  return scene.confidence ? { ...map, share: planes.next(), probability: planes.next() } : map;
}

// A colour in the byte order of a canvas, whatever the byte order of the machine.
const packed = ([red, green, blue]) => new Uint32Array(new Uint8Array([red, green, blue, 255]).buffer)[0];

function rampTable(ramp) {
  return Array.from({ length: 256 }, (_, value) => {
    const place = (value / 255) * (ramp.length - 1), start = Math.min(Math.floor(place), ramp.length - 2);
    return packed(ramp[start].map((low, i) => Math.round(low + (place - start) * (ramp[start + 1][i] - low))));
  });
}

// Returns functions from a pixel to its colour, one per layer, 0 for transparent. `shown` has a flag per class, and
// `fold` is that of the left-out labels, 0 for all.
function painters(scene, pixels, shown, fold) {
  const classes = [0, ...scene.classes.map(({ colour }) => packed(colour))], ramp = rampTable(scene.ramp);
  const [right, wrong, training] = ["correct", "wrong", "training"].map((key) => packed(scene.errors[key]));
  const { truth, prediction, use, probability, agreement } = pixels;
  return {
    none: () => 0,
    truth: (i) => shown[truth[i]] && classes[truth[i]],
    prediction: (i) => shown[prediction[i]] && classes[prediction[i]],
    confidence: (i) => shown[prediction[i]] && ramp[probability[i]],
    agreement: (i) => shown[prediction[i]] && ramp[agreement[i]],
    left: (i) => {
      if (!shown[truth[i]] || !pixels.fold[i] || (fold && pixels.fold[i] !== fold)) return 0;
      return truth[i] === pixels.leftOut[i] ? right : wrong;
    },
    errors: (i) => {
      if (!shown[truth[i]]) return 0;
      return use[i] === TRAIN ? training : use[i] !== TEST ? 0 : truth[i] === prediction[i] ? right : wrong;
    },
  };
}

const percent = (byte) => `${Math.round(byte / 2.55)}%`;

// The values of a pixel as texts, by the `data-show` of their places.
function describePixel(scene, pixels, i) {
  const measured = pixels.use[i] !== NO_DATA, name = (position) => (position ? scene.classes[position - 1].label : "none");
  const texts = { truth: name(pixels.truth[i]), prediction: name(pixels.prediction[i]), use: USES[pixels.use[i]] };
  if (scene.confidence) texts.confidence = measured ? percent(pixels.probability[i]) : "none";
  if (scene.votes) texts.votes = measured ? `${percent(pixels.share[i])} of the snapshots` : "none";
  if (pixels.agreement) texts.agreement = measured ? `${percent(pixels.agreement[i])} of the maps` : "none";
  if (pixels.fold) {
    const predicted = pixels.leftOut[i] ? name(pixels.leftOut[i]) : "a class that the scene lacks";
    texts.left = pixels.fold[i] ? `by fold ${pixels.fold[i]}, classified as ${predicted}` : "no";
  }
  return texts;
}

// Row and column in the scene and, with a georeference, the coordinates of the pixel's centre.
function describePosition(scene, row, column) {
  [row, column] = [row * scene.stride, column * scene.stride];
  const text = `Row ${row}, column ${column}`;
  if (!scene.georeference) return text;
  const { transform: [a, b, c, d, e, f], crs } = scene.georeference;
  const digits = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(Math.hypot(a, d)))));
  const x = a * (column + 0.5) + b * (row + 0.5) + c, y = d * (column + 0.5) + e * (row + 0.5) + f;
  return `${text}; x ${x.toFixed(digits)}, y ${y.toFixed(digits)} (${crs})`;
}
