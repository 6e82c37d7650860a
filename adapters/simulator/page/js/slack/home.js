// The app's Home tab.

import { h, icon, fill } from "../dom.js";
import { blocks } from "./blocks.js";

/** homeTab draws the view that the app has published for this person. */
export function homeTab({ world, client }) {
  const el = h("div", {
    class: "home-tab scroller",
    role: "tabpanel",
    "aria-label": "Home",
    tabindex: "-1",
    data: { home: "true" },
  });
  let drawn = "";

  function update() {
    const v = world.homeView;
    const key = JSON.stringify([v?.blocks]);
    if (key === drawn) return;
    drawn = key;
    const focus = el.contains(document.activeElement) ? document.activeElement.dataset.actionId : null;
    if (!v) {
      fill(
        el,
        h(
          "div",
          { class: "empty" },
          icon("home", 40),
          h("h2", null, "Nothing here yet"),
          h("p", null, `${world.app.name} has not prepared a Home for you.`),
        ),
      );
      return;
    }
    const ctx = {
      world,
      surface: "home",
      state: v.state?.values,
      change: (block, element, values) =>
        client.post("act", { view: v.id, block, action: element.action_id, values }),
      options: async (block, element, typed) =>
        (await client.post("suggest", { view: v.id, block, action: element.action_id, typed })).options,
    };
    fill(el, h("div", { class: "home-page blocks" }, blocks(v.blocks, ctx)));
    if (focus) el.querySelector(`[data-action-id="${CSS.escape(focus)}"]`)?.focus();
  }
  update();
  return { el, update };
}
