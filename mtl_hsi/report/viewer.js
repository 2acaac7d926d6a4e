// The viewer of a scene: layers, opacity, legend, and what is known of the pixel at the cursor.
class Viewer {
  constructor(root, scene, pixels, spectra) {
    Object.assign(this, { root, scene, pixels, spectra });
    this.layer = "prediction";
    this.shown = new Array(scene.classes.length + 1).fill(true);
    this.painters = painters(scene, pixels, this.shown);
    this.map = new MapCanvas(this.find("canvas"), root.parentElement.querySelector(".maps img"), scene);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  all(selector) {
    return this.root.querySelectorAll(selector);
  }

  start() {
    this.listen();
    this.root.hidden = false;
    this.root.classList.add("viewing");
    const resize = () => this.map.resize();
    resize();
    this.setOpacity();
    this.paint();
    new ResizeObserver(resize).observe(this.map.canvas.parentElement);
    window.addEventListener("resize", resize);
  }

  listen() {
    const { map } = this;
    listenToPointers(map, (row, column) => this.select(row, column));
    listenToWheel(map);
    listenToKeys(map, (rows, columns) => this.step(rows, columns));
    const actions = {
      in: () => map.zoom(STEP), out: () => map.zoom(1 / STEP), whole: () => map.showWhole(),
      all: () => this.showClasses(true), no: () => this.showClasses(false),
    };
    for (const button of this.all("button")) {
      const position = +button.dataset.class;
      const action = position ? () => this.toggleClass(position) : actions[button.dataset.do];
      button.addEventListener("click", action);
    }
    for (const radio of this.all("input[type=radio]")) {
      // Browsers keep the choice when a page is reloaded.
      if (radio.checked) this.layer = radio.value;
      radio.addEventListener("change", () => { this.layer = radio.value; this.paint(); });
    }
    this.find("input[type=range]").addEventListener("input", () => this.setOpacity());
  }

  paint() {
    const colour = this.painters[this.layer], { use } = this.pixels;
    this.map.paint((i) => use[i] === NO_DATA ? 0 : colour(i));
    for (const key of this.all(".key")) key.hidden = key.dataset.key !== this.layer;
  }

  setOpacity() {
    const { value } = this.find("input[type=range]");
    this.find("output").textContent = `${value}%`;
    this.map.opacity = value / 100;
    this.map.draw();
  }

  showClasses(shown) {
    this.shown.fill(shown, 1);
    this.updateClasses();
  }

  toggleClass(position) {
    this.shown[position] = !this.shown[position];
    this.updateClasses();
  }

  updateClasses() {
    for (const button of this.all(".class")) button.setAttribute("aria-pressed", this.shown[+button.dataset.class]);
    this.paint();
  }

  step(rows, columns) {
    const { cursor, height, width } = this.map;
    if (cursor.row < 0) return this.select(Math.floor(height / 2), Math.floor(width / 2));
    this.select(clamp(cursor.row + rows, 0, height - 1), clamp(cursor.column + columns, 0, width - 1));
    this.map.followCursor();
  }

  select(row, column) {
    const { height, width, cursor } = this.map, { scene, pixels } = this;
    if (row < 0 || column < 0 || row >= height || column >= width) return;
    Object.assign(cursor, { row, column });
    const i = row * width + column, measured = pixels.use[i] !== NO_DATA;
    const name = (position) => (position ? scene.classes[position - 1].label : "none");
    const texts = { truth: name(pixels.truth[i]), prediction: name(pixels.prediction[i]), use: USES[pixels.use[i]] };
    if (scene.confidence) texts.confidence = measured ? percent(pixels.probability[i]) : "none";
    if (scene.votes) texts.votes = measured ? `${percent(pixels.share[i])} of the snapshots` : "none";
    for (const [key, text] of Object.entries(texts)) this.find(`[data-show=${key}]`).textContent = text;
    // One line for screen readers.
    this.find(".place").textContent = `${describePosition(scene, row, column)}: ${texts.prediction}`;
    this.find(".inspector dl").hidden = false;
    this.showSpectrum(row, column, measured);
    this.map.draw();
  }

  showSpectrum(row, column, measured) {
    const svg = this.find(".inspector svg"), note = this.find(".from"), { scene, spectra } = this;
    const available = spectra && measured;
    svg.toggleAttribute("hidden", !available);
    note.hidden = true;
    if (!available) return;
    const nearest = spectrumAt(scene, spectra, row, column);
    const source = `row ${nearest.row * scene.stride}, column ${nearest.column * scene.stride}`;
    svg.setAttribute("aria-label", `Spectrum of ${source}`);
    note.textContent = `Spectrum of ${source}, the nearest one stored.`;
    note.hidden = nearest.row === row && nearest.column === column;
    drawSpectrum(svg, scene, nearest.values);
  }
}

async function startViewer(root) {
  const scene = JSON.parse(root.querySelector("script").textContent);
  const image = root.parentElement.querySelector(".maps img");
  const [pixels, spectra] = await Promise.all([readPixels(scene), readSpectra(scene.spectra), image.decode()]);
  new Viewer(root, scene, pixels, spectra).start();
}

// Browsers that cannot inflate the data show the plain maps instead of the viewers.
if (typeof DecompressionStream === "function") {
  for (const root of document.querySelectorAll(".viewer")) startViewer(root).catch((error) => console.error(error));
}
