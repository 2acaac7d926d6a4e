// The viewer of a scene: layers, maps, opacity, legend, and the values of the pixel at the cursor.
class Viewer {
  constructor(root, scene, pixels, spectra) {
    Object.assign(this, { root, scene, pixels, spectra });
    this.layer = "prediction";
    this.fold = 0;
    this.shown = new Array(scene.classes.length + 1).fill(true);
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
    listenToKeys(map, (rows, columns) => this.step(rows, columns), (what, by) => this.chooseNext(what, by));
    const actions = {
      in: () => map.zoom(STEP), out: () => map.zoom(1 / STEP), whole: () => map.showWhole(),
      all: () => this.showClasses(true), no: () => this.showClasses(false), save: () => this.savePicture(),
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
    const [ofMap, ofFold] = ["map", "fold"].map((key) => this.find(`[data-choose=${key}]`));
    ofMap?.addEventListener("change", () => this.chooseMap(+ofMap.value));
    ofFold?.addEventListener("change", () => this.chooseFold(+ofFold.value));
    if (ofMap && +ofMap.value) this.chooseMap(+ofMap.value);
    if (ofFold) this.fold = +ofFold.value;
  }

  // Selects the layer, map or fold `by` places after the current one through its control; or the next scene.
  chooseNext(what, by) {
    if (what === "scene") return chooseNextScene(this.root, by);
    const control = this.find(`[data-choose=${what}]`), radios = [...this.all("input[type=radio]")];
    const count = what === "layer" ? radios.length : control?.options.length;
    if (!count) return;
    const now = what === "layer" ? radios.findIndex(({ checked }) => checked) : control.selectedIndex;
    const next = (now + by + count) % count;
    if (what === "layer") return radios[next].click();
    control.selectedIndex = next;
    control.dispatchEvent(new Event("change"));
  }

  async chooseMap(number) {
    this.number = number;
    const map = await readMap(this.scene, number);
    if (this.number !== number) return; // another one was chosen in the meantime
    Object.assign(this.pixels, map);
    this.paint();
    if (this.map.cursor.row >= 0) this.select(this.map.cursor.row, this.map.cursor.column);
  }

  chooseFold(fold) {
    this.fold = fold;
    this.find("input[value=left]").click();
    this.paint();
  }

  paint() {
    const colour = painters(this.scene, this.pixels, this.shown, this.fold)[this.layer], { use } = this.pixels;
    this.map.paint((i) => use[i] === NO_DATA ? 0 : colour(i));
    for (const key of this.all(".key")) key.hidden = !key.dataset.key.split(" ").includes(this.layer);
    this.showShares();
  }

  // The share of every class in the pixels with a measurement.
  showShares() {
    const { prediction, use } = this.pixels, counts = new Array(this.shown.length).fill(0);
    let measured = 0;
    for (let i = 0; i < use.length; i++) if (use[i] !== NO_DATA) { counts[prediction[i]]++; measured++; }
    for (const button of this.all(".class")) {
      const count = counts[+button.dataset.class], share = (100 * count) / Math.max(measured, 1);
      button.querySelector(".share").textContent = count && share < 0.05 ? "<0.1%" : `${share.toFixed(1)}%`;
    }
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
    const { height, width, cursor } = this.map, { scene } = this;
    if (row < 0 || column < 0 || row >= height || column >= width) return;
    Object.assign(cursor, { row, column });
    const i = row * width + column, texts = describePixel(scene, this.pixels, i);
    for (const [key, text] of Object.entries(texts)) this.find(`[data-show=${key}]`).textContent = text;
    // One line for screen readers.
    this.find(".place").textContent = `${describePosition(scene, row, column)}: ${texts.prediction}`;
    this.find(".inspector dl").hidden = false;
    this.showSpectrum(row, column, this.pixels.use[i] !== NO_DATA);
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

  // Saves the visible part of the map, with cursor and scale bar.
  savePicture() {
    this.map.canvas.toBlob((blob) => saveFile(blob, `${this.scene.name}_${this.layer}_view.png`));
  }
}

async function startViewer(root) {
  const scene = JSON.parse(root.querySelector("script").textContent);
  const image = root.parentElement.querySelector(".maps img");
  const parts = [readScene(scene), readMap(scene, 0), readSpectra(scene.spectra), image.decode()];
  const [ofScene, ofMap, spectra] = await Promise.all(parts);
  new Viewer(root, scene, { ...ofScene, ...ofMap }, spectra).start();
}

// Browsers that cannot inflate the data show the plain maps instead of the viewers.
if (typeof DecompressionStream === "function") {
  for (const root of document.querySelectorAll(".viewer")) startViewer(root).catch((error) => console.error(error));
}
