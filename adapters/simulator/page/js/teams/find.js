// The search of the app's message extension: what is found goes into a message.

import { h, fill, rove } from "../dom.js";
import { popup } from "../popup.js";

const PAUSE = 250; // ms after the last letter until it is searched for

/** find opens the search beside anchor. into is {channel, thread}. */
export function find(anchor, command, into, { client, said }) {
  const list = h("div", { class: "people found", role: "list" });
  rove(list, () => [...list.querySelectorAll("button")]);
  let asked = 0;
  let timer;
  const note = (words) => fill(list, h("p", { class: "combo-note", role: "status" }, words));
  const search = h("input", {
    type: "search",
    class: "field",
    placeholder: "Find an article or a ticket",
    "aria-label": command.title,
    autocomplete: "off",
    onInput: () => {
      clearTimeout(timer);
      timer = setTimeout(look, PAUSE);
    },
    onKeydown: (e) => {
      if (e.key === "ArrowDown") {
        e.preventDefault();
        list.querySelector("button")?.focus();
      }
    },
  });

  async function look() {
    const n = ++asked;
    note("Searching…");
    try {
      const { found } = await client.post("search", {
        command: command.id,
        channel: into.channel,
        text: search.value.trim(),
      });
      if (n !== asked) return;
      if (!found.length) return note("Nothing found");
      fill(
        list,
        found.map((f) =>
          h(
            "div",
            { class: "person", role: "listitem" },
            h(
              "button",
              {
                type: "button",
                data: { found: f.title },
                onClick: () => {
                  panel.hidePopover();
                  client.post("insert", { ...into, found: f }).catch(said);
                },
              },
              h("span", { class: "you-words" }, h("b", null, f.title), h("span", null, unescape(f.text))),
            ),
          ),
        ),
      );
    } catch (err) {
      if (n === asked) note(err.message);
    }
  }

  const panel = popup(anchor, [search, list], {
    label: command.title,
    className: "popup-people teams-popup",
    align: "end",
    focus: search,
  });
  look();
}

/** unescape reads the five entities of a preview, which is HTML, as text. */
function unescape(s) {
  return String(s ?? "").replace(
    /&(amp|lt|gt|#34|#39);/g,
    (_, e) => ({ amp: "&", lt: "<", gt: ">", "#34": '"', "#39": "'" })[e],
  );
}
