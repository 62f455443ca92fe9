// Signed-in pages, made quicker. Without this module everything still works by plain links and forms.

import { guardForms } from "./forms.js";
import { suggestPeople } from "./suggest.js";

/** Buttons that put an address into the clipboard. */
function copyButtons() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const words = button.querySelector("span");
    const before = words.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      words.textContent = "Copied";
      announce("Copied.");
    } catch {
      words.textContent = "Please copy by hand";
    }
    setTimeout(() => { words.textContent = before; }, 2000);
  });
}

function announce(text) {
  const place = document.getElementById("announcer");
  if (place) place.textContent = text;
}

/** Ranges of a day are added and taken away on the spot. */
function ranges() {
  const blank = document.getElementById("range-row");
  if (!blank) return;
  for (const button of document.querySelectorAll("button[data-drop-range]")) button.hidden = false;
  document.addEventListener("click", (event) => {
    const add = event.target.closest("button[data-add-range]");
    const drop = event.target.closest("button[data-drop-range]");
    if (add) {
      event.preventDefault();
      addRange(blank, document.querySelector(`[data-ranges="${add.dataset.addRange}"]`));
    } else if (drop) {
      dropRange(drop.closest(".range"));
    }
  });
}

function addRange(blank, list) {
  const row = blank.content.firstElementChild.cloneNode(true);
  const number = list.querySelectorAll(".range").length + 1;
  const [begin, end] = row.querySelectorAll("input");
  const { ranges: day, label } = list.dataset;
  begin.name = `${day}.begin`;
  end.name = `${day}.end`;
  begin.setAttribute("aria-label", `${label}, range ${number}: from`);
  end.setAttribute("aria-label", `${label}, range ${number}: until`);
  const drop = row.querySelector("button");
  drop.setAttribute("aria-label", `${label}: remove range ${number}`);
  drop.hidden = false;
  list.querySelector(".closed")?.remove();
  list.append(row);
  begin.focus();
}

function dropRange(row) {
  const list = row.parentElement;
  const next = row.nextElementSibling?.querySelector("input") ?? list.closest("fieldset")?.querySelector("[data-add-range]");
  if (!list.matches("[data-ranges]")) {
    for (const field of row.querySelectorAll("input")) field.value = "";
    row.querySelector("input").focus();
    return;
  }
  row.remove();
  if (!list.querySelector(".range")) {
    const closed = document.createElement("span");
    closed.className = "muted closed";
    closed.textContent = "Closed";
    list.prepend(closed);
  }
  next?.focus();
}

/** The place in the navigation is seen at once, also where it scrolls. */
function showPlace() {
  const list = document.querySelector(".app-nav");
  const current = list?.querySelector("[aria-current]");
  if (current) list.scrollLeft = current.offsetLeft - (list.clientWidth - current.offsetWidth) / 2;
}

/** First-run set-up proposes the browser's own zone. */
function proposeZone() {
  const select = document.querySelector("select[data-own-zone]");
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (select?.value === "UTC" && [...select.options].some((option) => option.value === own)) select.value = own;
}

/** Times to pick show themselves when picking is chosen. */
function showPicks() {
  const button = document.querySelector("button[data-picks]");
  if (!button) return;
  for (const choice of document.querySelectorAll("input[name=choice]")) {
    choice.addEventListener("change", () => { if (choice.value === "picked" && choice.checked) button.click(); });
  }
}

copyButtons();
ranges();
showPlace();
proposeZone();
showPicks();
suggestPeople();
guardForms();
