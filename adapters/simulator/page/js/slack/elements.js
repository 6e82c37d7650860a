// The interactive elements of Block Kit: docs.slack.dev/reference/block-kit/block-elements.
//
// Every element's value is a list of strings, as the simulator's API takes it:
// nothing for a button, the value of each chosen option, the ids of people and
// channels, the text of an input, "2026-11-21", "14:05" or Unix seconds.

import { h, icon, safeURL } from "../dom.js";
import { menu, ask } from "../popup.js";
import { link, words, said } from "./mrkdwn.js";
import { emojiOr } from "../emoji.js";
import { FIELDS, TYPED, wants } from "./fields.js";
import { working } from "../working.js";

/** entered is the present value of an element: what the state holds, else its initial value. */
export function entered(el, state) {
  const s = state ?? {
    selected_option: el.initial_option,
    selected_options: el.initial_options,
    selected_user: el.initial_user,
    selected_users: el.initial_users,
    selected_channel: el.initial_channel,
    selected_channels: el.initial_channels,
    selected_conversation: el.initial_conversation,
    selected_conversations: el.initial_conversations,
    selected_date: el.initial_date,
    selected_time: el.initial_time,
    selected_date_time: el.initial_date_time,
    value: el.initial_value,
  };
  const one =
    s.selected_option?.value ??
    s.selected_user ??
    s.selected_channel ??
    s.selected_conversation ??
    s.selected_date ??
    s.selected_time ??
    s.selected_date_time ??
    (typeof s.value === "string" || typeof s.value === "number" ? s.value : null);
  const many =
    s.selected_options?.map((o) => o.value) ??
    s.selected_users ??
    s.selected_channels ??
    s.selected_conversations ??
    s.files?.map((f) => f.id ?? f);
  return many ?? (one == null || one === "" ? [] : [String(one)]);
}

/**
 * element draws one element of a block.
 *
 * ctx: {world, surface, state, change(block, element, values, dispatch), options(…), upload(file)}.
 * In an input block, field is {id, labelId, describedBy, required, dispatch}; elsewhere every change is an action.
 */
export function element(el, blockId, ctx, field) {
  const make = MAKERS[el.type];
  if (!make) return h("span", { class: "unknown" }, `(${el.type})`);
  const state = ctx.state?.[blockId]?.[el.action_id];
  const node = make({
    el,
    blockId,
    ctx,
    field,
    values: entered(el, state),
    change: changer(el, blockId, ctx, field),
  });
  node.dataset.actionId = el.action_id ?? "";
  node.dataset.type = el.type;
  return node;
}

/** changer tells what was entered, asking first where the element has a confirm dialog. */
function changer(el, blockId, ctx, field) {
  return async (values, { enter = false } = {}) => {
    if (el.confirm && !(await confirmed(el.confirm, ctx))) return false;
    const dispatch =
      !field || (field.dispatch && (enter || !TYPED.has(el.type) || wants(el, "on_character_entered")));
    await ctx.change(blockId, el, values, dispatch);
    return true;
  };
}

function confirmed(c, ctx) {
  return ask({
    title: said(c.title) || "Are you sure?",
    text: words(c.text, ctx),
    yes: said(c.confirm) || "Yes",
    no: said(c.deny) || "Cancel",
    danger: c.style === "danger",
  });
}

function button({ el, ctx, change }) {
  const look = ["button", el.style === "primary" && "primary", el.style === "danger" && "danger"];
  const common = { class: look, "aria-label": el.accessibility_label, data: { value: el.value } };
  const press = (e) => {
    const b = e.currentTarget;
    if (!b.classList.contains("busy")) working(b, change([]));
  };
  const face = [
    h("span", { class: "button-face" }, words(el.text, ctx)),
    h("span", { class: "spinner", "aria-hidden": "true" }),
  ];
  return el.url && (safeURL(el.url) || ctx.world.inside(el.url))
    ? link(el.url, face, ctx.world, { ...common, onAuxclick: press, onClick: press })
    : h("button", { ...common, type: "button", onClick: press }, face);
}

function overflow({ el, ctx, change }) {
  const b = h(
    "button",
    {
      type: "button",
      class: "button overflow",
      "aria-label": el.accessibility_label ?? "More choices",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      onClick: () =>
        menu(
          b,
          el.options.map((o) => ({
            label: words(o.text, ctx),
            note: said(o.description),
            data: { value: o.value },
            run: () => {
              const url = o.url && safeURL(o.url);
              if (url) window.open(url, "_blank", "noopener");
              working(b, change([o.value]));
            },
          })),
          { label: "More choices" },
        ),
    },
    icon("more"),
    h("span", { class: "spinner", "aria-hidden": "true" }),
  );
  return b;
}

/** feedback is a pair of buttons under an answer: that was good, that was not. */
function feedback({ el, ctx, change }) {
  const one = (b, sign) =>
    b &&
    h(
      "button",
      {
        type: "button",
        class: "button",
        title: said(b.text),
        "aria-label": b.accessibility_label ?? said(b.text),
        data: { value: b.value },
        onClick: (e) => working(e.currentTarget, change([b.value])),
      },
      h("span", { class: "button-face" }, emojiOr(sign), " ", words(b.text, ctx)),
      h("span", { class: "spinner", "aria-hidden": "true" }),
    );
  return h("span", { class: "feedback" }, one(el.positive_button, "+1"), one(el.negative_button, "-1"));
}

function iconOnly({ el, change }) {
  const label = el.accessibility_label ?? said(el.text);
  return h(
    "button",
    {
      type: "button",
      class: "button overflow",
      title: label,
      "aria-label": label,
      data: { value: el.value },
      onClick: (e) => working(e.currentTarget, change([])),
    },
    icon("trash"),
    h("span", { class: "spinner", "aria-hidden": "true" }),
  );
}

function picture({ el }) {
  const url = el.image_url ?? el.slack_file?.url ?? "";
  return h("img", { class: "accessory-image", src: url, alt: el.alt_text ?? "", loading: "lazy" });
}

/** workflowButton is shown and does nothing: there are no workflows here. */
const workflowButton = ({ el, ctx }) =>
  h("button", { type: "button", class: "button", disabled: true }, words(el.text, ctx));

const MAKERS = {
  ...FIELDS,
  button,
  overflow,
  feedback_buttons: feedback,
  icon_button: iconOnly,
  image: picture,
  workflow_button: workflowButton,
};
