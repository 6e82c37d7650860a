// The buttons of a card, and the menu behind them.

import { h, icon } from "../dom.js";
import { emojify } from "../emoji.js";
import { menu } from "../popup.js";
import { working } from "../working.js";
import { link } from "./text.js";

/** buttons draws a row of actions; those of mode "secondary" are in a menu. */
export function buttons(actions, ctx, at) {
  const all = actions.map((a, i) => ({ a, path: `${at}/${i}` }));
  const rest = all.filter(({ a }) => a.mode === "secondary");
  const row = h(
    "div",
    { class: "ac-actions", role: "group", "aria-label": "Actions" },
    all.filter(({ a }) => a.mode !== "secondary").map(({ a, path }) => button(a, path, ctx)),
  );
  if (!rest.length) return row;
  const more = h(
    "button",
    {
      type: "button",
      class: "button overflow",
      "aria-label": "More actions",
      title: "More actions",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      // The question behind a line of the menu leads back to the menu.
      data: { do: "overflow", shows: rest.map(({ a }) => target(a)).find(Boolean) },
      onClick: () =>
        menu(
          more,
          rest.map(({ a, path }) => ({
            label: emojify(a.title ?? ""),
            note: a.tooltip && a.tooltip !== a.title ? a.tooltip : null,
            danger: a.style === "destructive",
            data: { verb: verb(a) },
            run: () => run(a, path, more, ctx),
          })),
          { label: "More actions", align: "start" },
        ),
    },
    icon("more"),
    h("span", { class: "spinner", "aria-hidden": "true" }),
  );
  row.append(more);
  return row;
}

const verb = (a) => a.verb ?? a.data?.do ?? null;
const asks = (a) => a.type === "Action.ToggleVisibility";
const target = (a) => (asks(a) ? (a.targetElements?.[0]?.elementId ?? a.targetElements?.[0]) : null);

function button(a, path, ctx) {
  const common = {
    class: ["button", a.style === "positive" && "primary", a.style === "destructive" && "danger"],
    title: a.tooltip,
    "aria-label": a.tooltip,
    data: { verb: verb(a), shows: target(a) },
  };
  const face = [
    h("span", { class: "button-face" }, emojify(a.title ?? "")),
    h("span", { class: "spinner", "aria-hidden": "true" }),
  ];
  if (a.type === "Action.OpenUrl") return link(a.url, face, common);
  const b = h(
    "button",
    {
      ...common,
      type: "button",
      "aria-expanded": asks(a) ? "false" : null,
      onClick: () => run(a, path, b, ctx),
    },
    face,
  );
  return b;
}

function run(a, path, control, ctx) {
  if (a.type === "Action.OpenUrl") return window.open(a.url, "_blank", "noopener");
  if (control.classList.contains("busy")) return;
  const values = {};
  for (const [id, f] of ctx.fields) values[id] = f.get();
  if (asks(a)) {
    ctx.toggle(a.targetElements ?? [], control);
    return working(control, ctx.press(path, values));
  }
  return working(
    control,
    ctx.press(path, values).then((answer) => ctx.complain(answer?.errors)),
  );
}
