// The layout blocks of Block Kit: docs.slack.dev/reference/block-kit/blocks.

import { h, icon, uid } from "../dom.js";
import { element } from "./elements.js";
import { mrkdwn, link, words, said } from "./mrkdwn.js";
import { richText } from "./richtext.js";

/** blocks draws a list of blocks; ctx as for element, with errors by block id. */
export function blocks(list, ctx) {
  return (list ?? []).map((b, i) => {
    const draw = DRAW[b.type];
    const node = draw
      ? draw(b, ctx)
      : h("p", { class: "unknown" }, `This kind of block is not drawn here: ${b.type}`);
    node.classList.add("block", "block-" + b.type.replaceAll("_", "-"));
    node.dataset.blockId = b.block_id ?? String(i);
    node.dataset.blockType = b.type;
    return node;
  });
}

const DRAW = {
  section(b, ctx) {
    return h(
      "div",
      null,
      h(
        "div",
        { class: "section-body" },
        b.text && h("div", { class: "text" }, words(b.text, ctx)),
        b.fields &&
          h(
            "div",
            { class: "fields" },
            b.fields.map((f) => h("div", { class: "text" }, words(f, ctx))),
          ),
      ),
      b.accessory && h("div", { class: "accessory" }, element(b.accessory, b.block_id, ctx)),
    );
  },

  actions(b, ctx) {
    return h(
      "div",
      { role: "group", "aria-label": "Actions" },
      h(
        "div",
        { class: "actions-row" },
        b.elements.map((e) => element(e, b.block_id, ctx)),
      ),
    );
  },

  context(b, ctx) {
    return h(
      "div",
      null,
      b.elements.map((e) =>
        e.type === "image"
          ? h("img", { class: "context-image", src: e.image_url, alt: e.alt_text ?? "" })
          : h("span", { class: "text" }, words(e, ctx)),
      ),
    );
  },

  context_actions(b, ctx) {
    return h(
      "div",
      { role: "group", "aria-label": "Actions" },
      h(
        "div",
        { class: "actions-row" },
        b.elements.map((e) => element(e, b.block_id, ctx)),
      ),
    );
  },

  header(b, ctx) {
    const level = b.level ?? 2;
    return h(`h${Math.min(level + 1, 6)}`, { data: { level } }, words(b.text, ctx));
  },

  alert(b, ctx) {
    const level = b.level ?? "default";
    return h(
      "div",
      { data: { level }, role: level === "error" || level === "warning" ? "alert" : "note" },
      icon(level === "success" ? "check" : level === "error" || level === "warning" ? "warning" : "info", 18),
      h("div", { class: "text" }, words(b.text, ctx)),
    );
  },

  card(b, ctx) {
    return h(
      "div",
      null,
      b.hero_image &&
        h("img", {
          class: "card-hero",
          src: b.hero_image.image_url,
          alt: b.hero_image.alt_text ?? "",
          loading: "lazy",
        }),
      b.title && h("h4", null, words(b.title, ctx)),
      b.subtitle && h("p", { class: "card-subtitle" }, words(b.subtitle, ctx)),
      b.body && h("div", { class: "text" }, words(b.body, ctx)),
      b.subtext && h("p", { class: "card-subtitle" }, words(b.subtext, ctx)),
      b.actions &&
        h(
          "div",
          { class: "actions-row" },
          b.actions.map((e) => element(e, b.block_id, ctx)),
        ),
    );
  },

  carousel(b, ctx) {
    return h("div", { role: "group", "aria-label": "Cards", tabindex: "0" }, blocks(b.elements, ctx));
  },

  container(b, ctx) {
    const title = [
      b.rich_text_title ? richText(b.rich_text_title, ctx.world) : words(b.title, ctx),
      b.subtitle && h("small", null, words(b.subtitle, ctx)),
    ];
    const inside = h("div", { class: "blocks" }, blocks(b.child_blocks, ctx));
    return b.is_collapsible
      ? h("details", { open: !b.default_collapsed }, h("summary", null, title), inside)
      : h("div", null, (b.title || b.rich_text_title) && h("p", { class: "container-title" }, title), inside);
  },

  divider() {
    return h("hr");
  },

  image(b, ctx) {
    return h(
      "figure",
      null,
      b.title && h("figcaption", null, words(b.title, ctx)),
      h("img", { src: b.image_url ?? b.slack_file?.url, alt: b.alt_text ?? "", loading: "lazy" }),
    );
  },

  rich_text(b, ctx) {
    return h("div", { class: "text" }, richText(b, ctx.world));
  },

  markdown(b, ctx) {
    return h("div", { class: "text" }, markdown(b.text ?? "", ctx));
  },

  video(b, ctx) {
    return h(
      "div",
      null,
      link(b.title_url || b.video_url, said(b.title) || b.alt_text || "Video", ctx.world),
    );
  },

  file(b) {
    return h("div", { class: "text" }, icon("file", 18), b.external_id ?? "A file");
  },

  table(b, ctx) {
    return table(b, ctx);
  },

  data_table(b, ctx) {
    return table(b, ctx, b.caption);
  },

  input(b, ctx) {
    const id = uid("field"),
      labelId = uid("label"),
      hintId = uid("hint"),
      errorId = uid("error");
    const error = ctx.errors?.[b.block_id];
    const field = {
      id,
      labelId,
      required: !b.optional,
      dispatch: b.dispatch_action,
      describedBy: [error && errorId, b.hint && hintId].filter(Boolean).join(" ") || null,
    };
    const box = h(
      "div",
      { class: error && "invalid" },
      h(
        "label",
        { id: labelId, for: id },
        words(b.label, ctx),
        b.optional && h("span", { class: "optional" }, " (optional)"),
      ),
      element(b.element, b.block_id, ctx, field),
      h(
        "div",
        { class: "field-error", id: errorId, role: "alert" },
        error && [icon("warning", 16), h("span", null, error)],
      ),
      b.hint && h("div", { class: "hint", id: hintId }, words(b.hint, ctx)),
    );
    if (error) box.querySelector(`#${id}`)?.setAttribute("aria-invalid", "true");
    return box;
  },
};

/** table draws rows of cells; the first row is the heading. */
function table(b, ctx, caption) {
  const [head, ...rows] = b.rows ?? [];
  const cells = (row, tag, props) =>
    row.map((c, i) =>
      h(
        tag,
        { ...props, data: { align: b.column_settings?.[i]?.align } },
        c?.type === "rich_text" ? richText(c, ctx.world) : String(c?.text ?? c?.value ?? ""),
      ),
    );
  return h(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": caption ?? "Table" },
    h(
      "table",
      null,
      caption && h("caption", null, caption),
      h("thead", null, h("tr", null, cells(head ?? [], "th", { scope: "col" }))),
      h(
        "tbody",
        null,
        rows.map((r) => h("tr", null, cells(r, "td"))),
      ),
    ),
  );
}

/**
 * markdown draws the markdown block: standard Markdown's headings, and its
 * two-star bold and bracketed links turned into mrkdwn.
 */
function markdown(text, ctx) {
  const slackish = (s) =>
    s
      .replace(/\*\*([^*\n]+)\*\*/g, "\u0001$1\u0001")
      .replace(/(?<![*\w])\*([^*\n]+)\*(?![*\w])/g, "_$1_")
      .replaceAll("\u0001", "*")
      .replace(/~~([^~\n]+)~~/g, "~$1~")
      .replace(/\[([^\]\n]+)\]\((https?:[^)\s]+)\)/g, "<$2|$1>");
  return text.split(/\n(?=#{1,6} )|(?<=^#{1,6} .*)\n/m).map((part) => {
    const head = /^(#{1,6}) (.*)$/.exec(part);
    return head
      ? h("h4", null, mrkdwn(slackish(head[2]), ctx.world))
      : mrkdwn(slackish(part.replace(/^> /gm, "&gt; ")), ctx.world);
  });
}
