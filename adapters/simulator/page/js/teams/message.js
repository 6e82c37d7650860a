// One message of Teams: a bubble in a chat, a post or an answer in a channel.

import { h, icon, iconButton, plural } from "../dom.js";
import { menu, ask } from "../popup.js";
import { avatar } from "../avatar.js";
import { emojify, emojiOr } from "../emoji.js";
import { clock, full, ago } from "../dates.js";
import { working, trouble } from "../working.js";
import { card } from "./card.js";
import { markdown, link } from "./text.js";

const ADAPTIVE = "application/vnd.microsoft.card.adaptive";
const FILE = "application/vnd.microsoft.teams.file.download.info";
const CONSENT = "application/vnd.microsoft.teams.card.file.consent";
const INFO = "application/vnd.microsoft.teams.card.file.info";

// Teams' own reactions, and which of our drawings stands for each.
const REACTIONS = { like: "+1", heart: "heart", laugh: "smile", sad: "cry", angry: "angry" };
const sign = (type) => (REACTIONS[type] ? emojiOr(REACTIONS[type]) : type === "surprised" ? "😮" : type);

export const at = (m) => Date.parse(m.at) / 1000;

/**
 * row draws a message. deps: {world, client, said(err), quote(m), edit(m, row)}.
 * What a person does to its card changes it in place: see update on the node.
 */
export function row(m, { compact, bubble }, deps) {
  const { world } = deps;
  const by = world.author(m);
  const mine = m.from === world.me;
  const s = at(m);
  const time = h("time", { class: "time", title: full(s, world.zone), datetime: m.at }, clock(s, world.zone));
  const node = h("article", {
    class: ["message", compact && "compact", bubble && "bubble", mine && "mine", m.to && "ephemeral"],
    tabindex: "-1",
    data: { id: m.id, channel: m.channel, user: m.from, thread: m.thread, private: m.to ? "true" : null },
    "aria-label": `${by.name}${by.app ? ", app" : ""}, ${clock(s, world.zone)}${m.to ? ", only visible to you" : ""}`,
  });
  const drawn = m.card && !m.deleted ? drawCard(m, deps) : null;
  node.append(
    h("div", { class: "gutter" }, compact ? time : !(bubble && mine) && avatar(by)),
    h(
      "div",
      { class: "message-main" },
      m.to && h("p", { class: "only-you" }, icon("eye", 14), "Only visible to you"),
      !compact &&
        h(
          "div",
          { class: "message-head" },
          h("span", { class: "author" }, mine && bubble ? "You" : by.name),
          by.app && h("span", { class: "badge-app" }, "APP"),
          time,
        ),
      m.deleted ? gone(m, mine, deps) : body(m, drawn, deps),
      reactions(m, deps),
      (m.notices ?? []).slice(-1).map((n) => notice(n)),
    ),
  );
  if (!m.deleted) node.append(toolbar(m, node, mine, deps));
  node.update = (now) => drawn?.update(now);
  return node;
}

function drawCard(m, deps) {
  const { world, client } = deps;
  const where = { channel: m.channel, id: m.id };
  return card(
    m.card,
    {
      zone: world.zone,
      lang: "en-GB",
      me: world.me,
      name: (id) => world.named(id),
      press: (path, values) => client.post("press", { ...where, path, values }),
      search: async (input, typed) =>
        (await client.post("suggest", { ...where, input, typed })).options.map((o) => ({
          value: o.value,
          text: o.title,
        })),
    },
    m,
  );
}

function body(m, drawn, deps) {
  return h(
    "div",
    { class: "message-body" },
    m.quote &&
      h(
        "blockquote",
        { class: "quote" },
        h("b", null, deps.world.named(m.quote.from) ?? "Someone"),
        h("span", null, m.quote.preview),
      ),
    m.text && h("div", { class: "text" }, words(m, deps.world)),
    drawn?.el,
    (m.attachments ?? []).map((a) => attachment(m, a, deps)),
    m.edited && m.from !== deps.world.bot && h("span", { class: "edited" }, "Edited"),
  );
}

/** words draws a message's text: people's as they typed it, the app's with its marks. */
function words(m, world) {
  const ctx = {
    zone: world.zone,
    lang: "en-GB",
    me: world.me,
    mentioned: (text) => {
      const x = m.mentions?.find((x) => x.text === text);
      return x && { id: x.id, name: x.name };
    },
  };
  if (m.format === "markdown") return markdown(m.text, ctx);
  return m.text.split(/(<at>.*?<\/at>|https?:\/\/[^\s<>"]+)/g).map((part, i) => {
    if (i % 2 === 0) return emojify(part);
    const who = ctx.mentioned(part);
    if (who)
      return h(
        "span",
        { class: ["mention", who.id === world.me && "mention-me"], data: { user: who.id } },
        who.name,
      );
    return part.startsWith("http") ? link(part, part) : part;
  });
}

/** summary is a message as one line, for screen readers and the side bar. */
export function summary(m) {
  if (m.deleted) return "";
  return (m.text || m.summary || m.card?.fallbackText || "a card")
    .replace(/<\/?at>/g, "")
    .replace(/\s+/g, " ");
}

function attachment(m, a, deps) {
  const href = a.contentUrl && deps.client.url("file", { url: a.contentUrl });
  if (a.contentType === ADAPTIVE) return null; // drawn as this person has it
  if (/^image\//.test(a.contentType) && href)
    return h(
      "a",
      { class: "file file-image", href, target: "_blank", rel: "noopener" },
      h("img", { src: href, alt: a.name || "Picture", loading: "lazy" }),
    );
  if (a.contentType === FILE || a.contentType === INFO)
    return h(
      "a",
      { class: "file", href, download: a.name },
      icon("file", 22),
      h("span", null, h("b", null, a.name)),
    );
  if (a.contentType === CONSENT) {
    const answer = (text, label, primary) => {
      const b = h(
        "button",
        {
          type: "button",
          class: ["button", primary && "primary"],
          data: { consent: text },
          onClick: () => working(b, deps.client.post("consent", { channel: m.channel, id: m.id, text })),
        },
        label,
      );
      return b;
    };
    return h(
      "div",
      { class: "ac" },
      h("b", null, a.name),
      h("p", null, "Save this file?"),
      h("div", { class: "ac-actions" }, answer("yes", "Save", true), answer("no", "Decline")),
    );
  }
  return null;
}

function gone(m, mine, deps) {
  return h(
    "p",
    { class: "aside" },
    "This message has been deleted. ",
    mine &&
      h(
        "button",
        {
          type: "button",
          class: "undo",
          data: { do: "undelete" },
          onClick: () => deps.client.post("undelete", { channel: m.channel, id: m.id }).catch(deps.said),
        },
        "Undo",
      ),
  );
}

function notice(n) {
  return n.code === "message"
    ? h("p", { class: "only-you notice", role: "status" }, icon("eye", 14), h("span", null, n.text))
    : trouble(n.text);
}

function reactions(m, deps) {
  if (!m.reactions?.length) return null;
  const { world } = deps;
  return h(
    "div",
    { class: "reactions", role: "group", "aria-label": "Reactions" },
    m.reactions.map((r) => {
      const mine = r.users.includes(world.me);
      const who = r.users.map((u) => (u === world.me ? "you" : (world.named(u) ?? "someone"))).join(", ");
      return h(
        "button",
        {
          type: "button",
          class: ["reaction", mine && "mine"],
          "aria-pressed": String(mine),
          data: { emoji: r.type },
          title: `${who}: ${r.type}`,
          "aria-label": `${r.type}, ${plural(r.users.length, "person", "people")}: ${who}`,
          onClick: () => toggle(m, r.type, deps),
        },
        sign(r.type),
        h("span", { class: "count" }, r.users.length),
      );
    }),
  );
}

function toggle(m, type, deps) {
  const mine = m.reactions?.find((r) => r.type === type)?.users.includes(deps.world.me);
  return deps.client
    .post(mine ? "unreact" : "react", { channel: m.channel, id: m.id, text: type })
    .catch(deps.said);
}

function toolbar(m, node, mine, deps) {
  const { world, client } = deps;
  const more = iconButton("more", "More actions", {
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    data: { do: "more" },
    onClick: () => menu(more, items(), { label: "More actions" }),
  });
  const items = () => {
    const list = (world.app.commands ?? [])
      .filter((c) => c.on_message)
      .map((c) => ({
        label: c.title,
        note: world.app.name,
        icon: avatar({ id: world.bot, name: world.app.name, app: true }, "small"),
        data: { command: c.id },
        run: () => client.post("command", { command: c.id, channel: m.channel, id: m.id }).catch(deps.said),
      }));
    if (list.length) list.push(null);
    if (m.card?.refresh)
      list.push({
        label: "Refresh card",
        icon: icon("window", 18),
        data: { do: "refresh" },
        run: () => client.post("refresh", { channel: m.channel, id: m.id }).catch(deps.said),
      });
    list.push({
      label: "Copy text",
      icon: icon("copy", 18),
      data: { do: "copy" },
      run: () => navigator.clipboard?.writeText(summary(m)),
    });
    if (mine) {
      list.push({
        label: "Edit",
        icon: icon("edit", 18),
        data: { do: "edit" },
        run: () => deps.edit(m, node),
      });
      list.push({
        label: "Delete",
        icon: icon("trash", 18),
        danger: true,
        data: { do: "delete" },
        run: async () => {
          if (
            await ask({ title: "Delete message", text: "Delete this message?", yes: "Delete", danger: true })
          )
            client.post("delete", { channel: m.channel, id: m.id }).catch(deps.said);
        },
      });
    }
    return list;
  };
  return h(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": "Message actions" },
    Object.keys(REACTIONS)
      .slice(0, 4)
      .map((type) =>
        h(
          "button",
          {
            type: "button",
            class: "icon-button",
            title: type,
            "aria-label": `React with ${type}`,
            data: { emoji: type },
            onClick: () => toggle(m, type, deps),
          },
          sign(type),
        ),
      ),
    deps.quote &&
      iconButton("thread", "Reply with a quote", { data: { do: "quote" }, onClick: () => deps.quote(m) }),
    more,
  );
}

/** lastReply is "2 minutes ago", and stays true as the pane's clock ticks. */
export function lastReply(m) {
  return h("span", { data: { since: at(m) } }, ago(at(m)));
}
