// /app/phone: tells when a device has synced, without a reload.

const EVERY = 10_000;
const known = new Set([...document.querySelectorAll("[data-device]")].map((light) => light.dataset.device));

async function look() {
  if (document.hidden) return true;
  const answer = await fetch("/app/phone/devices", { headers: { Accept: "application/json" }, redirect: "error" });
  if (!answer.ok) return false;
  for (const device of await answer.json()) {
    const light = document.querySelector(`[data-device="${device.id}"]`);
    if (light) show(light, device, device.seen);
    else if (!known.has(device.id)) arrived(device);
  }
  return true;
}

function show(light, device, words) {
  if (light.textContent !== words) light.textContent = words;
  light.classList.toggle("light-on", device.is_fresh);
}

/** The phone that the picture is for was set up; said once more when it has synced. */
function arrived(device) {
  const place = document.getElementById("awaited");
  const wanted = document.querySelector("[data-awaited]")?.dataset.awaited;
  if (!place || device.label !== wanted) return;
  const words = device.is_fresh ? `${device.label}: ${device.seen}` : `${device.label} is set up, and has not synced yet`;
  const before = place.textContent;
  show(place, device, words);
  if (before !== words && (device.is_fresh || !before.includes(device.label))) {
    document.getElementById("announcer").textContent = words;
  }
}

const timer = setInterval(async () => {
  const goesOn = await look().catch(() => navigator.onLine === false);
  if (!goesOn) clearInterval(timer);
}, EVERY);
document.addEventListener("visibilitychange", () => look().catch(() => {}));
