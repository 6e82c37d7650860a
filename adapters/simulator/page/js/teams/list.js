// The messages of a conversation. A chat is one row after the other; in a channel
// each post stands in a box with its answers and a field for another.

import { h, icon, plural, rove, sync } from "../dom.js";
import { dayKey, dayName } from "../dates.js";
import { row, at } from "./message.js";

const TOGETHER = 5 * 60; // seconds within which messages of one person stand together
const FOLDED = 3; // answers that are shown of a long thread

/**
 * messageList makes the scrolling list of a conversation c. reply(post) makes the
 * field under a post.
 */
export function messageList({ c, deps, intro, reply }) {
  const { world } = deps;
  const flat = c.kind !== "channel";
  const rows = new Map(); // id → {key, node}
  const boxes = new Map(); // post id → {el, field, unfolded}
  const kept = new Map();
  const feed = h("div", {
    class: ["feed", flat && "feed-chat"],
    role: "feed",
    "aria-label": `Messages in ${c.title}`,
  });
  const scroller = h("div", { class: "scroller", tabindex: "-1" }, feed);
  const jump = h(
    "button",
    { type: "button", class: "jump", hidden: true, onClick: () => toEnd() },
    icon("arrow-down", 16),
    "New messages",
  );
  const el = h("div", { class: "message-list" }, scroller, jump);
  let atEnd = true;
  let loading = false;

  const items = () => [...feed.querySelectorAll(".message")];
  rove(feed, () => (document.activeElement?.classList.contains("message") ? items() : []));
  feed.addEventListener("keydown", keys);
  feed.addEventListener("focusin", (e) => {
    if (e.target.classList.contains("message")) for (const x of items()) x.tabIndex = x === e.target ? 0 : -1;
  });
  scroller.addEventListener(
    "scroll",
    async () => {
      atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
      if (atEnd) jump.hidden = true;
      if (scroller.scrollTop > 200 || loading || world.complete.has(c.id)) return;
      loading = true;
      const below = scroller.scrollHeight - scroller.scrollTop;
      try {
        await world.load(c.id, { older: true });
      } finally {
        loading = false;
        scroller.scrollTop = scroller.scrollHeight - below;
      }
    },
    { passive: true },
  );
  new ResizeObserver(() => atEnd && toEnd()).observe(feed);
  new ResizeObserver(() => atEnd && toEnd()).observe(scroller);

  function toEnd() {
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: "instant" });
    atEnd = true;
    jump.hidden = true;
  }

  /** keys are the letters that work while a message has the focus. */
  function keys(e) {
    const el = e.target;
    if (!el.classList?.contains("message") || e.ctrlKey || e.metaKey || e.altKey) return;
    const press = (what) => el.querySelector(`.toolbar [data-do=${what}]`)?.click();
    const key = e.key.toLowerCase();
    if (key === "m" || key === ".") press("more");
    else if (key === "r")
      flat ? press("quote") : el.closest(".post")?.querySelector("[data-do=reply]")?.click();
    else if (key === "e") {
      const m = world.message(el.dataset.channel, el.dataset.id);
      if (m?.from === world.me) deps.edit(m, el);
    } else if (key === "enter")
      el.querySelector(".message-main button, .message-main a, .message-main input")?.focus();
    else return;
    e.preventDefault();
  }

  /** draw gives the row of a message: the one that is there, if it still holds. */
  function draw(m, how, posted) {
    // What this person does to a card changes it in place.
    const { entered, toggled, errors, ...rest } = m;
    const key = JSON.stringify([rest, how]);
    let x = rows.get(m.id);
    if (x?.key === key) x.node.update(m);
    else {
      const focus = x && remember(x.node);
      x = { key, node: row(m, how, deps) };
      rows.set(m.id, x);
      if (posted?.id === m.id) x.node.classList.add("arrives");
      if (focus)
        requestAnimationFrame(() => (x.node.querySelector(focus) ?? x.node).focus({ preventScroll: true }));
    }
    return x.node;
  }

  function post(m, posted) {
    if (!boxes.has(m.id)) {
      const b = { el: h("section", { class: "post", data: { post: m.id } }), field: null, unfolded: false };
      b.button = h(
        "button",
        {
          type: "button",
          class: "reply-button",
          data: { do: "reply" },
          onClick: () => {
            b.field = reply(m, () => {
              b.field = null;
              update();
              b.button.focus();
            });
            update();
            b.field.focus();
          },
        },
        icon("thread", 16),
        "Reply",
      );
      boxes.set(m.id, b);
    }
    const b = boxes.get(m.id);
    const replies = world.replies(c.id, m.id);
    const shown = b.unfolded ? replies : replies.slice(-FOLDED);
    const hidden = replies.length - shown.length;
    sync(
      b.el,
      [
        draw(m, {}, posted),
        hidden > 0 &&
          keep(`more ${m.id} ${hidden}`, () =>
            h(
              "button",
              {
                type: "button",
                class: "reply-button",
                data: { do: "unfold" },
                onClick: () => {
                  b.unfolded = true;
                  update();
                },
              },
              `Show ${plural(hidden, "earlier reply", "earlier replies")}`,
            ),
          ),
        replies.length > 0 &&
          box(
            `replies ${m.id}`,
            h,
            shown.map((x, i) => draw(x, { compact: together(shown[i - 1], x) }, posted)),
          ),
        b.field ? b.field.el : b.button,
      ].filter(Boolean),
    );
    return b.el;
  }

  /** box keeps an element whose children change. */
  function box(key, make, children) {
    const el = keep(key, () => make("div", { class: "post-replies" }));
    sync(el, children);
    return el;
  }

  function keep(key, make) {
    if (!kept.has(key)) kept.set(key, make());
    return kept.get(key);
  }

  function update({ posted } = {}) {
    const list = world.list(c.id);
    const wanted = [];
    let before = null;
    if (world.complete.has(c.id)) wanted.push(keep("intro", intro));
    for (const m of list) {
      const day = dayKey(at(m), world.zone);
      if (!before || dayKey(at(before), world.zone) !== day) {
        const name = dayName(at(m), world.zone);
        wanted.push(
          keep(`day ${day} ${name}`, () =>
            h("div", { class: "day", role: "separator" }, h("span", null, name)),
          ),
        );
        before = null;
      }
      wanted.push(flat ? draw(m, { bubble: true, compact: together(before, m) }, posted) : post(m, posted));
      before = m;
    }
    const known = new Set([...world.map(c.id).keys()]);
    for (const id of rows.keys()) if (!known.has(id)) rows.delete(id);
    sync(feed, wanted);
    const all = items();
    if (!all.some((x) => x.tabIndex === 0) && all.length) all.at(-1).tabIndex = 0;
    if (atEnd || posted?.from === world.me) toEnd();
    else if (posted) jump.hidden = false;
  }

  return { el, update, toEnd };
}

function together(a, b) {
  return !!a && a.from === b.from && !a.to === !b.to && !a.deleted && at(b) - at(a) < TOGETHER;
}

/** remember names the control of a message that has the focus. */
function remember(node) {
  const a = document.activeElement;
  if (!node.contains(a)) return null;
  if (a === node) return ":scope";
  const input = a.closest("[data-input]");
  if (input) return `[data-input="${CSS.escape(input.dataset.input)}"] input`;
  for (const key of ["verb", "do", "emoji"])
    if (a.dataset[key]) return `[data-${key}="${CSS.escape(a.dataset[key])}"]`;
  return ":scope";
}
