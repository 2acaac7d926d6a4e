// Buttons that copy texts and tables, and save tables and pictures. The script creates them, because they need it.
const FORMULA = /^\s*['=+\-@\uff1d\uff0b\uff0d\uff20]/;

function addButton(parent, text, action) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  button.addEventListener("click", action);
  parent.append(button);
}

function addTools(after) {
  const tools = document.createElement("p");
  tools.className = "tools";
  after.after(tools);
  return tools;
}

function saveFile(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  // The browser reads the file after this.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Some browsers do not allow it for pages that were opened from disk.
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const before = button.textContent;
  if (before === "Copied") return;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1500);
}

// The text of a cell: numbers without separators, and no text that a spreadsheet would execute as a formula.
function cellText(cell) {
  const text = cell.innerText.replace(/\s+/g, " ").trim().replace(/^\u2212(?=\d)/, "-");
  if (text === "\u2013") return "";
  if (/^[+-]?[\d,]+(\.\d+)?$/.test(text)) return text.replaceAll(",", "");
  return FORMULA.test(text) ? `'${text}` : text;
}

// The visible texts of a table. Bars have none.
function tableRows(table) {
  const cells = (row) => [...row.cells].filter((cell) => !cell.matches(".bars"));
  return [...table.rows].map((row) => cells(row).map(cellText));
}

const quoted = (text) => (/[",\n;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const csv = (rows) => rows.map((row) => `${row.map(quoted).join(",")}\n`).join("");

for (const table of document.querySelectorAll("table[data-file]")) {
  const tools = addTools(table.closest(".scroll"));
  // Tabs separate the cells when the table is pasted into a spreadsheet.
  addButton(tools, "Copy table", ({ target }) => copyText(tableRows(table).map((row) => row.join("\t")).join("\n"), target));
  addButton(tools, "Save CSV", () => {
    saveFile(new Blob(["\ufeff", csv(tableRows(table))], { type: "text/csv" }), `${table.dataset.file}.csv`);
  });
}
for (const text of document.querySelectorAll("pre")) {
  addButton(addTools(text), "Copy command", ({ target }) => copyText(text.textContent, target));
}
// Each picture is in the page only once; the link that saves it uses the same address.
for (const place of document.querySelectorAll(".pictures")) {
  for (const image of place.closest("section").querySelectorAll(".maps img")) {
    const { file, name } = image.dataset;
    place.append(Object.assign(document.createElement("a"), { href: image.src, download: file, textContent: name }), " ");
  }
  place.hidden = false;
}
