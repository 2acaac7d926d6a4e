// Keys, buttons, what the browser keeps, and files.
const root = document.querySelector(".labelling"), data = JSON.parse(root.querySelector("script").textContent);
const field = root.querySelector("[data-note]"), chooser = root.querySelector("input[type=file]");
const STORE = `mtl_hsi sample ${data.design}`;
let answers = data.rows.map(() => ["", ""]), current = 0;

function say(text, problem = false) {
  const line = root.querySelector(".status");
  line.textContent = text;
  line.classList.toggle("problem", problem);
}

function restore() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE) ?? "[]"), cells = new Set(data.classes.map(({ cell }) => cell));
    kept.slice(0, answers.length).forEach(([cell, note], i) => {
      answers[i] = [cells.has(cell) || cell === UNSURE ? cell : "", String(note)];
    });
  } catch {
    say("This browser does not keep answers: save the table (s) before you close the page.", true);
  }
}

function keep() {
  try {
    localStorage.setItem(STORE, JSON.stringify(answers));
  } catch {
    say("This browser does not keep answers: save the table (s) before you close the page.", true);
  }
}

function go(i) {
  current = Math.min(Math.max(i, 0), answers.length - 1);
  showUnit(root, data, current);
  showAnswer(root, data, answers, current);
}

function answer(cell) {
  answers[current][0] = cell;
  const label = data.classes.find((one) => one.cell === cell)?.label ?? (cell ? "cannot tell" : "no answer");
  say(`Unit ${current + 1}: ${label}`);
  keep();
  go(cell ? current + 1 : current);
}

// The next unit without an answer, then the first one.
function unfilled() {
  const empty = (i) => !answers[i][0], after = answers.findIndex((_, i) => i > current && empty(i));
  const found = after < 0 ? answers.findIndex((_, i) => empty(i)) : after;
  if (found < 0) say("Every unit has an answer. Save the table (s).");
  else go(found);
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([writeTable(data, answers)], { type: "text/csv" }));
  link.download = data.table;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  say(`Saved as ${data.table}, where this browser puts downloads.`);
}

async function load(file) {
  try {
    if (file.size > MOST_BYTES) throw new Error("It is too large for a sample.");
    const found = readTable(data, await file.text());
    let filled = 0, replaced = 0;
    for (const [i, [cell, note]] of found) {
      filled += cell !== "";
      replaced += cell !== "" && answers[i][0] !== "" && answers[i][0] !== cell;
      // What the table leaves empty stays as it is.
      answers[i] = [cell || answers[i][0], note || answers[i][1]];
    }
    say(`${file.name}: ${filled} ${filled === 1 ? "answer" : "answers"} loaded${replaced ? `, ${replaced} of them in place of others` : ""}.`);
    keep();
    go(current);
  } catch (error) {
    say(`${file.name} was not loaded. ${error.message}`, true);
  }
}

const ACTIONS = {
  previous: () => go(current - 1), next: () => go(current + 1), first: () => go(0), last: () => go(answers.length - 1),
  unfilled, save, load: () => chooser.click(), clear: () => answer(""), note: () => field.focus(),
};
const KEYS = {
  ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last", Delete: "clear", Backspace: "clear",
  u: "unfilled", s: "save", l: "load", e: "note",
};

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target === field) {
    if (event.key === "Enter" || event.key === "Escape") field.blur();
    return;
  }
  const cell = event.key === UNSURE ? UNSURE : data.classes.find(({ key }) => key && key === event.key)?.cell;
  if (cell === undefined && !(event.key in KEYS)) return;
  event.preventDefault();
  if (cell === undefined) ACTIONS[KEYS[event.key]]();
  else if (!event.repeat) answer(cell);
}

root.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) button.dataset.do ? ACTIONS[button.dataset.do]() : answer(button.dataset.cell);
});
document.addEventListener("keydown", pressed);
field.addEventListener("input", () => {
  answers[current][1] = field.value;
  keep();
});
chooser.addEventListener("change", () => {
  if (chooser.files.length) load(chooser.files[0]);
  // The same file can be chosen again.
  chooser.value = "";
});
addEventListener("beforeprint", () => fillSheet(document.querySelector(".sheet"), answers));
root.hidden = false;
restore();
go(0);
if (answers[0][0]) unfilled();
