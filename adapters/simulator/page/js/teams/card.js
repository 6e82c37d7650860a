// Adaptive Cards 1.5, as far as the desk sends them: adaptivecards.io/explorer.
// What this draws is held against Microsoft's own renderer by a test.

import { h, uid } from "../dom.js";
import { emojify } from "../emoji.js";
import { markdown, times, link } from "./text.js";
import { buttons } from "./actions.js";
import { input } from "./inputs.js";

/**
 * card draws a card. ctx: {zone, lang, me, press(path, values) → {errors}|null,
 * search(input, typed) → [{value, text}], name(id)}. A path is the JSON pointer
 * of an action. state is what the person has done to it: {entered, toggled,
 * errors}. The actions of the card itself stand at its foot, or in foot: a
 * dialog has a frame for them. update(state) changes what it shows in place.
 */
export function card(content, ctx, state = {}, { foot } = {}) {
  const fields = new Map(); // input id → {get(), focus(), say(words)}
  const entities = content.msteams?.entities ?? [];
  const here = {
    ...ctx,
    entered: state.entered ?? {},
    fields,
    mentioned: (text) => {
      const e = entities.find((e) => e.type === "mention" && e.text === text);
      return e && { id: e.mentioned.id, name: e.mentioned.name };
    },
    toggle: (targets, opener) => toggle(el, targets, opener),
    complain,
  };
  const el = h("div", { class: "ac" }, elements(content.body, here, "/body"));
  const row = content.actions?.length ? buttons(content.actions, here, "/actions") : null;
  if (row) (foot ?? el).append(row);

  function complain(errors) {
    for (const [id, f] of fields) f.say(errors?.[id] ?? "");
    const first = Object.keys(errors ?? {}).find((id) => fields.has(id));
    if (first) fields.get(first).focus();
  }
  function update({ toggled, errors }) {
    for (const [id, visible] of Object.entries(toggled ?? {})) show(el, id, visible);
    for (const [id, f] of fields) if (errors?.[id]) f.say(errors[id]);
  }
  update(state);
  return { el, update };
}

function elements(list, ctx, at) {
  return (list ?? []).map((e, i) => {
    const draw = DRAW[e.type];
    const node = draw
      ? draw(e, ctx, `${at}/${i}`)
      : h("p", { class: "unknown" }, `This is not drawn here: ${e.type}`);
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
    return h(
      tag,
      { class: ["ac-text", ...look(e), !e.wrap && "ac-one-line"], dir: "auto" },
      markdown(e.text, ctx),
    );
  },

  RichTextBlock(e, ctx) {
    return h(
      "div",
      { class: "ac-text ac-rich", dir: "auto" },
      (e.inlines ?? []).map((r) => {
        const run = typeof r === "string" ? { text: r } : r;
        const text = emojify(times(run.text, ctx));
        const marks = [...look(run), run.italic && "ac-italic", run.strikethrough && "ac-strike"].filter(
          Boolean,
        );
        if (run.selectAction?.type === "Action.OpenUrl")
          return link(run.selectAction.url, text, { class: marks });
        return marks.length ? h("span", { class: marks }, text) : text;
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

  Container(e, ctx, at) {
    return h(
      "div",
      { class: ["ac-container", e.style && `ac-style-${e.style}`] },
      elements(e.items, ctx, `${at}/items`),
    );
  },

  ColumnSet(e, ctx, at) {
    return h(
      "div",
      { class: "ac-columns" },
      (e.columns ?? []).map((c, i) =>
        h(
          "div",
          {
            class: [
              "ac-column",
              c.width === "stretch" && "ac-stretch",
              c.verticalContentAlignment && `ac-align-${c.verticalContentAlignment.toLowerCase()}`,
            ],
          },
          elements(c.items, ctx, `${at}/columns/${i}/items`),
        ),
      ),
    );
  },

  Image(e) {
    return h("div", { class: "ac-image" }, h("img", { src: e.url, alt: e.altText ?? "", loading: "lazy" }));
  },

  ActionSet(e, ctx, at) {
    return buttons(e.actions, ctx, `${at}/actions`);
  },

  "Input.Text": input,
  "Input.ChoiceSet": input,
  "Input.Date": input,
  "Input.Time": input,
};

const element = (root, id) => root.querySelector(`[data-element="${CSS.escape(id)}"]`);
const opens = (root, id) => root.querySelector(`[data-shows="${CSS.escape(id)}"]`);

/** show shows or hides what a button asks, and says so on the button. */
function show(root, id, visible) {
  const el = element(root, id);
  if (!el) return;
  el.hidden = !visible;
  el.id ||= uid("asked");
  const by = opens(root, id);
  by?.setAttribute("aria-expanded", String(visible));
  if (visible) by?.setAttribute("aria-controls", el.id);
}

/** toggle moves the focus into what appears, and back to the button that brought it. */
function toggle(root, targets, opener) {
  for (const t of targets) {
    const id = t.elementId ?? t;
    const el = element(root, id);
    if (!el) continue;
    const had = el.contains(opener);
    show(root, id, t.isVisible ?? el.hidden);
    el.setAttribute("role", "group");
    if (!el.hidden) {
      el.setAttribute("aria-label", opener.textContent || "Are you sure?");
      el.querySelector("button, a, input")?.focus();
    } else if (had) opens(root, id)?.focus();
  }
}
