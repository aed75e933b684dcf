// Tables of class mlcourse-sortable: a button in each column head sorts the rows, by mouse and keyboard alike.
// A cell sorts by its data-value if it has one, else by its text: numbers as numbers, empty cells last.
"use strict";

function keyOf(cell) {
  const text = (cell.dataset.value ?? cell.textContent).trim();
  const number = /^[+-]?(\d|\.\d)/.test(text) ? parseFloat(text.replace(/,(?=\d{3})/g, "")) : NaN;
  return { text, number };
}

function compare(a, b) {
  if (!Number.isNaN(a.number) && !Number.isNaN(b.number)) return a.number - b.number;
  return a.text.localeCompare(b.text, "en", { numeric: true });
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent.trim();
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      const rows = [...body.rows].map((row) => ({ row, key: keyOf(row.cells[column]) }));
      rows.sort(({ key: a }, { key: b }) => {
        if (a.text === "" || b.text === "") return (a.text === "") - (b.text === "");
        return down ? compare(b, a) : compare(a, b);
      });
      body.append(...rows.map(({ row }) => row));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
    });
    head.replaceChildren(button);
  });
}

function start() {
  document.querySelectorAll("table.mlcourse-sortable").forEach(makeSortable);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
