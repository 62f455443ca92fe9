// People suggested while an address is typed, in the browser's own list. Without this module the field is a plain one.

const PAUSE = 200; // milliseconds without a key before anybody is looked for
const SHORTEST = 3; // characters that it takes

/** Fields in a place that names the address to ask. */
export function suggestPeople() {
  for (const place of document.querySelectorAll("[data-suggest]")) {
    const field = place.querySelector("input");
    const list = document.createElement("datalist");
    list.id = `${field.id}-people`;
    field.after(list);
    field.setAttribute("list", list.id);
    watch(field, list, place.dataset.suggest);
  }
}

function watch(field, list, address) {
  let timer = 0;
  let asked = new AbortController();
  field.addEventListener("input", () => {
    clearTimeout(timer);
    asked.abort(); // what was typed meanwhile counts
    const typed = field.value.trim();
    const isPicked = [...list.options].some((option) => option.value === typed);
    if ([...typed].length < SHORTEST || isPicked) return;
    asked = new AbortController();
    timer = setTimeout(fill, PAUSE, list, `${address}?q=${encodeURIComponent(typed)}`, asked.signal);
  });
}

async function fill(list, question, signal) {
  try {
    const answer = await fetch(question, { signal });
    if (!answer.ok) return;
    const { items } = await answer.json();
    list.replaceChildren(...items.map(({ name, email }) => new Option(name, email)));
  } catch {
    // Whoever types goes on typing.
  }
}
