// The chat pane: one person's client of the workspace. The shell gives it a
// place for its navigation and a place for itself, and knows nothing else of it.

import { h, icon, iconButton, fill, announce, toast, rove, plural } from "../dom.js";
import { follow } from "../api.js";
import { menu } from "../popup.js";
import { World, isReply } from "./world.js";
import { navigation } from "./nav.js";
import { messageList } from "./list.js";
import { composer, editInPlace } from "./composer.js";
import { homeTab } from "./home.js";
import { modals } from "./modal.js";
import { tick } from "./message.js";
import { avatar } from "../avatar.js";
import { plain, mrkdwn } from "./mrkdwn.js";

/**
 * chatPane makes the pane for one person from GET /api/state. at is where to
 * begin: {in, thread, tab}; moved(at) is told where the person is, reload() asks
 * the shell to begin anew, away() that a place was chosen (on narrow windows the
 * side bar then gives way), counted(n) how many messages wait for this person.
 */
export function chatPane({ client, state, at, moved, reload, away, counted }) {
  const world = new World(client, state, { open: (id, to) => go(id, to) });
  let place = null; // {id, tab, thread}
  let room = null; // {list, composer, update} of the open conversation
  let side = null; // the same of the open thread
  let home = null;
  let going = 0;

  const banner = h(
    "div",
    { class: "connection", role: "status", hidden: true },
    icon("warning", 16),
    "Connection lost. Trying again…",
  );
  const middle = h("section", { class: "room", "aria-label": "Conversation" });
  const thread = h("aside", { class: "thread", "aria-label": "Thread", hidden: true });
  const el = h("div", { class: "chat", data: { pane: "slack" } }, middle, thread, banner);
  const said = (err) => toast(err.message, { alert: true });
  const nav = navigation({
    world,
    here: () => place?.id,
    go: (id) => {
      go(id);
      away();
    },
  });

  const base = {
    world,
    client,
    said,
    openThread: (ts) => openThread(ts),
    edit: (m, row) => editInPlace(m, row, { world, client }),
  };

  world.watching = (channel, ts) =>
    document.visibilityState === "visible" &&
    place?.id === channel &&
    (ts ? place.thread === ts : place.tab !== "home");
  world.on("message", (d) => {
    if (d.channel === place?.id) {
      room?.update(d);
      if (place.thread) side?.update(d);
      if (d.gone && place.thread === d.ts) closeThread();
    }
    if (d.posted) heard(d.channel, d.posted);
  });
  world.on("home", () => home?.update());
  world.on("conversations", () => {
    heading?.();
    counted(world.channels().reduce((n, c) => n + (c.mentions ?? 0), 0));
  });
  world.on("people", () => {
    room?.update();
    side?.update();
  });
  document.addEventListener("visibilitychange", look);

  function heard(channel, m) {
    if (m.user === world.me) return;
    const c = world.channel(channel);
    if (place?.id === channel) {
      announce(
        `${world.author(m).name}${isReply(m) ? ", in a thread" : ""}: ${plain(m.text, world) || "a card"}`,
      );
      look();
    } else announce(`New message from ${world.author(m).name} in ${world.title(c)}`);
  }

  /** look marks as read what is on the screen. */
  function look() {
    if (!place || document.visibilityState !== "visible") return;
    if (place.tab !== "home") world.seen(place.id);
    if (place.thread) world.seen(place.id, place.thread);
  }

  /** go opens a conversation by id; "app" is the app, wherever its DM is. */
  async function go(id, { thread: ts, tab = "messages", compose } = {}) {
    const turn = ++going; // a place that was left before it had come up stays away
    try {
      if (id === "app" || id === world.dm?.id) {
        if (tab === "home") await client.post("home").catch(said);
        const { channel } = await client.post("dm");
        id = channel;
      } else if (world.person(id)) id = (await client.post("dm", { with: [id] })).channel;
      if (!world.channel(id)) await world.refresh();
      if (turn !== going) return;
      const c = world.channel(id);
      if (!c) return said(new Error("That conversation is not here any more."));
      closeThread({ quiet: true });
      place = { id, tab, thread: null };
      const newAfter = c.unread ? c.last_read || "0" : null;
      show(c, newAfter);
      nav.update();
      moved(place);
      await world.load(id);
      if (turn !== going) return;
      room?.list?.toEnd();
      look();
      if (ts) await openThread(ts, { focus: !compose });
      if (compose != null) (side ?? room)?.composer?.set(compose);
      else if (!ts && !busyElsewhere()) room?.composer?.focus();
    } catch (err) {
      said(err);
    }
  }

  /** busyElsewhere says that the person is in another pane. */
  function busyElsewhere() {
    const pane = document.activeElement?.closest?.("[data-pane], dialog");
    return pane && pane !== el;
  }

  let heading = null;
  function show(c, newAfter) {
    const isApp = world.isApp(c);
    const head = h("header", { class: "room-head" });
    let drawn = "";
    heading = () => {
      const now = world.channel(c.id) ?? c;
      const people = now.members?.length ?? 0;
      // What has not changed stays: somebody may be pressing it.
      const key = JSON.stringify([world.title(now), now.topic, people]);
      if (key === drawn) return;
      drawn = key;
      fill(
        head,
        iconButton("menu", "Show conversations", { class: "only-narrow", data: { do: "side" } }),
        h(
          "div",
          { class: "room-title" },
          isApp
            ? avatar({ id: "app", name: world.app.name, app: true })
            : now.with
              ? avatar(world.person(now.with) ?? { id: now.id, name: "?" })
              : null,
          h(
            "div",
            null,
            h("h1", null, world.title(now), isApp && h("span", { class: "badge-app" }, "APP")),
            h(
              "p",
              null,
              isApp
                ? world.app.description
                : now.topic
                  ? mrkdwn(now.topic, world)
                  : now.with
                    ? world.person(now.with)?.title
                    : plural(people, "member"),
            ),
          ),
        ),
        isApp
          ? tabs()
          : !now.with &&
              h(
                "span",
                {
                  class: "room-people",
                  title: plural(people, "member"),
                  "aria-label": plural(people, "member"),
                },
                icon("people", 18),
                String(people),
              ),
        shortcuts(),
      );
    };
    heading();
    if (isApp && place.tab === "home") {
      home = homeTab({ world, client });
      room = null;
      fill(middle, head, home.el);
      return;
    }
    home = null;
    const deps = { ...base, inThread: false };
    const list = messageList({
      label: `Messages in ${world.title(c)}`,
      deps,
      newAfter,
      messages: () => world.list(c.id),
      older: () => world.load(c.id, { older: true }),
      hasOlder: () => !world.complete.has(c.id),
      intro: () => introduction(c, isApp),
    });
    const comp =
      c.is_member === false
        ? null
        : composer({
            world,
            key: c.id,
            label: `Message ${world.title(c)}`,
            placeholder: `Message ${world.title(c)}`,
            commands: () => world.app.commands ?? [],
            send: (post) => send(c.id, null, post),
            up: () => editLast(list.el),
          });
    fill(middle, head, list.el, h("div", { class: "room-foot" }, comp ? comp.el : joinBar(c)));
    room = { list, composer: comp, update: list.update };
    list.update();
  }

  function tabs() {
    const tab = (id, words) =>
      h(
        "button",
        {
          type: "button",
          role: "tab",
          class: "tab",
          "aria-selected": String(place.tab === id),
          tabindex: place.tab === id ? "0" : "-1",
          data: { tab: id },
          onClick: async () => {
            await go("app", { tab: id });
            middle.querySelector(`[data-tab=${id}]`)?.focus();
          },
        },
        words,
      );
    const box = h(
      "div",
      { class: "tabs", role: "tablist", "aria-label": world.app.name },
      tab("home", "Home"),
      tab("messages", "Messages"),
    );
    rove(box, () => [...box.children], { keys: ["ArrowLeft", "ArrowRight"], wrap: true });
    return box;
  }

  function shortcuts() {
    const global = (world.app.shortcuts ?? []).filter((s) => !s.on_message);
    if (!global.length) return null;
    const b = iconButton("bolt", "Shortcuts", {
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      data: { do: "shortcuts" },
      onClick: () =>
        menu(
          b,
          global.map((s) => ({
            label: s.name,
            note: world.app.name,
            icon: icon("bolt", 18),
            data: { shortcut: s.callback_id },
            run: () => client.post("shortcut", { callback: s.callback_id }).catch(said),
          })),
          { label: "Shortcuts" },
        ),
    });
    return b;
  }

  function introduction(c, isApp) {
    const words = isApp
      ? `This is where you and ${world.app.name} talk. ${world.app.description ?? ""}`
      : c.with
        ? `This is the beginning of your conversation with ${world.title(c)}.`
        : `This is the beginning of ${world.title(c)}. ${plain(c.purpose, world)}`;
    return h(
      "div",
      { class: "intro" },
      isApp
        ? avatar({ id: "app", name: world.app.name, app: true }, "large")
        : c.with
          ? avatar(world.person(c.with) ?? { id: c.id, name: "?" }, "large")
          : h("span", { class: "intro-sign" }, icon(c.kind === "private" ? "lock" : "hash", 28)),
      h("h2", null, world.title(c)),
      h("p", null, words),
    );
  }

  function joinBar(c) {
    const b = h(
      "button",
      {
        type: "button",
        class: "button primary",
        data: { do: "join" },
        onClick: async () => {
          try {
            await client.post("join", { channel: c.id });
            await world.refresh();
            go(c.id);
          } catch (err) {
            said(err);
          }
        },
      },
      "Join channel",
    );
    return h("div", { class: "join-bar" }, h("span", null, `You are looking at ${world.title(c)}.`), b);
  }

  async function send(channel, ts, { text, files, broadcast }) {
    if (text.startsWith("/") && !files.length) {
      const [name] = text.split(/\s/, 1);
      if (!world.app.commands?.some((c) => c.name === name))
        throw new Error(
          `${name} is not a command here. To send it as a message, put a space before the slash.`,
        );
      if (ts) throw new Error(`${name} works in the conversation itself, not in a thread.`);
      await client.post("command", { channel, command: name, text: text.slice(name.length).trim() });
      return;
    }
    const form = new FormData();
    form.append("channel", channel);
    form.append("text", text);
    if (ts) form.append("thread", ts);
    if (broadcast) form.append("broadcast", "true");
    for (const f of files) form.append("file", f, f.name || "image.png");
    await client.post("say", form);
  }

  function editLast(listEl) {
    const mine = [...listEl.querySelectorAll(`.message[data-user="${CSS.escape(world.me)}"]`)].at(-1);
    const m = mine && world.message(mine.dataset.channel, mine.dataset.ts);
    if (!m) return false;
    editInPlace(m, mine, { world, client });
    return true;
  }

  let opener = null;
  async function openThread(ts, { focus = true } = {}) {
    const channel = place.id;
    opener = document.activeElement?.closest?.(".message")?.dataset.ts ?? ts;
    place.thread = ts;
    moved(place);
    const c = world.channel(channel);
    const list = messageList({
      label: "Messages in this thread",
      deps: { ...base, inThread: true },
      messages: () => world.thread(channel, ts),
      dividers: false,
    });
    const comp =
      c.is_member === false
        ? null
        : composer({
            world,
            key: `${channel} ${ts}`,
            label: "Reply in thread",
            placeholder: "Reply…",
            send: (post) => send(channel, ts, post),
            up: () => editLast(list.el),
            broadcastLabel: c.with ? null : `Also send to ${world.title(c)}`,
          });
    side = { list, composer: comp, update: list.update };
    fill(
      thread,
      h(
        "header",
        { class: "room-head" },
        h(
          "div",
          { class: "room-title" },
          h("div", null, h("h2", null, "Thread"), h("p", null, world.title(c))),
        ),
        iconButton("close", "Close thread (Esc)", {
          data: { do: "close-thread" },
          onClick: () => closeThread(),
        }),
      ),
      list.el,
      comp && h("div", { class: "room-foot" }, comp.el),
    );
    thread.hidden = false;
    el.classList.add("with-thread");
    list.update();
    look();
    if (focus) comp?.focus();
    try {
      await world.loadThread(channel, ts);
    } catch (err) {
      closeThread();
      return said(err);
    }
    list.toEnd();
    look();
  }

  function closeThread({ quiet = false } = {}) {
    if (!side) return;
    const had = thread.contains(document.activeElement);
    side = null;
    if (place) place.thread = null;
    thread.hidden = true;
    thread.replaceChildren();
    el.classList.remove("with-thread");
    if (quiet) return;
    moved(place);
    if (had)
      (middle.querySelector(`.message[data-ts="${CSS.escape(opener ?? "")}"]`) ?? room?.composer)?.focus();
  }
  thread.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && !e.defaultPrevented) {
      e.preventDefault();
      closeThread();
    }
  });

  modals({ world, client });
  const stop = follow(client, state.next, {
    change: (c) => world.apply(c),
    gap: reload,
    status: (ok) => {
      banner.hidden = ok;
    },
  });
  const ticking = setInterval(() => tick(el), 30_000);
  nav.update();
  go(at.in && (at.in === "app" || world.channel(at.in)) ? at.in : "app", {
    thread: at.thread,
    tab: at.tab,
    compose: at.compose,
  });

  return {
    el,
    nav: nav.el,
    world,
    go,
    close: () => {
      stop();
      clearInterval(ticking);
      document.removeEventListener("visibilitychange", look);
      for (const d of document.querySelectorAll("dialog:not(.teams-dialog)")) d.remove();
    },
  };
}
