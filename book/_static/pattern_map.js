// The pattern map: the page in hand (pointed at, focused or touched) shows its arcs and, beside them, its reasons,
// which are those of the list in words. Without this script the picture still leads to the pages, and the list is there.
"use strict";

function startMap(map) {
  const nodes = [...map.querySelectorAll("a[data-page]")];
  const arcs = [...map.querySelectorAll("path[data-pages]")].map((path) => ({ path, pages: path.dataset.pages.split(" ") }));
  const why = map.querySelector(".mlcourse-map-why");
  const words = (page) => document.querySelector(`.mlcourse-map-words li[data-page="${page}"]`);
  let shown = null;

  function show(page) {
    if (page === shown) return;
    shown = page;
    const near = new Set(arcs.filter(({ pages }) => pages.includes(page)).flatMap(({ pages }) => pages));
    map.classList.toggle("is-chosen", page !== null);
    arcs.forEach(({ path, pages }) => path.classList.toggle("is-near", pages.includes(page)));
    nodes.forEach((node) => {
      node.classList.toggle("is-here", node.dataset.page === page);
      node.classList.toggle("is-near", near.has(node.dataset.page));
    });
    why.replaceChildren(...(page === null ? [] : [...words(page).children].map((child) => child.cloneNode(true))));
  }

  nodes.forEach((node) => {
    const page = node.dataset.page;
    let touched = false;
    node.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(page));
    node.addEventListener("focus", () => show(page));
    // A finger cannot point: its first touch shows the reasons, its second opens the page.
    node.addEventListener("pointerdown", (event) => { touched = event.pointerType !== "mouse" && shown !== page; });
    node.addEventListener("click", (event) => {
      if (touched) event.preventDefault();
      touched = false;
      show(page);
    });
  });
  // Where there is room beside the picture, it begins with the pattern that combines most.
  const pairs = (node) => arcs.filter(({ pages }) => pages.includes(node.dataset.page)).length;
  if (matchMedia("(min-width: 769px)").matches) show(nodes.reduce((a, b) => (pairs(b) > pairs(a) ? b : a)).dataset.page);
  map.addEventListener("keydown", (event) => event.key === "Escape" && show(null));
}

function startMaps() {
  document.querySelectorAll(".mlcourse-map").forEach(startMap);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startMaps);
else startMaps();
