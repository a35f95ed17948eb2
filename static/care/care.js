// What the pages do beyond plain HTML. Every page works without this file.
//
// 1. Starts the NHS.UK frontend's components.
// 2. Stops a second press of a button within two seconds, which tired hands make (the server is
//    idempotent as well). The button is marked, not disabled, so that it keeps its contrast and focus.
// 3. After a part of the page was replaced: puts the focus where it was, or where the answer says,
//    and reads out what happened.
// 4. Warns before the idle log-out and lets the user stay (WCAG 2.2.1).
// 5. Keeps what is typed into long forms on the server, so that no log-out loses it.

const GUARD_MILLISECONDS = 2000;
const announcement = document.getElementById("care-announcement");

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
startComponents(document);
document.addEventListener("submit", guardDoubleSubmit);
document.addEventListener("htmx:beforeSwap", rememberFocus);
document.addEventListener("htmx:afterSettle", afterSwap);
// Scripts of single pages speak through this one.
document.addEventListener("care:announce", (event) => announce(event.detail));
for (const form of document.querySelectorAll("form[data-care-draft]")) keepDraftOf(form);
for (const event of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(event, (failed) => announce(notDone(failed)));
}

/** What asks for news has saved nothing; what was sent has to be sent again. */
function notDone(event) {
  const asked = event.detail.requestConfig?.verb === "get";
  return asked ? "Not up to date. Press Refresh." : "Not saved. Press the save button to try again.";
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

// --- 3. Parts of a page replaced ------------------------------------------------------------

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

// --- 4. The idle log-out, which the server decides; this only warns of it ---------------------

const WARN_SECONDS = 120;
const SEEN = "care-seen";
const idleSeconds = Number(document.body.dataset.careIdle || 0);
let warning = null;

if (idleSeconds) {
  clicked();
  // Any request counts, in any tab: each notes its time where the others can read it.
  document.addEventListener("htmx:afterRequest", clicked);
  document.addEventListener("care:clicked", clicked);
  window.setInterval(watchIdle, 1000);
}

function clicked() {
  localStorage.setItem(SEEN, String(Date.now()));
}

function watchIdle() {
  const left = idleSeconds - (Date.now() - Number(localStorage.getItem(SEEN))) / 1000;
  if (left <= 0) {
    // Leaves no patient on the screen; the server asks for a log-in and leads back here.
    window.location.assign(window.location.href.split("#")[0]);
  } else if (left <= WARN_SECONDS && !warning) {
    warning = openWarning();
  } else if (left > WARN_SECONDS && warning) {
    warning.close();
  }
}

function openWarning() {
  const dialog = document.createElement("dialog");
  dialog.className = "care-dialog";
  dialog.setAttribute("aria-labelledby", "care-idle-heading");
  dialog.innerHTML = `
    <h2 class="nhsuk-heading-m" id="care-idle-heading">You will be logged out soon</h2>
    <p>You are logged out after ${Math.round(idleSeconds / 60)} minutes without a click, so that nobody
    else sees your patients.</p>
    <button class="nhsuk-button" type="button">Stay logged in</button>`;
  dialog.querySelector("button").addEventListener("click", stayLoggedIn);
  dialog.addEventListener("close", () => {
    dialog.remove();
    warning = null;
  });
  // Escape means the same as the button: a dialog closed without an answer would come back at once.
  dialog.addEventListener("cancel", stayLoggedIn);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

async function stayLoggedIn() {
  const form = document.querySelector(".nhsuk-header__account-form");
  const answer = await fetch(document.body.dataset.careStay, {
    method: "POST",
    headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
  }).catch(() => null);
  if (answer?.status === 204) {
    clicked();
    warning?.close();
    announce("You are still logged in.");
  } else {
    window.location.reload();
  }
}

// --- 5. Drafts: `data-care-draft` is where a form's answers are kept until they are saved -------

const DRAFT_MILLISECONDS = 800;

function keepDraftOf(form) {
  let timer = null;
  let sending = null;
  const send = async () => {
    timer = null;
    sending = new AbortController();
    // Sent even while the page goes away. A log-in page that answers instead is not followed.
    const options = { method: "POST", body: new FormData(form), keepalive: true, redirect: "manual" };
    const answer = await fetch(form.dataset.careDraft, { ...options, signal: sending.signal }).catch(() => null);
    if (answer?.ok) document.dispatchEvent(new CustomEvent("care:clicked"));
  };
  form.addEventListener("input", (event) => {
    if (event.target.closest("[data-care-no-draft]")) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(send, DRAFT_MILLISECONDS);
  });
  // What is saved now need not be kept as well, and must not be kept afterwards.
  form.addEventListener("submit", () => {
    window.clearTimeout(timer);
    timer = null;
    sending?.abort();
  });
  window.addEventListener("pagehide", () => {
    if (timer) {
      window.clearTimeout(timer);
      send();
    }
  });
}
