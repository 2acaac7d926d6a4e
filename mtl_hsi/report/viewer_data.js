"use strict";
// The data of the viewers. Each scene's data are JSON beside its viewer (viewer.py, spectra.py): `pixels` and
// `spectra.text` are zlib streams in base64. They are not read from images through a canvas, because browsers that
// guard against fingerprinting falsify what is read. Positions are those of the maps, which may be thinned out;
// `stride` leads to the scene's own rows and columns.
const [TRAIN, TEST, NO_DATA] = [1, 2, 3];
const USES = ["unlabelled or unused", "training pixel", "test pixel", "no measurement"];

async function inflate(text) {
  const compressed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Returns one array per map; see `_pixels` in viewer.py. Classes are positions from 1, 0 is none.
async function readPixels(scene) {
  const count = scene.height * scene.width, bytes = await inflate(scene.pixels);
  let plane = 0;
  const next = () => bytes.subarray(count * plane, count * ++plane);
  function classes() {
    const low = next();
    if (scene.classes.length <= 255) return low;
    const high = next();
    return Uint16Array.from(low, (value, i) => value + 256 * high[i]);
  }
  const maps = { truth: classes(), prediction: classes(), use: next() };
  return scene.confidence ? { ...maps, share: next(), probability: next() } : maps;
}

// A colour in the byte order of a canvas, whatever the byte order of the machine.
const packed = ([red, green, blue]) => new Uint32Array(new Uint8Array([red, green, blue, 255]).buffer)[0];

function rampTable(ramp) {
  return Array.from({ length: 256 }, (_, value) => {
    const place = (value / 255) * (ramp.length - 1), start = Math.min(Math.floor(place), ramp.length - 2);
    return packed(ramp[start].map((low, i) => Math.round(low + (place - start) * (ramp[start + 1][i] - low))));
  });
}

// Returns functions from a pixel to its colour, one per layer, 0 for transparent. `shown` has a flag per class.
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

const percent = (byte) => `${Math.round(byte / 2.55)}%`;

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
