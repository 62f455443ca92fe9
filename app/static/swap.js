// Follows links within a page by fetching the next page and exchanging the part that differs (#view).

import { keepForm, refillForm } from "./forms.js";

const WITHIN = "a.day, a.slot, a.segment, .panel-nav a, .times .empty a, a[data-keeps-form]";

let latest = 0;

const view = () => document.getElementById("view");

/** Exchange #view for that of another address of this site. Whatever goes wrong, the browser goes there itself. */
export async function show(address, { quietly = false, focus = "", push = false } = {}) {
  const turn = ++latest;
  view().setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turn !== latest) return;
    const fresh = next.getElementById("view");
    if (!fresh || !answer.ok) throw new Error("not a page of this kind");
    keepForm(view());
    view().replaceWith(fresh);
    refillForm(fresh);
    document.title = next.title;
    if (push) history.pushState({ swapped: true }, "", answer.url);
    if (!quietly) settle(fresh, focus);
  } catch {
    if (turn === latest) location.assign(address);
  }
}

/** Where the reader goes on: the same control again, else the heading of what is new. */
function settle(fresh, focus) {
  const heading = document.getElementById("view-heading");
  const target = (focus && document.getElementById(focus)) || heading || fresh.querySelector("a.day[aria-current]");
  target?.focus({ preventScroll: target !== heading });
  if (heading) window.scrollTo({ top: 0 });
  else if (focus.startsWith("day-")) showTimes();
  document.getElementById("announcer").textContent = fresh.dataset.status ?? "";
}

/** On a narrow screen the times are below the month. */
function showTimes() {
  const times = document.getElementById("times");
  if (!times || times.getBoundingClientRect().top < innerHeight * 0.6) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  times.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
}

/** Take over the links and the zone form of the page; new ones work alike, since the listeners sit on the document. */
export function swapLinks() {
  history.replaceState({ swapped: true }, "");
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(WITHIN);
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    show(link.href, { focus: link.id, push: true });
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("#tz")) chooseZone(event.target.form);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-zone]")) return;
    event.preventDefault();
    chooseZone(event.target);
  });
  addEventListener("popstate", (event) => {
    if (event.state?.swapped) show(location.href);
  });
}

async function chooseZone(form) {
  const address = new URL(location.pathname, location.origin);
  address.search = new URLSearchParams(new FormData(form)).toString();
  await show(address.href, { push: true, focus: "tz-summary" });
}
