"use strict";
// The table of the sample: text of a CSV file to answers and back. Answers are [class, note], texts, per unit.
const UNSURE = "?", MOST_BYTES = 64e6;

function readCsv(text) {
  text = text.replace(/^\ufeff/, "");
  const head = text.split(/\r?\n/, 1)[0], mark = [";", "\t", ","].find((one) => head.includes(one)) ?? ",";
  const rows = [[]];
  let cell = "", quoted = false;
  const endCell = () => { rows[rows.length - 1].push(cell.trim()); cell = ""; };
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[i + 1] === '"') { cell += '"'; i++; } else quoted = false;
    } else if (letter === '"' && !cell.trim()) { quoted = true; cell = ""; }
    else if (letter === mark) endCell();
    else if (letter === "\n") { endCell(); rows.push([]); }
    else cell += letter;
  }
  endCell();
  return rows.filter((row) => row.some(Boolean));
}

function csvCell(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// A note that a spreadsheet would run as a formula gets an apostrophe.
const plainNote = (note) => (/^\s*[=+\-@\t\uff1d\uff0b\uff0d\uff20]/.test(note) ? `'${note}` : note).replace(/\s+/g, " ");

function writeTable({ head, rows }, answers) {
  const lines = rows.map((row, i) => [...row, answers[i][0], plainNote(answers[i][1])]);
  return [[...head, "class", "note"], ...lines].map((line) => line.map(csvCell).join(",") + "\n").join("");
}

// What the table has for a class that is written as its id, its name or "?"; undefined for any other text.
function meaning({ classes }, text) {
  const plain = text.toLowerCase(), found = classes.find(({ cell }) => cell.toLowerCase() === plain)
    ?? classes.find(({ name }) => name.toLowerCase() === plain)
    ?? (text.trim() && classes.find(({ cell }) => Number(cell) === Number(text)));
  return found ? found.cell : [UNSURE, "unsure"].includes(plain) ? UNSURE : undefined;
}

// Returns the answers of a table by position of their unit. Throws an Error with what is wrong.
function readTable(data, text) {
  const [head, ...rows] = readCsv(text), found = new Map();
  const columns = ["id", "row", "column", "class"].map((name) => (head ?? []).indexOf(name));
  if (columns.includes(-1)) throw new Error("It lacks one of the columns id, row, column and class.");
  const note = head.indexOf("note");
  for (const row of rows) {
    const [id, top, left, answer] = columns.map((column) => row[column] ?? "");
    const i = Number(id) - 1, unit = data.rows[i];
    // The page may have the first units of the table only.
    if (!unit && Number.isInteger(i) && i >= data.rows.length && i < data.count) continue;
    if (!unit || Number(top) !== Number(unit[1]) || Number(left) !== Number(unit[2])) {
      throw new Error(`Unit ${id.slice(0, 20)} is not in this sample, or has another place in it.`);
    }
    const cell = answer && meaning(data, answer);
    if (cell === undefined) throw new Error(`Unit ${id.slice(0, 20)} has an unknown class: ${answer.slice(0, 40)}.`);
    if (found.has(i)) throw new Error(`Unit ${i + 1} is listed twice.`);
    found.set(i, [cell, (row[note] ?? "").slice(0, 1000)]);
  }
  return found;
}
