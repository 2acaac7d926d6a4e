// What a scene's viewer does: layers, opacity, zoom, cursor, legend. Runs after viewer_data.js, in the same script.
const LARGEST = 48; // screen pixels that one pixel may be magnified to, or four times what the whole map takes
const STEP = 1.5; // a zoom by key or button

async function start(root) {
  const find = (selector) => root.querySelector(selector), all = (selector) => [...root.querySelectorAll(selector)];
  const scene = JSON.parse(find("script").textContent);
  const [pixels, bytes] = await Promise.all([readPixels(scene), readSpectra(scene.spectra)]);
  const { height, width, classes } = scene;
  const base = root.parentElement.querySelector(".maps img");
  await base.decode();
  const shown = new Array(classes.length + 1).fill(true), paint = painters(scene, pixels, shown);
  const canvas = find("canvas"), context = canvas.getContext("2d");
  const upper = Object.assign(document.createElement("canvas"), { width, height });
  const cursor = { row: -1, column: -1 };
  // Screen pixels of a map pixel, and the map's position at the canvas's upper left corner.
  const view = { scale: 0, x: 0, y: 0 };
  let size = { width: 1, height: 1 }, layer = "prediction", opacity = 0.8;

  const whole = () => Math.min(size.width / width, size.height / height);
  const limited = (scale) => Math.min(Math.max(scale, whole()), Math.max(LARGEST, 4 * whole()));
  const zoomed = () => view.scale > 1.001 * whole();
  const named = (place) => (place ? classes[place - 1].label : "none");

  function paintUpper() {
    const image = new ImageData(width, height), colours = new Uint32Array(image.data.buffer), colour = paint[layer];
    for (let i = 0; i < colours.length; i++) colours[i] = pixels.use[i] === NO_DATA ? 0 : colour(i);
    upper.getContext("2d").putImageData(image, 0, 0);
    for (const key of all(".key")) key.hidden = key.dataset.key !== layer;
    draw();
  }

  function draw() {
    const ratio = canvas.width / size.width, { scale } = view;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    context.imageSmoothingEnabled = scale < 1;
    const target = [-view.x * scale, -view.y * scale, width * scale, height * scale];
    context.globalAlpha = 1;
    context.drawImage(base, ...target);
    context.globalAlpha = opacity;
    context.drawImage(upper, ...target);
    context.globalAlpha = 1;
    if (cursor.row < 0) return;
    const side = Math.max(scale, 7), middle = (place, from) => (place + 0.5 - from) * scale - side / 2;
    for (const [colour, line] of [["#000", 3], ["#fff", 1.2]]) {
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.strokeRect(middle(cursor.column, view.x), middle(cursor.row, view.y), side, side);
    }
  }

  // A map smaller than the canvas stands in its middle; a larger one fills it.
  function settle() {
    view.scale = limited(view.scale);
    const bounded = (from, length, seen) =>
      seen >= length ? (length - seen) / 2 : Math.min(Math.max(from, 0), length - seen);
    view.x = bounded(view.x, width, size.width / view.scale);
    view.y = bounded(view.y, height, size.height / view.scale);
    // One finger scrolls the page past a map that is seen whole.
    canvas.style.touchAction = zoomed() ? "none" : "pan-y";
    draw();
  }

  function zoom(factor, x = size.width / 2, y = size.height / 2) {
    const [column, row] = [view.x + x / view.scale, view.y + y / view.scale];
    view.scale = limited(view.scale * factor);
    [view.x, view.y] = [column - x / view.scale, row - y / view.scale];
    settle();
  }

  function pan(x, y) {
    view.x -= x / view.scale;
    view.y -= y / view.scale;
    settle();
  }

  function resize() {
    const seen = zoomed(), wide = canvas.clientWidth;
    if (!wide) return; // not displayed, as in print
    const high = Math.round(Math.min(Math.max((wide * height) / width, 180), 0.75 * window.innerHeight));
    size = { width: wide, height: high };
    canvas.style.height = `${high + 2}px`;
    const ratio = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [Math.round(wide * ratio), Math.round(high * ratio)];
    if (!seen) view.scale = 0;
    settle();
  }

  function select(row, column) {
    if (row < 0 || column < 0 || row >= height || column >= width) return;
    Object.assign(cursor, { row, column });
    const i = row * width + column, place = placeOf(scene, row, column), measured = pixels.use[i] !== NO_DATA;
    const texts = { truth: named(pixels.truth[i]), prediction: named(pixels.prediction[i]), use: USES[pixels.use[i]] };
    if (scene.confidence) texts.confidence = measured ? percent(pixels.probability[i]) : "none";
    if (scene.votes) texts.votes = measured ? `${percent(pixels.share[i])} of the snapshots` : "none";
    for (const [key, text] of Object.entries(texts)) find(`[data-show=${key}]`).textContent = text;
    // One line for who hears the page instead of seeing it.
    find(".place").textContent = `${place}: ${texts.prediction}`;
    find(".inspector dl").hidden = false;
    showSpectrum(row, column, measured);
    draw();
  }

  function showSpectrum(row, column, measured) {
    const svg = find(".inspector svg"), from = find(".from");
    svg.toggleAttribute("hidden", !bytes || !measured);
    if (!bytes || !measured) return;
    const nearest = spectrumAt(scene, bytes, row, column);
    const source = `row ${nearest.row * scene.every}, column ${nearest.column * scene.every}`;
    svg.setAttribute("aria-label", `Spectrum of ${source}`);
    from.textContent = `Spectrum of ${source}, the nearest one kept.`;
    from.hidden = nearest.row === row && nearest.column === column;
    drawSpectrum(svg, scene, nearest.values);
  }

  function step(rows, columns) {
    if (cursor.row < 0) return select(Math.floor(height / 2), Math.floor(width / 2));
    select(Math.min(Math.max(cursor.row + rows, 0), height - 1), Math.min(Math.max(cursor.column + columns, 0), width - 1));
    // The view follows.
    const follow = (from, seen, place) => Math.min(Math.max(from, place + 1 - seen), place);
    view.x = follow(view.x, size.width / view.scale, cursor.column);
    view.y = follow(view.y, size.height / view.scale, cursor.row);
    settle();
  }

  const inside = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left - canvas.clientLeft, event.clientY - box.top - canvas.clientTop];
  };
  const point = (event) => {
    const [x, y] = inside(event);
    select(Math.floor(view.y + y / view.scale), Math.floor(view.x + x / view.scale));
  };

  const fingers = new Map();
  let dragged = 0;
  canvas.addEventListener("pointerdown", (event) => {
    if (!fingers.size) dragged = 0;
    fingers.set(event.pointerId, inside(event));
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId), now = inside(event);
    if (!before) return event.pointerType === "touch" ? undefined : point(event);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, now);
    dragged += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (!other) return pan(now[0] - before[0], now[1] - before[1]);
    const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]);
    zoom(apart(now) / Math.max(apart(before), 1), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (fingers.delete(event.pointerId) && dragged < 6) point(event);
  });
  canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("wheel", (event) => {
    // At its smallest the map lets the page scroll on.
    if (event.deltaY > 0 && !zoomed()) return;
    event.preventDefault();
    zoom(Math.exp(-Math.min(Math.max(event.deltaY * (event.deltaMode ? 30 : 1), -200), 200) / 300), ...inside(event));
  }, { passive: false });

  const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const actions = { in: () => zoom(STEP), out: () => zoom(1 / STEP), whole: () => zoom(0) };
  const keys = { "+": actions.in, "=": actions.in, "-": actions.out, 0: actions.whole };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    if (!arrow && !keys[event.key]) return;
    event.preventDefault();
    if (!arrow) keys[event.key]();
    else if (event.shiftKey) pan(-60 * arrow[1], -60 * arrow[0]);
    else step(...arrow);
  });

  function show(places, value) {
    for (const button of all(".class")) {
      const place = +button.dataset.class;
      if (places(place)) shown[place] = value(shown[place]);
      button.setAttribute("aria-pressed", shown[place]);
    }
    paintUpper();
  }
  actions.all = () => show(() => true, () => true);
  actions.no = () => show(() => true, () => false);
  for (const button of all("button")) {
    const own = +button.dataset.class;
    button.addEventListener("click", own ? () => show((place) => place === own, (on) => !on) : actions[button.dataset.do]);
  }
  for (const radio of all("input[type=radio]")) {
    // Browsers keep the choice when a page is loaded again.
    if (radio.checked) layer = radio.value;
    radio.addEventListener("change", () => { layer = radio.value; paintUpper(); });
  }
  const slider = find("input[type=range]");
  const slide = () => {
    opacity = slider.value / 100;
    find("output").textContent = `${slider.value} %`;
    draw();
  };
  slider.addEventListener("input", slide);

  root.hidden = false;
  root.classList.add("viewing");
  resize();
  slide();
  paintUpper();
  new ResizeObserver(resize).observe(canvas.parentElement);
  window.addEventListener("resize", resize);
}

// Without a way to unpack them the viewers stay hidden, and the maps below are seen.
if (typeof DecompressionStream === "function") {
  for (const root of document.querySelectorAll(".viewer")) start(root).catch((error) => console.error(error));
}
