// Comfort only: every page works without it.
"use strict";

// On a phone the menu starts folded.
const menu = document.querySelector("details.menu");
if (menu && matchMedia("(max-width: 52rem)").matches) menu.open = false;

// "/" goes to the search.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input, textarea, select")) return;
  const search = document.querySelector(".filters input[type=search]");
  if (search) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});

// One box selects every row, and the number of them is told.
const all = document.querySelector("input.all");
if (all) {
  const boxes = [...document.querySelectorAll("td.pick input")];
  const told = document.querySelector(".selected");
  const count = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && !all.checked;
    told.textContent = chosen ? `With the ${chosen} selected:` : "With the selected:";
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
  for (const box of boxes) box.addEventListener("change", count);
  count();
}

// Nobody leaves a form half filled in without being asked, nor sends it twice.
for (const form of document.querySelectorAll("form.object")) {
  let changed = false;
  form.addEventListener("input", () => (changed = true));
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    changed = false;
  });
  addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
  addEventListener("pageshow", () => delete form.dataset.sent);
}
