// The buttons of a card, and the menu behind them.

import { h, icon } from "../dom.js";
import { menu } from "../popup.js";
import { working } from "../working.js";
import { link } from "./text.js";

/** buttons draws a row of actions; those of mode "secondary" are in a menu. */
export function buttons(actions, ctx) {
  const shown = actions.filter((a) => a.mode !== "secondary");
  const rest = actions.filter((a) => a.mode === "secondary");
  const row = h("div", { class: "ac-actions", role: "group", "aria-label": "Actions" }, shown.map((a) => button(a, ctx)));
  if (rest.length) {
    const more = h(
      "button",
      {
        type: "button",
        class: "button overflow",
        "aria-label": "More actions",
        title: "More actions",
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        data: { do: "overflow" },
        onClick: () =>
          menu(
            more,
            rest.map((a) => ({
              label: a.title,
              note: a.tooltip && a.tooltip !== a.title ? a.tooltip : null,
              danger: a.style === "destructive",
              data: { verb: verb(a), opens: a.type === "Action.OpenUrl" ? "page" : null },
              run: () => run(a, more, ctx),
            })),
            { label: "More actions", align: "start" },
          ),
      },
      icon("more"),
      h("span", { class: "spinner", "aria-hidden": "true" }),
    );
    // The question behind a line of the menu leads back to the menu.
    const asks = rest.find((a) => a.type === "Action.ToggleVisibility");
    if (asks) more.dataset.shows = target(asks);
    row.append(more);
  }
  return row;
}

const verb = (a) => a.verb ?? a.data?.do ?? null;
const target = (a) => a.targetElements?.[0]?.elementId ?? a.targetElements?.[0] ?? "";

function button(a, ctx) {
  const common = {
    class: ["button", a.style === "positive" && "primary", a.style === "destructive" && "danger"],
    title: a.tooltip,
    "aria-label": a.tooltip,
    data: { verb: verb(a), shows: a.type === "Action.ToggleVisibility" ? target(a) : null },
  };
  const face = [h("span", { class: "button-face" }, a.title), h("span", { class: "spinner", "aria-hidden": "true" })];
  if (a.type === "Action.OpenUrl") return link(a.url, face, common);
  const b = h(
    "button",
    {
      ...common,
      type: "button",
      "aria-expanded": a.type === "Action.ToggleVisibility" ? "false" : null,
      onClick: () => run(a, b, ctx),
    },
    face,
  );
  return b;
}

function run(a, control, ctx) {
  switch (a.type) {
    case "Action.OpenUrl":
      return window.open(a.url, "_blank", "noopener");
    case "Action.ToggleVisibility":
      return ctx.toggle(a.targetElements ?? [], control);
  }
  if (control.classList.contains("busy")) return;
  const values = {};
  if (a.associatedInputs !== "none") {
    const wrong = [...ctx.fields.values()].filter((f) => f.complain());
    if (wrong.length) return wrong[0].focus();
    for (const [id, f] of ctx.fields) {
      const v = f.get();
      if (v !== "") values[id] = v; // empty inputs are not sent
    }
  }
  return working(control, ctx.act(a, values));
}
