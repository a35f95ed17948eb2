// Selecting patients of the list: all on this page at once, and how many are selected. The list works
// without this file, which then shows no box for the page and no number.

const told = document.querySelector("[data-care-selected]");
const whole = document.getElementById("select-page");

if (told && whole) {
  whole.closest("[data-care-select-page]").hidden = false;
  document.addEventListener("change", (event) => {
    if (event.target === whole) selectable().forEach((box) => (box.checked = whole.checked));
    count();
  });
  // The browser's Back button brings the ticks back after the page was loaded.
  window.addEventListener("pageshow", count);
  count();
}

function selectable() {
  return [...document.querySelectorAll('input[type="checkbox"][form="bulk"]')];
}

function count() {
  const boxes = selectable();
  const chosen = boxes.filter((box) => box.checked).length;
  told.textContent = `${chosen} selected`;
  whole.checked = chosen > 0 && chosen === boxes.length;
  whole.indeterminate = chosen > 0 && chosen < boxes.length;
}
