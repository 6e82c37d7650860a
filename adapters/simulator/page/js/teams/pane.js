// The Teams pane: one person's client of the tenant. The shell gives it a place
// for its navigation and a place for itself, and knows nothing else of it.

import { h, icon, iconButton, fill, announce, toast, plural, enterIsTaken } from "../dom.js";
import { follow } from "../api.js";
import { menu } from "../popup.js";
import { avatar } from "../avatar.js";
import { ago } from "../dates.js";
import { composer } from "../slack/composer.js";
import { TeamsWorld } from "./world.js";
import { navigation } from "./nav.js";
import { messageList } from "./list.js";
import { summary } from "./message.js";
import { dialogs } from "./dialog.js";
import { find } from "./find.js";

/** teamsPane makes the pane for one person, as chatPane does for Slack. */
export function teamsPane({ client, state, at, moved, reload, away, counted }) {
  const world = new TeamsWorld(client, state);
  let place = null; // the open conversation's id
  let room = null; // {list, composer, quote, heading} of it
  let going = 0;

  const banner = h(
    "div",
    { class: "connection", role: "status", hidden: true },
    icon("warning", 16),
    "Connection lost. Trying again…",
  );
  const middle = h("section", { class: "teams-room", "aria-label": "Conversation in Teams" });
  const el = h("div", { class: "chat", data: { pane: "teams" } }, middle, banner);
  const said = (err) => toast(err.message, { alert: true });
  const nav = navigation({
    world,
    here: () => place,
    go: (id) => {
      go(id);
      away();
    },
  });

  const visible = () => document.visibilityState === "visible";
  world.watching = (channel) => visible() && place === channel;
  world.on("message", (d) => {
    if (d.channel === place) {
      room?.list.update(d);
      look();
    }
    if (d.posted) heard(d.channel, d.posted);
  });
  world.on("notice", (n) => n.code === "message" && announce(`Only visible to you: ${n.text}`));
  world.on("conversations", () => {
    room?.heading();
    counted(world.channels().reduce((n, c) => n + (c.unread ?? 0), 0));
  });
  world.on("typing", (d) => d.channel === place && room?.typing());
  document.addEventListener("visibilitychange", look);

  function heard(channel, m) {
    if (m.from === world.me || (m.to && m.to !== world.me)) return;
    const who = world.author(m).name;
    announce(
      place === channel
        ? `${who}: ${summary(m)}`
        : `New message from ${who} in ${world.channel(channel)?.title}`,
    );
  }

  /** look marks as read what is on the screen, and asks for cards of one's own. */
  let looking;
  function look() {
    clearTimeout(looking);
    looking = setTimeout(() => place && visible() && world.seen(place), 80);
  }

  /** go opens a conversation by id; "app" is the chat with the app. */
  async function go(id, { compose } = {}) {
    const turn = ++going;
    try {
      if (id === "app") id = world.chat?.id;
      if (!world.channel(id)) await world.refresh();
      if (turn !== going) return;
      const c = world.channel(id);
      if (!c) return said(new Error("That conversation is not here any more."));
      place = id;
      show(c);
      nav.update();
      moved({ id });
      await world.load(id);
      if (turn !== going) return;
      room.list.toEnd();
      look();
      if (compose != null) room.composer?.set(compose);
    } catch (err) {
      said(err);
    }
  }

  function show(c) {
    const head = h("header", { class: "room-head" });
    const isApp = c.kind === "personal";
    const typing = h("p", { class: "typing", role: "status" });
    let quoted = null;
    let timer;
    let drawn = "";
    const heading = () => {
      const now = world.channel(c.id) ?? c;
      const key = JSON.stringify([now.title, now.members?.length, now.installed]);
      if (key === drawn) return;
      drawn = key;
      fill(
        head,
        iconButton("menu", "Show conversations", { class: "only-narrow", data: { do: "side" } }),
        h(
          "div",
          { class: "room-title" },
          isApp && avatar({ id: world.bot, name: world.app.name, app: true }),
          h(
            "div",
            null,
            h(
              "h1",
              null,
              now.kind === "channel" ? now.name : now.title,
              isApp && h("span", { class: "badge-app" }, "APP"),
            ),
            h(
              "p",
              null,
              isApp
                ? "Chat in Microsoft Teams"
                : [now.in_team?.name, plural(now.members?.length ?? 0, "member")].filter(Boolean).join(" · "),
            ),
          ),
        ),
        tools(c),
      );
      fill(foot, now.installed || !isApp ? [typing, comp.el] : addBar(now));
    };

    const quoteBar = h("div", { class: "quote-bar", hidden: true });
    const quote = (m) => {
      quoted = m;
      quoteBar.hidden = !m;
      if (!m) return;
      fill(
        quoteBar,
        h("span", null, h("b", null, world.author(m).name), " ", summary(m)),
        iconButton("close", "Don't quote it", { class: "small", onClick: () => quote(null) }),
      );
      comp.focus();
    };
    const deps = {
      world,
      client,
      said,
      edit: (m, node) => edit(m, node),
      quote: c.kind === "channel" ? null : quote,
    };
    const comp = composer({
      world: writing(c),
      key: `teams ${c.id}`,
      label: c.kind === "channel" ? `Start a post in ${c.title}` : `Message ${c.title}`,
      placeholder: c.kind === "channel" ? `Start a post in ${c.name}` : "Type a message",
      send: async (post) => {
        await send(c.id, post, { quote: quoted?.id });
        quote(null);
      },
      up: () => editLast(),
    });
    const foot = h("div", { class: "room-foot" });
    const list = messageList({
      c,
      deps,
      intro: () => introduction(c, isApp),
      reply: (m, close) => {
        const field = composer({
          world: writing(c),
          key: `teams ${c.id} ${m.id}`,
          label: `Reply to ${world.author(m).name}`,
          placeholder: "Reply",
          send: (post) => send(c.id, post, { thread: m.id }),
        });
        field.el.addEventListener("keydown", (e) => {
          if (e.key === "Escape" && !e.defaultPrevented) {
            e.preventDefault();
            close();
          }
        });
        return field;
      },
    });
    comp.el.prepend(quoteBar);
    fill(middle, head, list.el, foot);
    room = {
      list,
      composer: comp,
      heading,
      typing: () => {
        clearTimeout(timer);
        typing.textContent = `${world.app.name} is typing…`;
        timer = setTimeout(() => (typing.textContent = ""), 4000);
      },
    };
    heading();
    list.update();

    function editLast() {
      const mine = [...list.el.querySelectorAll(`.message[data-user="${CSS.escape(world.me)}"]`)].at(-1);
      const m = mine && world.message(c.id, mine.dataset.id);
      if (!m || m.deleted) return false;
      edit(m, mine);
      return true;
    }
  }

  /** writing is what the composer knows of a conversation: whom one can mention. */
  const writing = (c) => ({
    me: world.me,
    people: () =>
      world
        .people()
        .filter((p) => p.bot || c.members?.includes(p.id))
        .map((p) => ({ ...p, handle: p.name })),
    channels: () => [],
  });

  async function send(channel, { text, files }, { thread, quote }) {
    const form = new FormData();
    form.append("channel", channel);
    form.append("text", text);
    if (thread) form.append("thread", thread);
    if (quote) form.append("quote", quote);
    for (const f of files) form.append("file", f, f.name || "image.png");
    await client.post("say", form);
  }

  /** tools are the app's commands, and its tab. */
  function tools(c) {
    const commands = (world.app.commands ?? []).filter((x) => !x.on_message);
    return [
      ...commands
        .filter((x) => x.search)
        .map((x) =>
          iconButton("bolt", `${x.title} with ${world.app.name}`, {
            "aria-haspopup": "dialog",
            "aria-expanded": "false",
            data: { command: x.id },
            onClick: (e) => find(e.currentTarget, x, { channel: c.id }, { client, said }),
          }),
        ),
      commands.some((x) => !x.search) &&
        iconButton("plus", `More from ${world.app.name}`, {
          "aria-haspopup": "menu",
          "aria-expanded": "false",
          onClick: (e) =>
            menu(
              e.currentTarget,
              commands
                .filter((x) => !x.search)
                .map((x) => ({
                  label: x.title,
                  note: world.app.name,
                  data: { command: x.id },
                  run: () => client.post("command", { command: x.id, channel: c.id }).catch(said),
                })),
              { label: world.app.name },
            ),
        }),
      world.app.tab_url &&
        c.kind === "personal" &&
        h(
          "button",
          {
            type: "button",
            class: "button",
            data: { do: "tab" },
            onClick: () =>
              client
                .post("tab")
                .then(({ url }) => window.open(url, "_blank", "noopener"))
                .catch(said),
          },
          "My tickets",
        ),
    ];
  }

  function introduction(c, isApp) {
    return h(
      "div",
      { class: "intro" },
      isApp
        ? avatar({ id: world.bot, name: world.app.name, app: true }, "large")
        : h("span", { class: "intro-sign" }, icon(c.kind === "channel" ? "hash" : "people", 28)),
      h("h2", null, c.kind === "channel" ? c.name : c.title),
      h(
        "p",
        null,
        isApp
          ? `This is where you and ${world.app.name} talk in Teams.`
          : c.kind === "channel"
            ? `A channel of ${c.in_team?.name}. A post begins a talk of its own.`
            : "A chat of a few people.",
      ),
    );
  }

  function addBar(c) {
    return h(
      "div",
      { class: "join-bar" },
      h("span", null, `${world.app.name} is not there yet.`),
      h(
        "button",
        {
          type: "button",
          class: "button primary",
          data: { do: "install" },
          onClick: () => client.post("install", { channel: c.id }).catch(said),
        },
        `Add ${world.app.name}`,
      ),
    );
  }

  /** edit turns a message into a field with its text. */
  function edit(m, node) {
    const body = node.querySelector(".message-body");
    if (!body || node.querySelector(".edit-box")) return;
    const before = m.text.replace(/<at>(.*?)<\/at>/g, "@$1");
    const end = () => {
      box.remove();
      body.hidden = false;
      node.focus();
    };
    const save = async () => {
      const text = input.value.trim();
      if (!text) return;
      try {
        if (text !== before) await client.post("edit", { channel: m.channel, id: m.id, text });
        end();
      } catch (err) {
        note.textContent = err.message;
      }
    };
    const input = h("textarea", {
      class: "field",
      rows: 2,
      "aria-label": "Edit message",
      prop: { value: before },
      onKeypress: enterIsTaken,
      onKeydown: (e) => {
        e.stopPropagation();
        if (e.key === "Escape") end();
        if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
          e.preventDefault();
          save();
        }
      },
    });
    const note = h("p", { class: "composer-problem", role: "alert" });
    const box = h(
      "div",
      { class: "edit-box" },
      input,
      note,
      h(
        "div",
        { class: "ask-buttons" },
        h("button", { type: "button", class: "button", onClick: end }, "Cancel"),
        h("button", { type: "button", class: "button primary", onClick: save }, "Save"),
      ),
    );
    body.hidden = true;
    body.after(box);
    input.focus();
    input.setSelectionRange(input.value.length, input.value.length);
  }

  dialogs({ world, client, focusBack: () => room?.composer.focus() });
  const stop = follow(client, state.next, {
    change: (c) => world.apply(c),
    gap: reload,
    status: (ok) => {
      banner.hidden = ok;
    },
  });
  const ticking = setInterval(() => {
    for (const x of el.querySelectorAll("[data-since]")) x.textContent = ago(Number(x.dataset.since));
  }, 30_000);
  nav.update();
  go(at.in && (at.in === "app" || world.channel(at.in)) ? at.in : "app", { compose: at.compose });

  return {
    el,
    nav: nav.el,
    world,
    go,
    close: () => {
      stop();
      clearInterval(ticking);
      document.removeEventListener("visibilitychange", look);
      for (const d of document.querySelectorAll("dialog.teams-dialog")) d.remove();
    },
  };
}
