// Forms: sent once, and what was typed survives a look at other times.

const kept = new Map();

/** A second click sends nothing; the button says what is going on. Coming back by the browser's history undoes it. */
export function guardForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-once]")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const button = form.querySelector("button[data-busy]");
    if (!button) return;
    button.dataset.words = button.textContent;
    button.textContent = button.dataset.busy;
    button.setAttribute("aria-disabled", "true");
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      const button = form.querySelector("button[data-words]");
      if (!button) continue;
      button.textContent = button.dataset.words;
      button.removeAttribute("aria-disabled");
    }
  });
}

// What was chosen with the time comes anew with another one.
const typed = (form) => [...form.elements].filter(
  (field) => field.name && field.type !== "hidden" && field.name !== "start" && !field.closest("[data-unkept]"),
);

/** Remember the fields of a form that is about to go away; in memory only. */
export function keepForm(area) {
  const form = area?.querySelector("form[data-kept]");
  if (!form) return;
  for (const field of typed(form)) {
    const isBox = field.type === "checkbox" || field.type === "radio";
    kept.set(isBox ? `${field.name}=${field.value}` : field.name, isBox ? field.checked : field.value);
  }
}

/** Fill them in again when it comes back. */
export function refillForm(area) {
  const form = area.querySelector("form[data-kept]");
  if (!form || !kept.size) return;
  for (const field of typed(form)) {
    const isBox = field.type === "checkbox" || field.type === "radio";
    const value = kept.get(isBox ? `${field.name}=${field.value}` : field.name);
    if (value === undefined) continue;
    if (isBox) field.checked = value;
    else if (value) field.value = value;
  }
  for (const more of form.querySelectorAll("details")) {
    if ([...more.querySelectorAll("textarea")].some((field) => field.value)) more.open = true;
  }
}
