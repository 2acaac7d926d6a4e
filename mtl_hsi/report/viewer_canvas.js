// A map on a canvas: an image, a layer of colours over it and a cursor, with zoom and pan.
const LARGEST = 48; // screen pixels per map pixel at the largest zoom, or four times the zoom of the whole map

class MapCanvas {
  constructor(canvas, image, scene) {
    const { height, width } = scene;
    Object.assign(this, { canvas, scene });
    this.context = canvas.getContext("2d");
    this.image = image;
    [this.height, this.width] = [height, width];
    this.layer = Object.assign(document.createElement("canvas"), { width, height });
    this.opacity = 0.8;
    this.cursor = { row: -1, column: -1 };
    // Screen pixels per map pixel, and the map position at the upper left corner of the canvas.
    [this.scale, this.x, this.y] = [0, 0, 0];
    this.size = { width: 1, height: 1 };
  }

  get wholeScale() {
    return Math.min(this.size.width / this.width, this.size.height / this.height);
  }

  get isZoomed() {
    return this.scale > 1.001 * this.wholeScale;
  }

  limitScale(scale) {
    return clamp(scale, this.wholeScale, Math.max(LARGEST, 4 * this.wholeScale));
  }

  // Paints the layer with a function from a pixel to its colour.
  paint(colour) {
    const image = new ImageData(this.width, this.height), colours = new Uint32Array(image.data.buffer);
    for (let i = 0; i < colours.length; i++) colours[i] = colour(i);
    this.layer.getContext("2d").putImageData(image, 0, 0);
    this.draw();
  }

  draw() {
    const { context, scale, size } = this, ratio = this.canvas.width / size.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    context.imageSmoothingEnabled = scale < 1;
    const target = [-this.x * scale, -this.y * scale, this.width * scale, this.height * scale];
    context.globalAlpha = 1;
    context.drawImage(this.image, ...target);
    context.globalAlpha = this.opacity;
    context.drawImage(this.layer, ...target);
    context.globalAlpha = 1;
    if (this.cursor.row >= 0) this.drawCursor();
    const bar = scaleBar(this.scene, this.y + size.height / scale / 2, scale, size.width);
    if (bar) drawScaleBar(context, bar, size.height);
  }

  drawCursor() {
    const { context, cursor, scale } = this, side = Math.max(scale, 7);
    const start = (position, from) => (position + 0.5 - from) * scale - side / 2;
    for (const [colour, line] of [["#000", 3], ["#fff", 1.2]]) {
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.strokeRect(start(cursor.column, this.x), start(cursor.row, this.y), side, side);
    }
  }

  // A map smaller than the canvas is centred; a larger one fills it.
  settle() {
    this.scale = this.limitScale(this.scale);
    const bounded = (from, length, seen) => seen >= length ? (length - seen) / 2 : clamp(from, 0, length - seen);
    this.x = bounded(this.x, this.width, this.size.width / this.scale);
    this.y = bounded(this.y, this.height, this.size.height / this.scale);
    // While the whole map is visible, one finger scrolls the page.
    this.canvas.style.touchAction = this.isZoomed ? "none" : "pan-y";
    this.draw();
  }

  // Zooms by a factor around a position on the canvas.
  zoom(factor, x = this.size.width / 2, y = this.size.height / 2) {
    const [column, row] = this.positionAt(x, y);
    this.scale = this.limitScale(this.scale * factor);
    [this.x, this.y] = [column - x / this.scale, row - y / this.scale];
    this.settle();
  }

  showWhole() {
    this.zoom(0);
  }

  pan(x, y) {
    this.x -= x / this.scale;
    this.y -= y / this.scale;
    this.settle();
  }

  // Moves the map so that the cursor is visible.
  followCursor() {
    const follow = (from, seen, position) => clamp(from, position + 1 - seen, position);
    this.x = follow(this.x, this.size.width / this.scale, this.cursor.column);
    this.y = follow(this.y, this.size.height / this.scale, this.cursor.row);
    this.settle();
  }

  resize() {
    const wasZoomed = this.isZoomed, width = this.canvas.clientWidth;
    if (!width) return; // not displayed, as in print
    const height = Math.round(Math.min(Math.max((width * this.height) / this.width, 180), 0.75 * window.innerHeight));
    this.size = { width, height };
    this.canvas.style.height = `${height + 2}px`;
    const ratio = window.devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (!wasZoomed) this.scale = 0;
    this.settle();
  }

  // Column and row of the map at a position on the canvas, as fractions.
  positionAt(x, y) {
    return [this.x + x / this.scale, this.y + y / this.scale];
  }
}
