// Adaptive Cards 1.5, as far as the desk sends them: adaptivecards.io/explorer.
// What this draws is held against Microsoft's own renderer by a test.

import { h, uid } from "../dom.js";
import { markdown, times, link } from "./text.js";
import { buttons } from "./actions.js";
import { input } from "./inputs.js";

/**
 * card draws a card. ctx: {zone, lang, me, act(action, values), search(dataset,
 * typed), people()}. The actions of the card itself stand at its foot, or where
 * foot says: a dialog puts them into a frame of its own.
 */
export function card(content, ctx, { foot } = {}) {
  const fields = new Map(); // input id → {get(), complain()}
  const entities = content.msteams?.entities ?? [];
  const here = {
    ...ctx,
    mentioned: (text) => {
      const e = entities.find((e) => e.type === "mention" && e.text === text);
      return e && { id: e.mentioned.id, name: e.mentioned.name };
    },
    fields,
    toggle: (targets, opener) => toggle(el, targets, opener),
  };
  const el = h("div", { class: "ac" }, elements(content.body, here));
  const row = content.actions?.length ? buttons(content.actions, here) : null;
  if (row) (foot ?? el).append(row);
  return el;
}

function elements(list, ctx) {
  return (list ?? []).map((e, i) => {
    const draw = DRAW[e.type];
    const node = draw ? draw(e, ctx) : h("p", { class: "unknown" }, `This is not drawn here: ${e.type}`);
    node.classList.add("ac-el");
    if (e.id && !e.type.startsWith("Input.")) node.dataset.element = e.id;
    if (e.isVisible === false) node.hidden = true;
    if (i > 0 && e.separator) node.classList.add("ac-separated");
    if (e.spacing) node.dataset.spacing = e.spacing.toLowerCase();
    return node;
  });
}

const look = (e) => [
  e.size && `ac-${e.size.toLowerCase()}`,
  e.weight && `ac-${e.weight.toLowerCase()}`,
  e.color && `ac-${e.color.toLowerCase()}`,
  e.isSubtle && "ac-subtle",
  e.fontType === "Monospace" && "ac-mono",
];

const DRAW = {
  TextBlock(e, ctx) {
    const tag = e.style === "heading" ? "h3" : "div";
    return h(tag, { class: ["ac-text", ...look(e), !e.wrap && "ac-one-line"], dir: "auto" }, markdown(e.text, ctx));
  },

  RichTextBlock(e, ctx) {
    return h(
      "div",
      { class: "ac-text ac-rich", dir: "auto" },
      (e.inlines ?? []).map((r) => {
        const run = typeof r === "string" ? { text: r } : r;
        const text = times(run.text, ctx);
        const marks = [...look(run), run.italic && "ac-italic", run.strikethrough && "ac-strike"].filter(Boolean);
        if (run.selectAction?.type === "Action.OpenUrl") return link(run.selectAction.url, text, { class: marks });
        return marks.length ? h("span", { class: marks }, text) : document.createTextNode(text);
      }),
    );
  },

  FactSet(e, ctx) {
    return h(
      "dl",
      { class: "ac-facts" },
      (e.facts ?? []).map((f) => [
        h("dt", { dir: "auto" }, markdown(f.title, ctx)),
        h("dd", { dir: "auto" }, markdown(f.value, ctx)),
      ]),
    );
  },

  Container(e, ctx) {
    return h("div", { class: ["ac-container", e.style && `ac-style-${e.style}`] }, elements(e.items, ctx));
  },

  ColumnSet(e, ctx) {
    return h(
      "div",
      { class: "ac-columns" },
      (e.columns ?? []).map((c) =>
        h(
          "div",
          {
            class: [
              "ac-column",
              c.width === "stretch" && "ac-stretch",
              c.verticalContentAlignment && `ac-align-${c.verticalContentAlignment.toLowerCase()}`,
            ],
          },
          elements(c.items, ctx),
        ),
      ),
    );
  },

  Image(e) {
    return h("div", { class: "ac-image" }, h("img", { src: e.url, alt: e.altText ?? "", loading: "lazy" }));
  },

  ActionSet(e, ctx) {
    return buttons(e.actions, ctx);
  },

  "Input.Text": input,
  "Input.ChoiceSet": input,
  "Input.Date": input,
  "Input.Time": input,
};

/**
 * toggle shows and hides what a button asks. The focus goes into what appears,
 * and back to the button that brought it.
 */
function toggle(root, targets, opener) {
  for (const t of targets) {
    const id = t.elementId ?? t;
    const el = root.querySelector(`[data-element="${CSS.escape(id)}"]`);
    if (!el) continue;
    el.hidden = t.isVisible == null ? !el.hidden : !t.isVisible;
    const by = root.querySelector(`[data-shows="${CSS.escape(id)}"]`);
    by?.setAttribute("aria-expanded", String(!el.hidden));
    if (!el.hidden) {
      el.id ||= uid("asked");
      by?.setAttribute("aria-controls", el.id);
      el.setAttribute("role", "group");
      el.setAttribute("aria-label", opener.textContent);
      el.querySelector("button, a, input")?.focus();
    } else if (el.contains(opener) || !opener.isConnected) by?.focus();
  }
}
