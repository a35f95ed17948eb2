// What the pages do beyond plain HTML. Every page works without this file.
//
// 1. Starts the NHS.UK frontend's components.
// 2. Stops a second press of a button within two seconds, which tired hands make (the server is
//    idempotent as well). The button is marked, not disabled, so that it keeps its contrast and focus.
// 3. After a part of the page was replaced: puts the focus where it was, or where the answer says,
//    and reads out what happened.
// 4. Warns before the idle log-out and lets the user stay (WCAG 2.2.1).

const GUARD_MILLISECONDS = 2000;
const announcement = document.getElementById("care-announcement");

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
startComponents(document);
document.addEventListener("submit", guardDoubleSubmit);
document.addEventListener("htmx:beforeSwap", rememberFocus);
document.addEventListener("htmx:afterSettle", afterSwap);
for (const event of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(event, () => announce("Not saved. Press the save button to try again."));
}

async function startComponents(scope) {
  const address = document.querySelector("script[data-frontend]").dataset.frontend;
  const frontend = await import(address);
  frontend.initAll({ scope });
}

/** Reads a text out once, politely. Emptied first, so that the same text is read again. */
export function announce(text) {
  announcement.textContent = "";
  window.setTimeout(() => (announcement.textContent = text), 50);
}

function guardDoubleSubmit(event) {
  const form = event.target;
  if (form.dataset.careSent) {
    event.preventDefault();
    return;
  }
  const button = event.submitter;
  form.dataset.careSent = "yes";
  button?.setAttribute("aria-disabled", "true");
  const release = () => {
    delete form.dataset.careSent;
    button?.removeAttribute("aria-disabled");
  };
  window.setTimeout(release, GUARD_MILLISECONDS);
  // Coming back by the browser's Back button shows the page as it was left.
  window.addEventListener("pageshow", release, { once: true });
}

let focusedId = null;

function rememberFocus() {
  focusedId = document.activeElement?.id || null;
}

/** `data-care-focus` names where the focus goes; `data-care-announce` what is read out. */
function afterSwap(event) {
  const part = event.target;
  if (!(part instanceof HTMLElement)) return;
  startComponents(part);
  const marked = part.matches("[data-care-focus]") ? part : part.querySelector("[data-care-focus]");
  const target = marked || (focusedId && document.getElementById(focusedId));
  if (target && target !== document.activeElement) {
    if (marked && !target.hasAttribute("tabindex")) target.setAttribute("tabindex", "-1");
    target.focus({ preventScroll: !marked });
  }
  const spoken = part.matches("[data-care-announce]") ? part : part.querySelector("[data-care-announce]");
  if (spoken) announce(spoken.dataset.careAnnounce);
}
