// The side bar's list of places: the app, channels, people.

import { h, icon, iconButton, fill, rove } from "../dom.js";
import { popup } from "../popup.js";
import { avatar } from "../avatar.js";

/** navigation draws the places; go(id) opens one. */
export function navigation({ world, here, go }) {
  const el = h("nav", { class: "places", "aria-label": "Conversations" });
  rove(el, () => [...el.querySelectorAll(".place")]);

  function place(c, picture, { note } = {}) {
    const current = here() === c.id;
    const unread = c.unread > 0 || c.mentions > 0;
    return h(
      "button",
      {
        type: "button",
        class: ["place", current && "current", unread && "unread", c.is_member === false && "apart"],
        tabindex: current ? "0" : "-1",
        "aria-current": current ? "page" : null,
        data: { place: c.id, name: world.title(c) },
        onClick: () => go(c.id),
      },
      picture,
      h("span", { class: "place-name" }, note ?? world.title(c).replace(/^#/, "")),
      c.mentions > 0
        ? h(
            "span",
            { class: "badge", "aria-label": `${c.mentions} unread` },
            c.mentions > 99 ? "99+" : c.mentions,
          )
        : unread && h("span", { class: "dot", "aria-label": "unread" }),
    );
  }

  function section(title, items, tool) {
    if (!items.length && !tool) return null;
    return h(
      "section",
      { class: "places-group" },
      h("div", { class: "places-head" }, h("h2", null, title), tool),
      h(
        "ul",
        null,
        items.map((x) => h("li", null, x)),
      ),
    );
  }

  /** colleague chooses somebody to write to. */
  function colleague(anchor) {
    const list = h("div", { class: "people" });
    rove(list, () => [...list.querySelectorAll("button")]);
    const search = h("input", {
      type: "search",
      class: "field",
      placeholder: "Find a person",
      "aria-label": "Find a person",
      autocomplete: "off",
      onInput: () => draw(search.value),
      onKeydown: (e) => {
        if (e.key === "Enter") list.querySelector("button")?.click();
        if (e.key === "ArrowDown") {
          e.preventDefault();
          list.querySelector("button")?.focus();
        }
      },
    });
    function draw(q) {
      const s = q.trim().toLowerCase();
      const found = world
        .people()
        .filter(
          (p) =>
            !p.bot &&
            !p.deleted &&
            p.id !== world.me &&
            (!s || `${p.name} ${p.handle} ${p.title ?? ""}`.toLowerCase().includes(s)),
        );
      fill(
        list,
        found.length
          ? found.map((p) =>
              h(
                "div",
                { class: "person" },
                h(
                  "button",
                  {
                    type: "button",
                    data: { user: p.id },
                    onClick: () => {
                      panel.hidePopover();
                      go(p.id);
                    },
                  },
                  avatar(p),
                  h("span", { class: "you-words" }, h("b", null, p.name), h("span", null, p.title)),
                ),
              ),
            )
          : h("p", { class: "combo-note" }, "Nobody by that name"),
      );
    }
    draw("");
    const panel = popup(anchor, [search, list], {
      label: "Write to somebody",
      className: "popup-people",
      focus: search,
    });
  }
  const write = iconButton("plus", "Write to somebody", {
    class: "small",
    "aria-haspopup": "dialog",
    "aria-expanded": "false",
    data: { do: "write" },
    onClick: (e) => colleague(e.currentTarget),
  });

  let drawn = "";
  function update() {
    // What has not changed stays: somebody may be pressing it.
    const key = JSON.stringify([
      here(),
      world
        .channels()
        .map((c) => [c.id, world.title(c), c.kind, c.is_member, c.is_archived, c.unread > 0, c.mentions]),
    ]);
    if (key === drawn) return;
    drawn = key;
    const focus = el.contains(document.activeElement) ? document.activeElement.dataset.place : null;
    const all = world.channels().filter((c) => !c.is_archived);
    const byName = (a, b) => world.title(a).localeCompare(world.title(b));
    const isRoom = (c) => c.kind === "public" || c.kind === "private";
    const dm = world.dm ?? { id: "app", unread: 0, with: world.app.bot_user_id, is_member: true };
    const room = (c) => place(c, icon(c.kind === "private" ? "lock" : "hash", 16));
    fill(
      el,
      section("Apps", [
        place(dm, avatar({ id: "app", name: world.app.name, app: true }, "small"), { note: world.app.name }),
      ]),
      section(
        "Channels",
        all
          .filter((c) => isRoom(c) && c.is_member)
          .sort(byName)
          .map(room),
      ),
      section(
        "People",
        [
          ...all
            .filter((c) => c.kind === "mpim" || (c.kind === "im" && c.with && !world.isApp(c)))
            .sort(byName)
            .map((c) =>
              place(c, avatar(world.person(c.with) ?? { id: c.id, name: world.title(c) }, "small")),
            ),
        ],
        write,
      ),
      section(
        "Channels to join",
        all
          .filter((c) => isRoom(c) && !c.is_member)
          .sort(byName)
          .map((c) => place(c, icon("hash", 16))),
      ),
    );
    if (!el.querySelector(".place[tabindex='0']")) el.querySelector(".place")?.setAttribute("tabindex", "0");
    if (focus) el.querySelector(`[data-place="${CSS.escape(focus)}"]`)?.focus();
  }

  world.on("conversations", update);
  world.on("people", update);
  return { el, update };
}
