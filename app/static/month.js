// Arrow keys in the month: one stop for the Tab key, and from there to the nearest day with free times.

const days = () => [...document.querySelectorAll("a.day")];

function step(key, from) {
  const all = days();
  const here = all.indexOf(from);
  const forward = document.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  const backward = forward === "ArrowRight" ? "ArrowLeft" : "ArrowRight";
  switch (key) {
    case forward: return all[here + 1];
    case backward: return all[here - 1];
    case "ArrowDown": return all.find((day) => day.id >= weekFrom(from, 7));
    case "ArrowUp": return all.findLast((day) => day.id <= weekFrom(from, -7));
    case "Home": return all[0];
    case "End": return all.at(-1);
    default: return null;
  }
}

/** The id of the day a week before or after; ids end in ISO dates, which sort. */
function weekFrom(day, distance) {
  const date = new Date(`${day.id.slice("day-".length)}T12:00Z`);
  date.setUTCDate(date.getUTCDate() + distance);
  return `day-${date.toISOString().slice(0, 10)}`;
}

function setStop(stop) {
  for (const day of days()) day.tabIndex = day === stop ? 0 : -1;
}

/** Listen, and keep one stop whenever the month is exchanged. */
export function walkMonth() {
  const settle = () => setStop(document.querySelector("a.day[aria-current]") ?? days()[0]);
  document.addEventListener("keydown", (event) => {
    const from = event.target.closest?.("a.day");
    if (!from || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = step(event.key, from);
    if (to === null) return;
    event.preventDefault();
    if (!to) return;
    setStop(to);
    to.focus();
  });
  new MutationObserver((changes) => {
    if (changes.some((change) => [...change.addedNodes].some((node) => node.id === "view"))) settle();
  }).observe(document.querySelector("main"), { childList: true, subtree: true });
  settle();
}
