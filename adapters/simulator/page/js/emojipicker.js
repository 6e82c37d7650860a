// A small picker of emoji: the common ones, and all others by name.

import { h, fill, rove } from "./dom.js";
import { popup } from "./popup.js";
import { all, find, emojiOr } from "./emoji.js";

/** emojiPicker opens beside anchor and gives the short name that was chosen. */
export function emojiPicker(anchor, chosen, common = []) {
  const grid = h("div", { class: "emoji-grid", role: "group", "aria-label": "Emoji" });
  const search = h("input", {
    type: "search",
    class: "field",
    placeholder: "Find an emoji",
    "aria-label": "Find an emoji",
    autocomplete: "off",
    onInput: () => draw(search.value),
    onKeydown: (e) => {
      if (e.key === "Enter") grid.querySelector("button")?.click();
      if (e.key === "ArrowDown") {
        e.preventDefault();
        grid.querySelector("button")?.focus();
      }
    },
  });
  const cell = (name) =>
    h(
      "button",
      {
        type: "button",
        class: "emoji-cell",
        tabindex: "-1",
        title: `:${name}:`,
        "aria-label": name.replaceAll("_", " "),
        data: { emoji: name },
        onClick: () => {
          panel.hidePopover();
          chosen(name);
        },
      },
      emojiOr(name),
    );
  function draw(q) {
    const names = q.trim()
      ? find(q).map((e) => e.names[0])
      : [...new Set([...common, ...all.map((e) => e.names[0])])];
    fill(grid, names.length ? names.map(cell) : h("p", { class: "combo-note" }, "Nothing found"));
    const first = grid.querySelector("button");
    if (first) first.tabIndex = 0;
  }
  const cells = () => [...grid.querySelectorAll("button")];
  rove(grid, cells, { keys: ["ArrowLeft", "ArrowRight"] });
  grid.addEventListener("keydown", (e) => {
    if (e.key !== "ArrowUp" && e.key !== "ArrowDown") return;
    e.preventDefault();
    const list = cells();
    const width = list.findIndex((c) => c.offsetTop > list[0].offsetTop);
    const to =
      list.indexOf(document.activeElement) +
      (e.key === "ArrowDown" ? 1 : -1) * (width < 0 ? list.length : width);
    if (to < 0) search.focus();
    else list[to]?.focus();
  });
  draw("");
  const panel = popup(anchor, [search, grid], {
    label: "Choose an emoji",
    className: "emoji-picker",
    align: "end",
    focus: search,
  });
}
