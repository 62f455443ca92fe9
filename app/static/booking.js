// Booking pages, made quick. Without this module everything still works by plain links and forms.

import { guardForms } from "./forms.js";
import { walkMonth } from "./month.js";
import { show, swapLinks } from "./swap.js";

const YEAR = 31536000;

/** Times are in the reader's own zone from the second visit on; on the first one the page is asked for again. */
function useOwnZone() {
  const form = document.querySelector("form[data-zone]");
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!own) return;
  const known = document.cookie.split("; ").includes(`timezone=${own}`);
  if (!known) document.cookie = `timezone=${own}; path=/; max-age=${YEAR}; samesite=lax`;
  if (known || !form || "chosen" in form.dataset || form.dataset.zone === own) return;
  show(location.href, { quietly: true });
}

useOwnZone();
swapLinks();
walkMonth();
guardForms();
