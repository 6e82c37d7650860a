// The side bar's list of places in Teams: chats, and teams with their channels.

import { h, icon, fill, rove } from "../dom.js";
import { avatar } from "../avatar.js";

/** navigation draws the places; go(id) opens one. */
export function navigation({ world, here, go }) {
  const el = h("nav", { class: "places", "aria-label": "Conversations in Teams" });
  rove(el, () => [...el.querySelectorAll(".place")]);

  function place(c, picture) {
    const current = here() === c.id;
    return h(
      "li",
      null,
      h(
        "button",
        {
          type: "button",
          class: ["place", current && "current", c.unread && "unread"],
          tabindex: current ? "0" : "-1",
          "aria-current": current ? "page" : null,
          data: { teamsPlace: c.id, name: c.title },
          onClick: () => go(c.id),
        },
        picture,
        h("span", { class: "place-name" }, c.kind === "channel" ? c.name : c.title),
        c.unread > 0 &&
          h("span", { class: "badge", "aria-label": `${c.unread} unread` }, c.unread > 99 ? "99+" : c.unread),
      ),
    );
  }
  const section = (title, items) =>
    items.length > 0 &&
    h(
      "section",
      { class: "places-group" },
      h("div", { class: "places-head" }, h("h2", null, title)),
      h("ul", null, items),
    );

  let drawn = "";
  function update() {
    const all = world.channels();
    // What has not changed stays: somebody may be pressing it.
    const key = JSON.stringify([here(), all.map((c) => [c.id, c.title, c.unread, c.in_team?.name])]);
    if (key === drawn) return;
    drawn = key;
    const focus = el.contains(document.activeElement) ? document.activeElement.dataset.teamsPlace : null;
    const app = { id: world.bot, name: world.app.name, app: true };
    const teams = new Map(all.filter((c) => c.in_team).map((c) => [c.in_team.id, c.in_team]));
    fill(
      el,
      section("Chat", [
        ...all.filter((c) => c.kind === "personal").map((c) => place(c, avatar(app, "small"))),
        ...all.filter((c) => c.kind === "groupChat").map((c) => place(c, icon("people", 16))),
      ]),
      [...teams.values()].map((t) =>
        section(
          t.name,
          all.filter((c) => c.in_team?.id === t.id).map((c) => place(c, icon("hash", 16))),
        ),
      ),
    );
    if (!el.querySelector(".place[tabindex='0']")) el.querySelector(".place")?.setAttribute("tabindex", "0");
    if (focus) el.querySelector(`[data-teams-place="${CSS.escape(focus)}"]`)?.focus();
  }

  world.on("conversations", update);
  return { el, update };
}
