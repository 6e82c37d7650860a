// Menus, pickers and dialogs. The browser's own popover and dialog carry the
// hard parts: the top layer, light dismissal, Esc, inert background and the
// return of focus.

import { h, rove, fill, uid } from "./dom.js";

/** place puts a popover beside its anchor, inside the window. */
export function place(el, anchor, { align = "start" } = {}) {
  const a = anchor.getBoundingClientRect();
  const { offsetWidth: w, offsetHeight: t } = el;
  const gap = 6,
    edge = 8;
  let x = align === "end" ? a.right - w : a.left;
  x = Math.max(edge, Math.min(x, innerWidth - w - edge));
  const below = a.bottom + gap + t <= innerHeight - edge;
  const y = below ? a.bottom + gap : Math.max(edge, a.top - gap - t);
  el.style.left = `${x}px`;
  el.style.top = `${y}px`;
}

/** host is where a popover must live to be usable: inside the topmost dialog, if one is open. */
function host(anchor) {
  return anchor.closest("dialog") ?? document.body;
}

/**
 * popup opens a light-dismissed panel beside anchor and gives it focus.
 * It returns the panel; remove() closes it.
 */
export function popup(anchor, content, { label, className, align, role = "dialog", focus } = {}) {
  const el = h("div", { class: ["popup", className], popover: "auto", role, "aria-label": label }, content);
  host(anchor).append(el);
  el.addEventListener("toggle", (e) => {
    if (e.newState !== "closed") return;
    anchor.setAttribute("aria-expanded", "false");
    const inside = el.contains(document.activeElement) || document.activeElement === document.body;
    el.remove();
    if (inside && anchor.isConnected) anchor.focus();
  });
  el.showPopover();
  place(el, anchor, { align });
  anchor.setAttribute("aria-expanded", "true");
  (focus ?? el.querySelector("[autofocus], input, [tabindex='0'], button"))?.focus();
  return el;
}

/**
 * menu opens a list of commands. Each item is {label, note, icon, danger, run, data}
 * or null for a dividing line.
 */
export function menu(anchor, items, { label, align = "end" } = {}) {
  const list = h("div", { class: "menu" });
  let panel;
  for (const item of items) {
    if (!item) {
      list.append(h("hr"));
      continue;
    }
    list.append(
      h(
        "button",
        {
          type: "button",
          role: "menuitem",
          tabindex: "-1",
          class: ["menu-item", item.danger && "danger"],
          data: item.data,
          onClick: () => {
            panel.hidePopover();
            item.run();
          },
        },
        item.icon,
        h(
          "span",
          { class: "menu-words" },
          h("span", null, item.label),
          item.note && h("small", null, item.note),
        ),
      ),
    );
  }
  const all = () => [...list.querySelectorAll("[role=menuitem]")];
  rove(list, all, { wrap: true });
  list.addEventListener("keydown", (e) => {
    if (e.key === "Tab") panel.hidePopover();
    else if (/^[a-z0-9]$/i.test(e.key)) {
      const at = all().indexOf(document.activeElement);
      const next = [...all().slice(at + 1), ...all()].find((x) =>
        x.textContent.trim().toLowerCase().startsWith(e.key.toLowerCase()),
      );
      next?.focus();
    }
  });
  const first = all()[0];
  if (first) first.tabIndex = 0;
  panel = popup(anchor, list, { label, className: "popup-menu", align, role: "menu", focus: first });
  return panel;
}

/**
 * dialog makes a modal dialog of the page. The caller fills it and shows it;
 * it leaves the document when it closes, and focus goes back where it was.
 */
export function dialog({ label, labelledby, className, alert = false }) {
  const el = h("dialog", {
    class: className,
    role: alert ? "alertdialog" : "dialog",
    "aria-modal": "true",
    "aria-label": label,
    "aria-labelledby": labelledby,
  });
  let before;
  el.open_ = () => {
    before = document.activeElement;
    document.body.append(el);
    el.showModal();
  };
  el.addEventListener("close", () => {
    el.remove();
    if (before?.isConnected) before.focus();
    else el.dispatchEvent(new CustomEvent("focuslost"));
  });
  return el;
}

/** ask shows a question with two answers and gives the answer. */
export function ask({ title, text, yes = "Yes", no = "Cancel", danger = false }) {
  return new Promise((done) => {
    const id = uid("ask");
    const el = dialog({ labelledby: id, className: "ask", alert: true });
    let answer = false;
    fill(
      el,
      h("h2", { id }, title),
      h("div", { class: "ask-text" }, text),
      h(
        "div",
        { class: "ask-buttons" },
        h("button", { type: "button", class: "button", onClick: () => el.close() }, no),
        h(
          "button",
          {
            type: "button",
            class: ["button", danger ? "danger" : "primary"],
            autofocus: true,
            data: { confirm: "yes" },
            onClick: () => {
              answer = true;
              el.close();
            },
          },
          yes,
        ),
      ),
    );
    el.addEventListener("close", () => done(answer));
    el.open_();
  });
}
