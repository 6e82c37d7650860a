// Slack's mrkdwn, drawn as DOM nodes.
//
// The text arrives escaped as Slack sends it: &amp; &lt; &gt; are the only
// entities, and what stands between < and > is a link, a mention or a date.
// Rules: docs.slack.dev/messaging/formatting-message-text. Whatever is not
// understood is shown as it was written.

import { h, safeURL } from "../dom.js";
import { emoji, emojify, plainEmoji } from "../emoji.js";
import { formatDate } from "../dates.js";

/** unescape undoes Slack's three entities. */
export function unescape(s) {
  return s.replace(/&(lt|gt|amp);/g, (_, e) => ({ lt: "<", gt: ">", amp: "&" })[e]);
}

/** escape is what Slack does to what people type. */
export function escape(s) {
  return s.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);
}

/**
 * link makes an anchor that opens elsewhere, or in place if it leads into this
 * workspace, or plain text if the address is not safe.
 */
export function link(url, label, world, props) {
  const inside = world?.inside(url);
  if (inside)
    return h(
      "a",
      {
        ...props,
        href: "#" + new URLSearchParams(inside),
        onClick: (e) => {
          e.preventDefault();
          props?.onClick?.(e);
          world.open(inside.in, inside);
        },
      },
      label,
    );
  const href = safeURL(url);
  return href
    ? h("a", { ...props, href, target: "_blank", rel: "noopener noreferrer nofollow" }, label)
    : h("span", null, label);
}

/**
 * mrkdwn turns text into nodes. world names people and channels and knows the
 * reader's zone: {person(id), channel(id), me, zone, open(id, at), inside(url)}.
 * With verbatim, bare addresses are left alone.
 */
export function mrkdwn(text, world, { verbatim = false } = {}) {
  const out = [];
  // Fences first: nothing inside them is markup.
  const parts = String(text ?? "").split(/```([\s\S]+?)```/);
  parts.forEach((part, i) => {
    if (i % 2)
      out.push(h("pre", { class: "code-block" }, h("code", null, plainLinks(part.replace(/^\n|\n$/g, "")))));
    else if (part) out.push(...lines(i ? part.replace(/^\n/, "") : part, world, verbatim));
  });
  return out;
}

/** plainLinks writes <url|label> as it is read, for text in code. */
function plainLinks(s) {
  return unescape(s.replace(/<((?:https?:|mailto:)[^|>]+)(?:\|([^>]*))?>/g, (_, url, label) => label || url));
}

function lines(text, world, verbatim) {
  const out = [];
  let quote = null;
  const all = text.split("\n");
  all.forEach((line, i) => {
    const last = i === all.length - 1;
    const quoted = /^&gt; ?(.*)$/.exec(line);
    if (quoted) {
      if (!quote) out.push((quote = h("blockquote")));
      else quote.append(h("br"));
      quote.append(...inline(quoted[1], world, verbatim));
      return;
    }
    if (quote) quote = null;
    const item = /^(\s*)(•|◦|[-*]|\d{1,2}[.)])\s+(.*)$/.exec(line);
    if (item) {
      out.push(
        h(
          "div",
          { class: ["hanging", item[1].length > 1 && "deeper"] },
          h("span", { class: "marker" }, item[2] === "-" || item[2] === "*" ? "•" : item[2]),
          " ",
          h("span", null, ...inline(item[3], world, verbatim)),
          !last && h("span", { class: "copy-break" }, "\n"),
        ),
      );
      return;
    }
    if (line === "") {
      if (!last) out.push(h("div", { class: "gap" }));
      return;
    }
    out.push(...inline(line, world, verbatim));
    if (!last && !/^(&gt;|\s*(•|◦|[-*]|\d{1,2}[.)])\s)/.test(all[i + 1]) && all[i + 1] !== "")
      out.push(h("br"));
  });
  return out;
}

// One alternative for each thing that can start inside a line. A style's
// opening sign stands after a space or a sign and before a letter; its closing
// sign the other way round.
const TOKEN = new RegExp(
  [
    /`([^`\n]+)`/, // 1 code
    /<([^<>\n]+)>/, // 2 link, mention, date
    /:([a-z0-9_+'-]{1,60}(?:::skin-tone-[2-6])?):/, // 3 emoji
    /(?<![\p{L}\p{N}*])\*(?=\S)([^*\n]*?[^\s*])\*(?![\p{L}\p{N}*])/, // 4 bold
    /(?<![\p{L}\p{N}_])_(?=\S)([^_\n]*?[^\s_]|[^\n]*?[^\s_])_(?![\p{L}\p{N}_])/, // 5 italic
    /(?<![\p{L}\p{N}~])~(?=\S)([^~\n]*?[^\s~])~(?![\p{L}\p{N}~])/, // 6 strike
  ]
    .map((r) => r.source)
    .join("|"),
  "gu",
);

function inline(text, world, verbatim) {
  const out = [];
  let at = 0;
  for (const m of text.matchAll(TOKEN)) {
    if (m.index < at) continue;
    const node = token(m, world, verbatim);
    if (!node) continue;
    if (m.index > at) out.push(...emojify(unescape(text.slice(at, m.index))));
    out.push(node);
    at = m.index + m[0].length;
  }
  if (at < text.length) out.push(...emojify(unescape(text.slice(at))));
  return out;
}

function token(m, world, verbatim) {
  const [, code, angle, name, bold, italic, strike] = m;
  if (code) return h("code", null, plainLinks(code));
  if (angle) return reference(angle, world);
  if (name) return emoji(name);
  if (bold) return h("b", null, ...inline(bold, world, verbatim));
  if (italic) return h("i", null, ...inline(italic, world, verbatim));
  return h("s", null, ...inline(strike, world, verbatim));
}

/** reference draws what stands between < and >. */
function reference(s, world) {
  const bar = s.indexOf("|");
  const [to, label] = bar < 0 ? [s, ""] : [s.slice(0, bar), s.slice(bar + 1)];
  switch (to[0]) {
    case "@":
      return mention(to.slice(1), world, label);
    case "#":
      return channelLink(to.slice(1), world, label);
    case "!":
      return special(to.slice(1), label, world);
  }
  const url = unescape(to);
  if (!/^[a-z][a-z0-9+.-]*:/i.test(url)) return document.createTextNode(unescape(`<${s}>`));
  return link(url, label ? emojify(unescape(label)) : url.replace(/^mailto:/, ""), world);
}

/** mention draws a person's name; the reader's own stands out. */
export function mention(id, world, label) {
  const p = world.person(id);
  return h(
    "span",
    { class: ["mention", id === world.me && "mention-me"], data: { user: id } },
    "@" + (p?.name ?? unescape(label || "someone")),
  );
}

/** channelLink draws a channel's name, which leads there. */
export function channelLink(id, world, label) {
  const c = world.channel(id);
  if (!c && !label) return h("span", { class: "mention" }, "a private channel");
  return h(
    "button",
    { type: "button", class: "mention link", onClick: () => c && world.open(id) },
    "#" + (c?.name ?? unescape(label)),
  );
}

function special(s, label, world) {
  const [kind, ...rest] = s.split("^");
  if (kind === "date") {
    const [seconds, format, href] = rest;
    const words = formatDate(Number(seconds), format ?? "", world.zone) ?? unescape(label);
    const when = h("time", { title: formatDate(Number(seconds), "{date_long}, {time}", world.zone) }, words);
    return href ? link(unescape(href), when, world) : when;
  }
  if (["here", "channel", "everyone"].includes(kind))
    return h("span", { class: "mention mention-me" }, "@" + kind);
  if (kind === "subteam") return h("span", { class: "mention" }, unescape(label || "@group"));
  return label ? document.createTextNode(unescape(label)) : document.createTextNode("<!" + unescape(s) + ">");
}

/** words draws a text object, of either type. */
export function words(text, ctx) {
  if (!text) return [];
  return text.type === "mrkdwn"
    ? mrkdwn(text.text, ctx.world, { verbatim: text.verbatim })
    : plainEmoji(unescape(text.text ?? ""));
}

/** said is a text object as a plain string. */
export const said = (text) => unescape(text?.text ?? "");

/** plain is mrkdwn as one line of text, for summaries and screen readers. */
export function plain(text, world) {
  return unescape(
    String(text ?? "")
      .replace(/<@([^|>]+)(?:\|[^>]*)?>/g, (_, id) => "@" + (world.person(id)?.name ?? "someone"))
      .replace(
        /<#([^|>]+)(?:\|([^>]*))?>/g,
        (_, id, label) => "#" + (world.channel(id)?.name ?? label ?? "channel"),
      )
      .replace(/<!date\^(\d+)\^([^|>^]*)[^|>]*(?:\|([^>]*))?>/g, (_, t, f) =>
        formatDate(Number(t), f, world.zone),
      )
      .replace(/<[^|>]+\|([^>]*)>/g, "$1")
      .replace(/<([^>]*)>/g, "$1")
      .replace(/[*_~`]+(?=\S)|(?<=\S)[*_~`]+/g, "")
      .replace(/\s+/g, " "),
  ).trim();
}
