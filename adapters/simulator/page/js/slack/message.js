// One message: who, when, what, and what can be done with it.

import { h, icon, iconButton, plural, append } from "../dom.js";
import { menu, ask } from "../popup.js";
import { avatar } from "../avatar.js";
import { blocks } from "./blocks.js";
import { mrkdwn, plain, link, unescape } from "./mrkdwn.js";
import { emojiOr, COMMON } from "../emoji.js";
import { emojiPicker } from "../emojipicker.js";
import { clock, full, seconds, ago } from "../dates.js";

/**
 * messageRow draws a message. deps: {world, client, openThread(ts), inThread, said(err)}.
 * compact leaves out name and picture, as after another message of the same person.
 */
export function messageRow(m, { compact, fresh }, deps) {
  const { world } = deps;
  const by = world.author(m);
  const s = seconds(m.ts);
  const row = h("article", {
    class: ["message", compact && "compact", m.is_ephemeral && "ephemeral"],
    tabindex: "-1",
    data: {
      ts: m.ts,
      channel: m.channel,
      threadTs: m.thread_ts,
      user: m.user,
      ephemeral: m.is_ephemeral ? "true" : null,
    },
    "aria-label": `${by.name}${by.app ? ", app" : ""}, ${clock(s, world.zone)}${m.is_ephemeral ? ", only visible to you" : ""}`,
  });
  if (/_(join|leave|topic|purpose|name|archive)$|^tombstone$/.test(m.subtype ?? "")) {
    row.classList.add("quiet");
    return append(row, [
      h("div", { class: "gutter" }),
      h(
        "div",
        { class: "message-main" },
        h("p", { class: "aside" }, plain(m.text, world)),
        summary(m, fresh, deps),
      ),
    ]);
  }
  const time = h(
    "time",
    { class: "time", title: full(s, world.zone), datetime: new Date(s * 1000).toISOString() },
    clock(s, world.zone),
  );
  append(row, [
    h("div", { class: "gutter" }, compact ? time : avatar(by)),
    h(
      "div",
      { class: "message-main" },
      m.is_ephemeral && h("p", { class: "only-you" }, icon("eye", 14), "Only visible to you"),
      !compact &&
        h(
          "div",
          { class: "message-head" },
          h("span", { class: "author" }, by.name),
          by.app && h("span", { class: "badge-app" }, "APP"),
          time,
        ),
      m.subtype === "thread_broadcast" && h("p", { class: "aside" }, "replied to a thread"),
      h("div", { class: "message-body" }, body(m, deps)),
      files(m, deps),
      reactions(m, deps),
      summary(m, fresh, deps),
    ),
    toolbar(m, row, deps),
  ]);
  return row;
}

function context(m, deps) {
  return {
    world: deps.world,
    surface: "message",
    state: m.state?.values,
    change: (block, el, values) =>
      deps.client.post("act", { channel: m.channel, ts: m.ts, block, action: el.action_id, values }),
    options: async (block, el, typed) =>
      (
        await deps.client.post("suggest", {
          channel: m.channel,
          ts: m.ts,
          block,
          action: el.action_id,
          typed,
        })
      ).options,
  };
}

function body(m, deps) {
  const edited =
    m.edited &&
    !deps.world.author(m).app &&
    h("span", { class: "edited", title: `Edited ${ago(seconds(m.edited.ts))}` }, "(edited)");
  const ctx = context(m, deps);
  // What a person types comes with a block of the same words, in which the double
  // leaves the signs of bold and the like as they were typed.
  const drawn =
    m.blocks?.length && deps.world.author(m).app
      ? h("div", { class: "blocks" }, blocks(m.blocks, ctx))
      : h("div", { class: "text" }, mrkdwn(m.text, deps.world));
  if (edited) drawn.append(" ", edited);
  const attached = (m.attachments ?? []).map((a) =>
    h(
      "div",
      { class: "attachment", data: { color: a.color } },
      a.blocks
        ? blocks(a.blocks, ctx)
        : [
            a.pretext && h("div", { class: "text" }, mrkdwn(a.pretext, deps.world)),
            a.title &&
              h(
                "div",
                { class: "attachment-title" },
                a.title_link ? link(a.title_link, unescape(a.title), deps.world) : unescape(a.title),
              ),
            (a.text || a.fallback) && h("div", { class: "text" }, mrkdwn(a.text || a.fallback, deps.world)),
          ],
    ),
  );
  return [drawn, attached];
}

function files(m, deps) {
  if (!m.files?.length) return null;
  return h(
    "ul",
    { class: "files", "aria-label": "Files" },
    m.files.map((f) => {
      const href = deps.client.url("file", { id: f.id });
      const isImage = /^image\/(png|jpe?g|gif|webp)$/.test(f.mimetype);
      return h(
        "li",
        null,
        h(
          "a",
          {
            href,
            target: "_blank",
            rel: "noopener",
            class: ["file", isImage && "file-image"],
            download: isImage ? null : f.name,
          },
          isImage
            ? h("img", { src: href, alt: f.title || f.name, loading: "lazy" })
            : [
                icon("file", 22),
                h("span", null, h("b", null, f.title || f.name), h("small", null, size(f.size))),
              ],
        ),
      );
    }),
  );
}

function size(n) {
  if (n < 1024) return plural(n, "byte");
  return n < 1048576 ? `${Math.round(n / 1024)} KB` : `${(n / 1048576).toFixed(1)} MB`;
}

function reactions(m, deps) {
  if (!m.reactions?.length) return null;
  const { world } = deps;
  return h(
    "div",
    { class: "reactions", role: "group", "aria-label": "Reactions" },
    m.reactions.map((r) => {
      const mine = r.users.includes(world.me);
      const who = r.users.map((u) => (u === world.me ? "you" : world.author({ user: u }).name)).join(", ");
      return h(
        "button",
        {
          type: "button",
          class: ["reaction", mine && "mine"],
          "aria-pressed": String(mine),
          data: { emoji: r.name },
          title: `${who} reacted with :${r.name}:`,
          "aria-label": `${r.name.replaceAll("_", " ")}, ${plural(r.users.length, "person", "people")}: ${who}`,
          onClick: () => toggle(m, r.name, deps),
        },
        emojiOr(r.name),
        h("span", { class: "count" }, r.users.length),
      );
    }),
    iconButton("smile-plus", "Add reaction", {
      class: "reaction add",
      data: { do: "react" },
      "aria-haspopup": "dialog",
      onClick: (e) => pickReaction(m, e.currentTarget, deps),
    }),
  );
}

function toggle(m, name, deps) {
  const mine = m.reactions?.find((r) => r.name === name)?.users.includes(deps.world.me);
  return deps.client
    .post(mine ? "unreact" : "react", { channel: m.channel, ts: m.ts, emoji: name })
    .catch(deps.said);
}

function pickReaction(m, anchor, deps) {
  emojiPicker(
    anchor,
    (name) => {
      if (!m.reactions?.find((r) => r.name === name)?.users.includes(deps.world.me)) toggle(m, name, deps);
    },
    COMMON,
  );
}

function summary(m, fresh, deps) {
  if (deps.inThread || !m.reply_count) return null;
  const people = (m.reply_users ?? [])
    .slice(0, 4)
    // Replies in the app's name have its bot's id here.
    .map((id) => avatar(deps.world.author(id.startsWith("B") ? { bot_id: id } : { user: id }), "small"));
  return h(
    "button",
    {
      type: "button",
      class: ["thread-summary", fresh && "fresh"],
      data: { do: "thread" },
      onClick: () => deps.openThread(m.ts),
    },
    h("span", { class: "avatars" }, people),
    h("b", null, plural(m.reply_count, "reply", "replies")),
    fresh
      ? h("span", { class: "new-count" }, `${fresh} new`)
      : h("span", { class: "last-reply" }, sinceThen(seconds(m.latest_reply ?? m.ts))),
    icon("chevron-right", 16),
  );
}

/** sinceThen is "5 minutes ago", and stays true: see tick. */
function sinceThen(s) {
  return h("span", { data: { since: s } }, ago(s));
}

/** tick brings what is said of elapsed time up to date. */
export function tick(root) {
  for (const el of root.querySelectorAll("[data-since]")) el.textContent = ago(Number(el.dataset.since));
}

function toolbar(m, row, deps) {
  const { world, client } = deps;
  if (m.is_ephemeral) {
    return h(
      "div",
      { class: "toolbar", role: "toolbar", "aria-label": "Message actions" },
      iconButton("close", "Dismiss", {
        data: { do: "dismiss" },
        onClick: () => client.post("dismiss", { channel: m.channel, ts: m.ts }).catch(deps.said),
      }),
    );
  }
  const more = iconButton("more", "More actions", {
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    data: { do: "more" },
    onClick: () => menu(more, items(), { label: "More actions" }),
  });
  const items = () => {
    const own = m.user === world.me && !m.bot_id;
    const list = [];
    for (const s of (world.app.shortcuts ?? []).filter((s) => s.on_message)) {
      list.push({
        label: s.name,
        note: world.app.name,
        icon: avatar({ id: world.app.bot_user_id, name: world.app.name, app: true }, "small"),
        data: { shortcut: s.callback_id },
        run: () =>
          client
            .post("message-shortcut", { callback: s.callback_id, channel: m.channel, ts: m.ts })
            .catch(deps.said),
      });
    }
    if (list.length) list.push(null);
    list.push({
      label: "Copy text",
      icon: icon("copy", 18),
      data: { do: "copy" },
      run: () => navigator.clipboard?.writeText(plain(m.text, world)),
    });
    if (own) {
      list.push({
        label: "Edit message",
        icon: icon("edit", 18),
        data: { do: "edit" },
        run: () => deps.edit(m, row),
      });
      list.push({
        label: "Delete message…",
        icon: icon("trash", 18),
        danger: true,
        data: { do: "delete" },
        run: async () => {
          if (
            await ask({
              title: "Delete message",
              text: "Delete this message for everyone? This can't be undone.",
              yes: "Delete",
              danger: true,
            })
          )
            client.post("delete", { channel: m.channel, ts: m.ts }).catch(deps.said);
        },
      });
    }
    return list;
  };
  return h(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": "Message actions" },
    COMMON.slice(0, 3).map((name) =>
      h(
        "button",
        {
          type: "button",
          class: "icon-button",
          title: `React with :${name}:`,
          "aria-label": `React with ${name.replaceAll("_", " ")}`,
          data: { emoji: name },
          onClick: () => toggle(m, name, deps),
        },
        emojiOr(name),
      ),
    ),
    iconButton("smile-plus", "Add reaction (R)", {
      data: { do: "react" },
      "aria-haspopup": "dialog",
      onClick: (e) => pickReaction(m, e.currentTarget, deps),
    }),
    !deps.inThread &&
      iconButton("thread", "Reply in thread (T)", {
        data: { do: "thread" },
        onClick: () => deps.openThread(m.thread_ts || m.ts),
      }),
    more,
  );
}

/** rowKeys are the letters that work while a message has the focus. */
export function rowKeys(e, deps) {
  const row = e.target;
  if (!row.classList?.contains("message") || e.ctrlKey || e.metaKey || e.altKey) return;
  const m = deps.world.message(row.dataset.channel, row.dataset.ts);
  if (!m) return;
  const press = (what) => row.querySelector(`.toolbar [data-do=${what}]`)?.click();
  switch (e.key.toLowerCase()) {
    case "r":
      press("react");
      break;
    case "t":
      deps.inThread || deps.openThread(m.thread_ts || m.ts);
      break;
    case "e":
      if (m.user !== deps.world.me) return;
      deps.edit(m, row);
      break;
    case "m":
    case ".":
      press("more");
      break;
    case "enter":
      row.querySelector(".message-main button, .message-main a, .message-main input")?.focus();
      break;
    default:
      return;
  }
  e.preventDefault();
}
