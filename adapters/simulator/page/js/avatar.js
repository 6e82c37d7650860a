// Pictures of people: their initials in a colour of their own.

import { h, icon } from "./dom.js";

/** tint is one of the twelve tints, the same for the same id everywhere. */
function tint(id) {
  let n = 0;
  for (const c of String(id)) n = (n * 31 + c.codePointAt(0)) >>> 0;
  return n % 12;
}

function initials(name) {
  const parts = name
    .replace(/\(.*?\)/g, "")
    .trim()
    .split(/\s+/)
    .filter((w) => /[\p{L}\p{N}]/u.test(w));
  const first = [...(parts[0] ?? "?")][0];
  return (parts.length > 1 ? first + [...parts.at(-1)][0] : first).toUpperCase();
}

/** avatar is decoration: the name stands beside it. */
export function avatar(who, size = "") {
  return h(
    "span",
    {
      class: ["avatar", size, who.app || who.bot ? "avatar-app" : `tint-${tint(who.id)}`],
      "aria-hidden": "true",
    },
    who.app || who.bot ? icon("desk", size === "small" ? 14 : 22) : initials(who.name),
  );
}
