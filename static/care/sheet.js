// The consent sheet: each answer is saved as it is given. Without this file "Save decisions" saves all.
//
// An answer that was not saved, for whatever cause, stays chosen, and its row says so; the button then
// sends it by the same key, so that nothing is recorded twice. The focus is never moved while a user
// goes down the list: two keys a patient, an answer and Tab.

const TIMEOUT_MILLISECONDS = 2000;
const GUARD_MILLISECONDS = 2000;
const NOT_SAVED = "Not saved – press Save decisions";
const TOP = ["source", "decided_on_day", "decided_on_month", "decided_on_year", "reference"];
const form = document.querySelector("form[data-care-sheet]");
// Only these rows take an answer. Any other is inert: marked, not disabled, to keep focus and contrast.
const ANSWERABLE = new Set(["open", "unsaved"]);

form.addEventListener("change", (event) => {
  const row = rowOf(event.target);
  if (!row) showTold();
  else if (event.target.type === "radio") save(row, event.target);
});
form.addEventListener("click", (event) => {
  const row = rowOf(event.target);
  if (!row) return;
  const button = event.target.closest("button");
  if (event.target.type === "radio" && !ANSWERABLE.has(row.dataset.state)) {
    event.preventDefault();
    if (row.dataset.state === "decided") announce("Already recorded. Press Undo first to change it.");
  } else if (button?.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
  } else if (button?.name === "undo") {
    event.preventDefault();
    undo(row, button);
  }
});

function rowOf(element) {
  return element.closest("[data-care-row]");
}

function announce(text) {
  document.dispatchEvent(new CustomEvent("care:announce", { detail: text }));
}

async function save(row, radio) {
  setState(row, "saving");
  const body = new FormData();
  for (const name of TOP) body.append(name, new FormData(form).get(name) || "");
  body.append(radio.name, radio.value);
  const answer = await send(row, body);
  if (!answer || answer.state === "unsaved") {
    setState(row, "unsaved");
    part(row, "status").replaceChildren(notSaved());
    announce(answer ? `Not saved. ${answer.say}.` : "Not saved. Press Save decisions.");
    return;
  }
  part(row, "status").innerHTML = answer.status;
  if (answer.state === "changed") {
    const inside = part(row, "choices").contains(document.activeElement);
    part(row, "choices").innerHTML = answer.choices;
    if (inside) row.focus();
  }
  setState(row, answer.state);
  guard(row);
  announce(answer.say);
}

async function undo(row, button) {
  button.setAttribute("aria-disabled", "true");
  const body = new FormData();
  body.append("undo", "yes");
  const answer = await send(row, body);
  if (!answer) {
    button.removeAttribute("aria-disabled");
    announce("Not undone. Press Undo again.");
    return;
  }
  if (answer.status) {
    part(row, "status").innerHTML = answer.status;
    part(row, "choices").innerHTML = answer.choices;
    setState(row, answer.state);
    row.querySelector("input[type=radio]")?.focus();
  }
  announce(answer.say);
}

/** The server's words, or null where there are none: too late, logged out, or broken. */
async function send(row, body) {
  try {
    const answer = await fetch(row.dataset.careRow, {
      method: "POST",
      body,
      redirect: "manual",
      headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
    if (![200, 400, 409].includes(answer.status)) return null;
    document.dispatchEvent(new CustomEvent("care:clicked"));
    return await answer.json();
  } catch {
    return null;
  }
}

function part(row, name) {
  return row.querySelector(`[data-care-${name}]`);
}

function notSaved() {
  const words = document.createElement("span");
  words.className = "care-sheet__not-saved";
  words.textContent = NOT_SAVED;
  return words;
}

/** What may be done in a row follows from its state. Defer goes at once, so that the next Tab passes it. */
function setState(row, state) {
  row.dataset.state = state;
  const open = ANSWERABLE.has(state);
  for (const radio of row.querySelectorAll("input[type=radio]")) {
    if (open) radio.removeAttribute("aria-disabled");
    else radio.setAttribute("aria-disabled", "true");
  }
  row.querySelector("[data-care-defer]")?.toggleAttribute("hidden", !open);
  showProgress();
}

/** How the patients told stands over every group of rows, as the server writes it. */
function showTold() {
  const source = form.querySelector("input[name=source]:checked");
  const [day, month, year] = TOP.slice(1, 4).map((name) => Number(form.elements[name].value));
  const date = new Date(year, month - 1, day);
  const real = year > 1000 && date.getMonth() === month - 1 && date.getDate() === day;
  const options = { day: "numeric", month: "long", year: "numeric" };
  const said = [source?.labels[0].textContent.trim(), real && date.toLocaleDateString("en-GB", options)];
  const words = said.filter(Boolean).join(", ") || "Say above how patients told you";
  for (const caption of form.querySelectorAll("[data-care-told]")) caption.textContent = words;
}

/** For two seconds a new button takes no press: it may be meant for what stood there before. */
function guard(row) {
  const buttons = row.querySelectorAll("button[name=undo]");
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  window.setTimeout(() => buttons.forEach((one) => one.removeAttribute("aria-disabled")), GUARD_MILLISECONDS);
}

function showProgress() {
  const count = (state) => form.querySelectorAll(`[data-state="${state}"]`).length;
  const all = form.querySelectorAll("[data-care-row]").length;
  const said = [`${count("decided")} of ${all} decided`, `${count("deferred")} deferred`];
  if (count("changed")) said.push(`${count("changed")} changed by somebody else`);
  if (count("closed")) said.push(`${count("closed")} can no longer be decided here`);
  for (const line of form.querySelectorAll("[data-care-progress]")) line.textContent = said.join(", ");
}
