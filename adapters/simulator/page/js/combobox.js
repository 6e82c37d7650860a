// A list to choose from with type-ahead, after the "combobox with list
// autocomplete" of the ARIA authoring practices: focus stays in the text
// field, the arrow keys move through the list.

import { h, icon, fill, uid, enterIsTaken } from "./dom.js";
import { place } from "./popup.js";
import { plainEmoji } from "./emoji.js";

/**
 * combobox makes the control. Lines are {value, text, description, group},
 * either given, or found by search(q) once least characters are typed.
 * onChange gets the new values and answers whether they hold.
 */
export function combobox({
  lines,
  known = [],
  search,
  least = 0,
  values,
  many,
  max,
  placeholder,
  attributes,
  clearable,
  autofocus,
  onChange,
}) {
  const listId = uid("list");
  const named = new Map([...known, ...(lines ?? [])].map((l) => [l.value, l]));
  let chosen = [...values];
  let shown = [];
  let active = -1;
  let asked = 0;
  let timer;

  const chips = h("span", { class: "chips" });
  const input = h("input", {
    ...attributes,
    type: "text",
    class: "combo-input",
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-autocomplete": "list",
    autocomplete: "off",
    autofocus,
    placeholder,
    onFocus: () => input.select(),
    onClick: () => open(),
    onInput: () => open(input.value),
    onKeydown: keydown,
    onKeypress: enterIsTaken,
    onBlur: () => {
      close();
      show();
    },
  });
  const clear = h(
    "button",
    {
      type: "button",
      class: "icon-button small combo-clear",
      "aria-label": "Clear",
      hidden: true,
      onClick: () => choose(null),
    },
    icon("close", 14),
  );
  const list = h("div", {
    id: listId,
    role: "listbox",
    class: "popup combo-list",
    popover: "manual",
    "aria-multiselectable": many ? "true" : null,
    "aria-label": attributes["aria-label"] ?? placeholder,
  });
  // A press in the list must not take the focus from the field.
  list.addEventListener("mousedown", (e) => e.preventDefault());
  const box = h(
    "div",
    {
      class: ["combo", many && "combo-many"],
      onMousedown: (e) => {
        if (e.target === box || e.target === chips) {
          e.preventDefault();
          input.focus();
          open();
        }
      },
    },
    chips,
    input,
    h("span", { class: "spinner", "aria-hidden": "true" }),
    clear,
    icon("chevron-down", 16),
    list,
  );

  function show() {
    if (many) {
      fill(
        chips,
        chosen.map((v) =>
          h(
            "span",
            { class: "chip" },
            named.get(v)?.text ?? v,
            h(
              "button",
              {
                type: "button",
                "aria-label": `Remove ${named.get(v)?.text ?? v}`,
                onClick: () => set(chosen.filter((x) => x !== v)),
              },
              icon("close", 12),
            ),
          ),
        ),
      );
      input.value = "";
      input.placeholder = chosen.length ? "" : placeholder;
    } else {
      input.value = chosen.length ? (named.get(chosen[0])?.text ?? chosen[0]) : "";
    }
    box.dataset.value = chosen.join(",");
    clear.hidden = many || !clearable || !chosen.length;
  }

  async function set(next) {
    const before = chosen;
    chosen = next;
    show();
    if ((await onChange(next)) === false) {
      chosen = before;
      show();
    }
  }

  function choose(l) {
    if (!l) return set([]);
    named.set(l.value, l);
    if (!many) {
      close();
      if (chosen[0] !== l.value) set([l.value]);
      else show();
      return;
    }
    const has = chosen.includes(l.value);
    if (!has && max && chosen.length >= max) return;
    set(has ? chosen.filter((v) => v !== l.value) : [...chosen, l.value]);
    open();
  }

  function open(q = "") {
    if (input.disabled) return;
    if (!list.matches(":popover-open")) {
      list.showPopover();
      input.setAttribute("aria-expanded", "true");
    }
    if (search) return find(q);
    const s = q.trim().toLowerCase();
    draw(
      lines.filter((l) => !s || l.text.toLowerCase().includes(s) || l.description?.toLowerCase().includes(s)),
      "Nothing fits",
    );
  }

  function find(q) {
    clearTimeout(timer);
    const n = ++asked;
    if (q.trim().length < least)
      return draw([], least > 1 ? `Type ${least} letters to search` : "Type to search");
    note("Searching…");
    timer = setTimeout(async () => {
      try {
        const found = await search(q);
        if (n === asked) draw(found, "Nothing found");
      } catch (err) {
        if (n === asked) note(err.message);
      }
    }, 180);
  }

  function note(text) {
    shown = [];
    activate(-1);
    fill(list, h("div", { class: "combo-note", role: "status" }, text));
    fit();
  }

  function draw(found, none) {
    if (!found.length) return note(none);
    shown = found;
    const nodes = [];
    let group = null,
      inGroup = null;
    found.forEach((l, i) => {
      const option = h(
        "div",
        {
          id: `${listId}-${i}`,
          role: "option",
          class: "combo-option",
          data: { value: l.value },
          "aria-selected": String(chosen.includes(l.value)),
          onClick: () => choose(l),
          onMousemove: () => active !== i && activate(i),
        },
        h(
          "span",
          { class: "combo-words" },
          h("span", null, plainEmoji(l.text)),
          l.description && h("small", null, plainEmoji(l.description)),
        ),
        icon("check", 16),
      );
      if (l.group && l.group !== group) {
        const id = uid("group");
        nodes.push(
          (inGroup = h(
            "div",
            { role: "group", "aria-labelledby": id },
            h("div", { id, class: "combo-group" }, l.group),
          )),
        );
      }
      group = l.group ?? null;
      group ? inGroup.append(option) : nodes.push(option);
    });
    fill(list, nodes);
    fit();
    const at = found.findIndex((l) => chosen.includes(l.value));
    activate(at >= 0 && !many ? at : 0);
  }

  function fit() {
    list.style.minWidth = `${box.offsetWidth}px`;
    place(list, box);
  }

  function activate(i) {
    list.querySelector(".active")?.classList.remove("active");
    active = i;
    const el = i >= 0 && document.getElementById(`${listId}-${i}`);
    if (el) {
      el.classList.add("active");
      el.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", el.id);
    } else input.removeAttribute("aria-activedescendant");
  }

  function close() {
    clearTimeout(timer);
    asked++;
    if (list.matches(":popover-open")) list.hidePopover();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function keydown(e) {
    const isOpen = list.matches(":popover-open");
    switch (e.key) {
      case "ArrowDown":
      case "ArrowUp":
        e.preventDefault();
        if (!isOpen) return open();
        if (shown.length) activate((active + (e.key === "ArrowDown" ? 1 : -1) + shown.length) % shown.length);
        return;
      case "Enter":
        if (isOpen && shown[active]) {
          e.preventDefault();
          choose(shown[active]);
        } else if (!isOpen) {
          e.preventDefault();
          open();
        }
        return;
      case "Escape":
        if (!isOpen) return;
        e.preventDefault();
        e.stopPropagation();
        close();
        show();
        return;
      case "Backspace":
        if (many && input.value === "" && chosen.length) set(chosen.slice(0, -1));
        return;
      case "Tab":
        close();
    }
  }

  show();
  return box;
}
