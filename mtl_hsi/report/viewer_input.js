// Mouse, fingers and keys on a map canvas. `select(row, column)` and `step(rows, columns)` move the cursor.
const STEP = 1.5; // zoom by a key or button
const CLICK = 6; // a pointer that moved fewer screen pixels was a click
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const CHOICES = { l: "layer", r: "map", f: "fold", s: "scene" };
const PAN = 60; // screen pixels

function positionOnCanvas(canvas, event) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left - canvas.clientLeft, event.clientY - box.top - canvas.clientTop];
}

function listenToPointers(map, select) {
  const { canvas } = map, pointers = new Map();
  let dragged = 0;
  function selectAt(event) {
    const [column, row] = map.positionAt(...positionOnCanvas(canvas, event));
    select(Math.floor(row), Math.floor(column));
  }
  canvas.addEventListener("pointerdown", (event) => {
    if (!pointers.size) dragged = 0;
    pointers.set(event.pointerId, positionOnCanvas(canvas, event));
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId), now = positionOnCanvas(canvas, event);
    if (!before) return event.pointerType === "touch" ? undefined : selectAt(event);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, now);
    dragged += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (other) pinch(map, before, now, other);
    else map.pan(now[0] - before[0], now[1] - before[1]);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (pointers.delete(event.pointerId) && dragged < CLICK) selectAt(event);
  });
  canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
}

function pinch(map, before, now, other) {
  const distance = (position) => Math.hypot(position[0] - other[0], position[1] - other[1]);
  map.zoom(distance(now) / Math.max(distance(before), 1), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
}

function listenToWheel(map) {
  map.canvas.addEventListener("wheel", (event) => {
    // While the whole map is visible, zooming out scrolls the page.
    if (event.deltaY > 0 && !map.isZoomed) return;
    event.preventDefault();
    const pixels = clamp(event.deltaY * (event.deltaMode ? 30 : 1), -200, 200);
    map.zoom(Math.exp(-pixels / 300), ...positionOnCanvas(map.canvas, event));
  }, { passive: false });
}

// `choose(what, by)` chooses the next layer, map, fold or scene, or with Shift the one before.
function listenToKeys(map, step, choose) {
  const zoomIn = () => map.zoom(STEP), zoomOut = () => map.zoom(1 / STEP);
  const keys = { "+": zoomIn, "=": zoomIn, "-": zoomOut, 0: () => map.showWhole() };
  map.canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const arrow = ARROWS[event.key], choice = CHOICES[event.key.toLowerCase()];
    if (!arrow && !choice && !keys[event.key]) return;
    event.preventDefault();
    if (choice) choose(choice, event.shiftKey ? -1 : 1);
    else if (!arrow) keys[event.key]();
    else if (event.shiftKey) map.pan(-PAN * arrow[1], -PAN * arrow[0]);
    else step(...arrow);
  });
}
