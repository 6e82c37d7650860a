// A list of messages that follows the world: only what changed is drawn anew,
// and the focus stays where it was.

import { h, icon, plural, rove, sync } from "../dom.js";
import { messageRow, rowKeys } from "./message.js";
import { dayKey, dayName, seconds } from "../dates.js";

const TOGETHER = 5 * 60; // seconds within which messages of one person stand together

/**
 * messageList makes the scrolling list. messages() gives what it shows, oldest
 * first; older() loads what came before, if there is a before.
 */
export function messageList({
  label,
  messages,
  deps,
  older,
  hasOlder = () => false,
  intro,
  newAfter,
  dividers = true,
}) {
  const rows = new Map(); // ts → {message, compact, fresh, node}
  const feed = h("div", { class: "feed", role: "feed", "aria-label": label });
  const scroller = h("div", { class: "scroller", tabindex: "-1" }, feed);
  const jump = h(
    "button",
    { type: "button", class: "jump", hidden: true, onClick: () => toEnd(true) },
    icon("arrow-down", 16),
    "New messages",
  );
  const el = h("div", { class: "message-list" }, scroller, jump);
  let atEnd = true;
  let loading = false;

  const items = () => [...feed.querySelectorAll(".message")];
  rove(feed, () => (document.activeElement?.classList.contains("message") ? items() : []));
  feed.addEventListener("keydown", (e) => rowKeys(e, deps));
  feed.addEventListener("focusin", (e) => {
    if (e.target.classList.contains("message")) for (const x of items()) x.tabIndex = x === e.target ? 0 : -1;
  });

  scroller.addEventListener(
    "scroll",
    () => {
      atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
      if (atEnd) jump.hidden = true;
      if (scroller.scrollTop < 200 && older && hasOlder() && !loading) loadOlder();
    },
    { passive: true },
  );
  // Pictures and opened panels change the height after the fact.
  new ResizeObserver(() => atEnd && toEnd()).observe(feed);
  new ResizeObserver(() => atEnd && toEnd()).observe(scroller);

  async function loadOlder() {
    loading = true;
    const below = scroller.scrollHeight - scroller.scrollTop;
    try {
      await older();
    } finally {
      loading = false;
      scroller.scrollTop = scroller.scrollHeight - below;
    }
  }

  function toEnd(smooth) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: smooth && !calm ? "smooth" : "instant" });
    atEnd = true;
    jump.hidden = true;
  }

  /** update draws what changed. */
  function update({ posted } = {}) {
    const focus = remember(feed);
    const wanted = [];
    const { zone } = deps.world;
    const list = messages();
    let before = null;
    let marked = false;
    if (intro && !(older && hasOlder())) wanted.push(keep("intro", () => intro()));
    for (const [i, m] of list.entries()) {
      const s = seconds(m.ts);
      const newDay = !before || dayKey(seconds(before.ts), zone) !== dayKey(s, zone);
      if (dividers && newDay)
        wanted.push(
          keep(`day ${dayKey(s, zone)} ${dayName(s, zone)}`, () =>
            h("div", { class: "day", role: "separator" }, h("span", null, dayName(s, zone))),
          ),
        );
      const firstNew = newAfter && !marked && m.ts > newAfter && m.user !== deps.world.me;
      marked ||= firstNew;
      const line = firstNew && before; // above everything it would say nothing
      if (line) {
        wanted.push(
          keep("new", () =>
            h(
              "div",
              { class: "new-line", role: "separator", "aria-label": "New messages" },
              h("span", null, "New"),
            ),
          ),
        );
      }
      const compact = !!before && !line && !(dividers && newDay) && together(before, m);
      const fresh = deps.inThread ? 0 : deps.world.freshReplies(m.channel, m.ts);
      let row = rows.get(m.ts);
      if (!row || row.message !== m || row.compact !== compact || row.fresh !== fresh) {
        row = { message: m, compact, fresh, node: messageRow(m, { compact, fresh }, deps) };
        if (posted?.ts === m.ts) row.node.classList.add("arrives");
        rows.set(m.ts, row);
      }
      row.node.setAttribute("aria-posinset", i + 1);
      row.node.setAttribute("aria-setsize", older && hasOlder() ? -1 : list.length);
      wanted.push(row.node);
      if (deps.inThread && !before && list.length > 1)
        wanted.push(
          keep(`replies ${list.length}`, () =>
            h("div", { class: "replies-line" }, h("span", null, plural(list.length - 1, "reply", "replies"))),
          ),
        );
      before = m;
    }
    const known = new Set(list.map((m) => m.ts));
    for (const ts of rows.keys()) if (!known.has(ts)) rows.delete(ts);
    sync(feed, wanted);
    const all = items();
    if (!all.some((x) => x.tabIndex === 0) && all.length) all.at(-1).tabIndex = 0;
    restore(feed, focus);
    if (atEnd || posted?.user === deps.world.me) toEnd();
    else if (posted) jump.hidden = false;
  }

  const kept = new Map();
  function keep(key, make) {
    if (!kept.has(key)) kept.set(key, make());
    return kept.get(key);
  }

  return { el, update, toEnd, focusLast: () => items().at(-1)?.focus() };
}

function together(a, b) {
  return (
    a.user === b.user &&
    a.bot_id === b.bot_id &&
    a.username === b.username &&
    !a.is_ephemeral === !b.is_ephemeral &&
    !a.subtype &&
    !b.subtype &&
    seconds(b.ts) - seconds(a.ts) < TOGETHER
  );
}

/** remember notes which control of which message has the focus. */
function remember(feed) {
  const a = document.activeElement;
  const row = feed.contains(a) && a.closest(".message");
  if (!row) return null;
  const path =
    a === row
      ? null
      : a.dataset.actionId
        ? `[data-block-id="${CSS.escape(a.closest("[data-block-id]")?.dataset.blockId ?? "")}"] [data-action-id="${CSS.escape(a.dataset.actionId)}"]`
        : a.dataset.emoji
          ? `.reactions [data-emoji="${CSS.escape(a.dataset.emoji)}"]`
          : a.dataset.do
            ? `[data-do="${CSS.escape(a.dataset.do)}"]`
            : null;
  return { ts: row.dataset.ts, path, el: a };
}

function restore(feed, f) {
  if (!f || f.el.isConnected) return;
  const row = feed.querySelector(`.message[data-ts="${CSS.escape(f.ts)}"]`);
  ((row && f.path && row.querySelector(f.path)) || row)?.focus({ preventScroll: true });
}
