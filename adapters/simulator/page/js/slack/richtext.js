// Rich text blocks: docs.slack.dev/reference/block-kit/blocks/rich-text-block.

import { h } from "../dom.js";
import { emojiOr, emojify } from "../emoji.js";
import { mention, channelLink, link } from "./mrkdwn.js";
import { formatDate } from "../dates.js";

/** richText draws the elements of a rich_text block. */
export function richText(block, world) {
  const out = [];
  let lists = []; // the open list of each depth
  for (const part of block.elements ?? []) {
    if (part.type === "rich_text_list") {
      lists = nest(part, lists, out, world);
      continue;
    }
    lists = [];
    const children = inline(part.elements, world);
    switch (part.type) {
      case "rich_text_quote":
        out.push(h("blockquote", null, children));
        break;
      case "rich_text_preformatted":
        out.push(h("pre", { class: "code-block" }, h("code", null, children)));
        break;
      default:
        out.push(h("div", { class: "rich-section" }, children));
    }
  }
  return out;
}

/** nest puts a list under the one that it is indented from. */
function nest(part, lists, out, world) {
  const depth = Math.min(part.indent ?? 0, lists.length);
  const list = h(
    part.style === "ordered" ? "ol" : "ul",
    { start: part.style === "ordered" && part.offset ? part.offset + 1 : null },
    (part.elements ?? []).map((item) => h("li", null, inline(item.elements, world))),
  );
  const parent = depth > 0 ? lists[depth - 1].lastElementChild : null;
  parent ? parent.append(list) : out.push(list);
  return [...lists.slice(0, depth), list];
}

function inline(elements, world) {
  return (elements ?? []).map((e) => styled(e.style, leaf(e, world)));
}

function leaf(e, world) {
  switch (e.type) {
    case "text":
      return e.text.split("\n").flatMap((line, i) => (i ? [h("br"), ...emojify(line)] : emojify(line)));
    case "emoji":
      return [emojiOr(e.name)];
    case "user":
      return [mention(e.user_id, world)];
    case "channel":
      return [channelLink(e.channel_id, world)];
    case "usergroup":
      return [h("span", { class: "mention" }, "@group")];
    case "broadcast":
      return [h("span", { class: "mention mention-me" }, "@" + e.range)];
    case "link":
      return [link(e.url, e.text || e.url, world)];
    case "date":
      return [h("time", null, formatDate(e.timestamp, e.format ?? "{date}", world.zone) ?? e.fallback ?? "")];
    case "color":
      return [h("code", null, e.value)];
    default:
      return [e.text ?? ""];
  }
}

function styled(style, nodes) {
  let out = nodes;
  for (const [key, tag] of [
    ["code", "code"],
    ["strike", "s"],
    ["italic", "i"],
    ["bold", "b"],
  ])
    if (style?.[key]) out = [h(tag, null, out)];
  return out;
}
