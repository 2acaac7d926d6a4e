// The scale bar of a map: a round length on the ground, at most a quarter of the width.
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const LONGEST_BAR = 160; // screen pixels

// Metres from one column of the map to the next at a row, from those at equal distances of rows; see ground_scale.py.
function metresAt(scene, row) {
  const { metres, height, stride } = scene, place = clamp(row / height, 0, 1) * (metres.length - 1);
  const start = Math.min(Math.floor(place), Math.max(metres.length - 2, 0)), end = Math.min(start + 1, metres.length - 1);
  return stride * (metres[start] + (place - start) * (metres[end] - metres[start]));
}

// The largest 1, 2 or 5 times a power of ten that is no longer than the limit.
function roundLength(limit) {
  const power = 10 ** Math.floor(Math.log10(limit));
  return power * [5, 2, 1].find((digit) => digit * power <= limit * 1.0001);
}

const lengthText = (metres) => (metres >= 1000 ? `${+(metres / 1000).toPrecision(1)} km` : `${+metres.toPrecision(1)} m`);

// Length in metres and in screen pixels of the bar, or null if the scale is not known.
function scaleBar(scene, row, scale, width) {
  const metres = scene.metres.length ? metresAt(scene, row) / scale : 0; // per screen pixel
  if (!(metres > 1e-6)) return null;
  const length = roundLength(metres * Math.min(LONGEST_BAR, width / 4));
  return { text: lengthText(length), pixels: length / metres };
}

function drawScaleBar(context, { text, pixels }, height) {
  const [x, y] = [12, height - 12];
  context.lineJoin = "round";
  context.font = "600 12px system-ui, sans-serif";
  for (const [colour, line] of [["#000", 4], ["#fff", 2]]) {
    [context.strokeStyle, context.lineWidth] = [colour, line];
    context.beginPath();
    context.moveTo(x, y - 6);
    context.lineTo(x, y);
    context.lineTo(x + pixels, y);
    context.lineTo(x + pixels, y - 6);
    context.stroke();
  }
  [context.strokeStyle, context.lineWidth, context.fillStyle] = ["#000", 3, "#fff"];
  context.strokeText(text, x + 5, y - 6);
  context.fillText(text, x + 5, y - 6);
}
