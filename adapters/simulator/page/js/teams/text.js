// The text of Adaptive Cards as Teams draws it: the part of Markdown that it
// knows (bold, italic, links, lists), mentions, and the date and time functions.
// See learn.microsoft.com, "Format cards in Teams", and adaptivecards.io, "Text
// features". Whatever is not understood is shown as it was written.

import { h, safeURL } from "../dom.js";
import { emojify } from "../emoji.js";

const DATES = {
  COMPACT: {},
  SHORT: { weekday: "short", year: "numeric", month: "short", day: "numeric" },
  LONG: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
};
const FUNCTION =
  /\{\{(DATE|TIME)\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2}))(?:, ?(COMPACT|SHORT|LONG))?\)\}\}/g;

/** times writes {{DATE(…)}} and {{TIME(…)}} for the reader: {zone, lang}. */
export function times(text, { zone, lang } = {}) {
  return String(text ?? "").replace(FUNCTION, (all, what, iso, form) => {
    const at = new Date(iso);
    if (Number.isNaN(at.getTime())) return all;
    const timeZone = zone || undefined;
    return what === "DATE"
      ? at.toLocaleDateString(lang, { ...DATES[form ?? "COMPACT"], timeZone })
      : at.toLocaleTimeString(lang, { hour: "numeric", minute: "2-digit", timeZone });
  });
}

const INLINE =
  /\*\*(?<bold>\S(?:.*?\S)?)\*\*|(?<![\p{L}\p{N}])_(?<italic>\S(?:.*?\S)?)_(?![\p{L}\p{N}])|\[(?<label>[^\]]*)\]\((?<url>[^)\s]+)\)|<at>(?<name>.*?)<\/at>/su;

function inline(text, ctx) {
  const out = [];
  for (let rest = text; rest; ) {
    const m = INLINE.exec(rest);
    if (!m) {
      out.push(...emojify(rest));
      break;
    }
    const { bold, italic, label, url, name } = m.groups;
    const known = name != null && ctx.mentioned?.(m[0]);
    out.push(...emojify(rest.slice(0, m.index)));
    if (bold != null) out.push(h("b", null, inline(bold, ctx)));
    else if (italic != null) out.push(h("i", null, inline(italic, ctx)));
    else if (url != null) out.push(link(url, inline(label, ctx)));
    else if (known)
      out.push(
        h(
          "span",
          { class: ["mention", known.id === ctx.me && "mention-me"], data: { user: known.id } },
          known.name,
        ),
      );
    else out.push(m[0]); // a mention of nobody is only text
    rest = rest.slice(m.index + m[0].length);
  }
  return out;
}

/** link is an anchor that opens elsewhere, or plain text if the address is not safe. */
export function link(url, label, props) {
  const href = safeURL(url);
  return href
    ? h("a", { ...props, href, target: "_blank", rel: "noopener noreferrer nofollow" }, label)
    : h("span", null, label);
}

/**
 * markdown draws a TextBlock's or a fact's text. ctx: {zone, lang, me,
 * mentioned(text) → {id, name}}.
 */
export function markdown(text, ctx) {
  const paragraphs = times(text, ctx)
    .split(/\n{2,}/)
    .filter((p) => p.trim());
  return paragraphs.map((p) => {
    const lines = p.split(/\r\n|\r|\n/);
    const mark = (re) => lines.every((l) => re.test(l));
    const items = (re) => lines.map((l) => h("li", null, inline(l.replace(re, ""), ctx)));
    if (mark(/^- /)) return h("ul", null, items(/^- /));
    if (mark(/^\d+\. /)) return h("ol", null, items(/^\d+\. /));
    return paragraphs.length > 1 ? h("p", null, inline(lines.join(" "), ctx)) : inline(lines.join(" "), ctx);
  });
}
