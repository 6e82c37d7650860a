// The dialog that the app has opened for this person.

import { h, icon, iconButton, fill, uid, announce } from "../dom.js";
import { dialog } from "../popup.js";
import { trouble } from "../working.js";
import { card } from "./card.js";

/** dialogs keeps a dialog of the page in step with the world's. */
export function dialogs({ world, client, focusBack }) {
  let el = null; // the page's dialog, while one is open
  let drawn = ""; // what it shows, to leave alone what has not changed
  let shown = null; // its card

  world.on("dialog", update);
  update();

  function update() {
    const d = world.dialog;
    if (!d) {
      el?.close();
      el = shown = null;
      drawn = "";
      return;
    }
    const key = JSON.stringify([d.id, d.title, d.card, d.message, d.url]);
    if (key === drawn && el) {
      shown?.update(d);
      fill(el.querySelector(".modal-trouble"), d.trouble && trouble(d.trouble));
      return;
    }
    const another = !el;
    if (another) open();
    drawn = key;
    draw(d);
    if (another) announce(`${d.title} opened`);
    else if (d.card && el.querySelector(".ac-attention")) announce("Some answers need another look.");
  }

  function open() {
    const titleId = uid("title");
    el = dialog({ labelledby: titleId, className: "modal teams-dialog" });
    el.titleId = titleId;
    const mine = el;
    el.addEventListener("cancel", (e) => {
      e.preventDefault(); // the tenant decides what is open
      if (e.target === mine) leave();
    });
    el.addEventListener("focuslost", focusBack);
    el.open_();
  }

  function draw(d) {
    const foot = h(
      "footer",
      { class: "modal-foot" },
      h("div", { class: "modal-trouble" }, d.trouble && trouble(d.trouble)),
    );
    el.dataset.dialogId = d.id;
    shown = d.card
      ? card(
          d.card,
          {
            zone: world.zone,
            lang: "en-GB",
            me: world.me,
            name: (id) => world.named(id),
            press: (path, values) => client.post("press", { dialog: d.id, path, values }),
            search: async (input, typed) =>
              (await client.post("suggest", { dialog: d.id, input, typed })).options.map((o) => ({
                value: o.value,
                text: o.title,
              })),
          },
          d,
          { foot },
        )
      : null;
    const body = h(
      "div",
      { class: "modal-body" },
      shown?.el,
      d.message && h("p", { class: "text" }, d.message),
      d.url && h("a", { href: d.url, target: "_blank", rel: "noopener" }, "Open the page"),
    );
    if (!d.card?.actions?.length)
      foot.append(
        h("button", { type: "button", class: "button", data: { do: "close" }, onClick: leave }, "Close"),
      );
    fill(
      el,
      h(
        "div",
        { class: "modal-form" },
        h(
          "header",
          { class: "modal-head" },
          h("span", { class: "avatar avatar-app small", "aria-hidden": "true" }, icon("desk", 14)),
          h("h2", { id: el.titleId }, d.title),
          iconButton("close", "Close", { data: { do: "close" }, onClick: leave }),
        ),
        body,
        foot,
      ),
    );
    const first =
      body.querySelector(".ac-attention")?.previousElementSibling?.querySelector("input, textarea, select") ??
      body.querySelector("input, textarea, select, button") ??
      foot.querySelector("button");
    first?.focus();
  }

  function leave() {
    client.post("close").catch(() => {
      world.dialog = null; // it was closed already
      update();
    });
  }
}
