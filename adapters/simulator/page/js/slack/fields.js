// The elements in which something is entered or chosen.

import { h, icon, uid, fill } from "../dom.js";
import { combobox } from "../combobox.js";
import { words, said } from "./mrkdwn.js";
import { working } from "../working.js";

/** TYPED are the elements whose value is typed letter by letter. */
export const TYPED = new Set(["plain_text_input", "email_text_input", "url_text_input", "number_input"]);

/** wants tells on what an input dispatches. */
export const wants = (el, what) => el.dispatch_action_config?.trigger_actions_on?.includes(what);

function labels(field, el) {
  return field
    ? { id: field.id, "aria-describedby": field.describedBy, "aria-required": field.required ? "true" : null }
    : { "aria-label": said(el.placeholder) || el.accessibility_label || "Choose" };
}

/** optionsOf flattens options and option groups into [{option, group}]. */
function optionsOf(el) {
  if (el.options) return el.options.map((option) => ({ option }));
  return (el.option_groups ?? []).flatMap((g) =>
    g.options.map((option) => ({ option, group: said(g.label) })),
  );
}

/** chooser makes the drop-down lists; from says where its lines come from. */
function chooser(from, many) {
  return ({ el, ctx, field, blockId, values, change }) => {
    const state = ctx.state?.[blockId]?.[el.action_id];
    const known = [
      ...(el.initial_options ?? []),
      ...(el.initial_option ? [el.initial_option] : []),
      ...(state?.selected_options ?? []),
      ...(state?.selected_option ? [state.selected_option] : []),
    ];
    const box = combobox({
      ...from(el, ctx, blockId, known),
      values,
      many,
      max: el.max_selected_items,
      placeholder: said(el.placeholder) || (many ? "Choose some" : "Choose one"),
      attributes: labels(field, el),
      clearable: !!field && !field.required,
      autofocus: el.focus_on_load,
      onChange: async (v) => (await working(box, change(v))) !== false,
    });
    return box;
  };
}

const line = (option, group) => ({
  value: option.value,
  text: said(option.text),
  description: said(option.description),
  group,
});

const fixed = (el) => ({ lines: optionsOf(el).map(({ option, group }) => line(option, group)) });

const external = (el, ctx, blockId, known) => ({
  known: known.map((o) => line(o)),
  least: el.min_query_length ?? 3,
  search: async (q) => ctx.options(blockId, el, q),
});

const people = (el, ctx) => ({
  lines: ctx.world
    .people()
    .filter((p) => !p.bot && !p.deleted)
    .map((p) => ({ value: p.id, text: p.name, description: p.title, person: p })),
});

const places = (ctx, ...kinds) => ({
  lines: ctx.world
    .channels()
    .filter((c) => kinds.includes(c.kind))
    .map((c) => ({ value: c.id, text: ctx.world.title(c) })),
});

const channels = (el, ctx) => places(ctx, "public"); // a channel select offers public channels alone

const conversations = (el, ctx) => places(ctx, "public", "private", "im", "mpim");

/** pick makes radio buttons and checkboxes. */
function pick(type) {
  return ({ el, ctx, field, values, change }) => {
    const name = uid("pick");
    const group = h("div", {
      class: "picks",
      role: type === "radio" ? "radiogroup" : "group",
      "aria-labelledby": field?.labelId,
      "aria-label": field ? null : "Choose",
      "aria-describedby": field?.describedBy,
      tabindex: "-1",
      id: field?.id,
    });
    for (const o of el.options) {
      const input = h("input", {
        type,
        name,
        data: { value: o.value },
        prop: { value: o.value, checked: values.includes(o.value) },
        autofocus: el.focus_on_load,
        onChange: async () => {
          const before = values;
          values = [...group.querySelectorAll("input:checked")].map((i) => i.value);
          if ((await working(group, change(values))) === false) {
            values = before;
            for (const i of group.querySelectorAll("input")) i.checked = before.includes(i.value);
          }
        },
      });
      group.append(
        h(
          "label",
          { class: "pick" },
          input,
          h(
            "span",
            { class: "pick-words" },
            h("span", null, words(o.text, ctx)),
            o.description && h("small", null, words(o.description, ctx)),
          ),
        ),
      );
    }
    return group;
  };
}

/** typed makes the inputs whose value is text. */
function typed(kind) {
  return ({ el, ctx, field, values, change }) => {
    const long = kind === "text" && el.multiline;
    const props = {
      ...labels(field, el),
      class: "field",
      placeholder: said(el.placeholder),
      autofocus: el.focus_on_load,
      autocomplete: "off",
      spellcheck: kind === "text" ? "true" : "false",
      type: long ? null : { text: "text", email: "email", url: "url", number: "text" }[kind],
      rows: long ? 4 : null,
      inputmode: kind === "number" ? (el.is_decimal_allowed ? "decimal" : "numeric") : null,
      prop: { value: values[0] ?? "" },
    };
    let told = values[0] ?? "";
    const tell = (enter) => {
      if (input.value === told && !enter) return;
      told = input.value;
      change(told === "" ? [] : [told], { enter }).catch((err) => working(input, Promise.reject(err)));
    };
    const input = h(long ? "textarea" : "input", {
      ...props,
      onInput: () => tell(false),
      onKeydown: (e) => {
        if (e.key !== "Enter" || e.isComposing) return;
        const shown =
          !field || wants(el, "on_enter_pressed") || (field.dispatch && !el.dispatch_action_config);
        if (shown && !(long && e.shiftKey)) {
          e.preventDefault();
          tell(true);
        }
      },
    });
    if (!el.max_length) return input;
    const left = h("span", { class: "count", "aria-hidden": "true" });
    const show = () => {
      const n = [...input.value].length;
      left.textContent = n > el.max_length * 0.8 ? String(el.max_length - n) : "";
      left.classList.toggle("over", n > el.max_length);
    };
    input.addEventListener("input", show);
    show();
    return h("div", { class: "counted" }, input, left);
  };
}

/** picker makes the date and time pickers of the browser itself. */
function picker(type) {
  return ({ el, ctx, field, values, change }) => {
    const input = h("input", {
      ...labels(field, el),
      class: "field when",
      type,
      autofocus: el.focus_on_load,
      prop: { value: values[0] ?? "" },
      onChange: () => working(input, change(input.value ? [input.value] : [])),
    });
    return input;
  };
}

/** moment picks date and time together; its value is Unix seconds in the reader's zone. */
function moment({ el, ctx, field, values, change }) {
  const zone = ctx.world.zone;
  const input = h("input", {
    ...labels(field, el),
    class: "field when",
    type: "datetime-local",
    prop: { value: values[0] ? toLocal(Number(values[0]), zone) : "" },
    onChange: () => working(input, change(input.value ? [String(fromLocal(input.value, zone))] : [])),
  });
  return input;
}

function toLocal(s, zone) {
  const f = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone || undefined,
    dateStyle: "short",
    timeStyle: "short",
  });
  return f.format(new Date(s * 1000)).replace(" ", "T");
}

/** fromLocal finds the moment that reads so in zone: one guess, then corrected by what the guess reads. */
function fromLocal(text, zone) {
  const wall = Date.parse(text + "Z") / 1000;
  let s = wall;
  for (let i = 0; i < 2; i++) s += wall - Date.parse(toLocal(s, zone) + "Z") / 1000;
  return s;
}

function files({ el, ctx, field, values, change }) {
  const max = el.max_files ?? 10;
  const chosen = new Map(values.map((id) => [id, id]));
  const list = h("ul", { class: "file-list" });
  const pickFiles = h("input", {
    ...labels(field, el),
    type: "file",
    class: "field",
    multiple: max > 1,
    accept: el.filetypes?.map((t) => "." + t).join(","),
    onChange: () =>
      working(
        box,
        (async () => {
          for (const f of [...pickFiles.files].slice(0, max - chosen.size)) {
            const { id, name } = await ctx.upload(f);
            chosen.set(id, name);
          }
          pickFiles.value = "";
          await change([...chosen.keys()]);
          show();
        })(),
      ),
  });
  const show = () =>
    fill(
      list,
      [...chosen].map(([id, name]) =>
        h(
          "li",
          null,
          icon("file", 16),
          name,
          h(
            "button",
            {
              type: "button",
              class: "icon-button small",
              "aria-label": `Remove ${name}`,
              onClick: () => {
                chosen.delete(id);
                change([...chosen.keys()]);
                show();
              },
            },
            icon("close", 14),
          ),
        ),
      ),
    );
  const box = h("div", { class: "file-input" }, pickFiles, list);
  show();
  return box;
}

/** rich is a plain writing field whose text is sent as rich text. */
const rich = (args) => typed("text")({ ...args, el: { ...args.el, multiline: true } });

export const FIELDS = {
  static_select: chooser(fixed, false),
  multi_static_select: chooser(fixed, true),
  external_select: chooser(external, false),
  multi_external_select: chooser(external, true),
  users_select: chooser(people, false),
  multi_users_select: chooser(people, true),
  channels_select: chooser(channels, false),
  multi_channels_select: chooser(channels, true),
  conversations_select: chooser(conversations, false),
  multi_conversations_select: chooser(conversations, true),
  radio_buttons: pick("radio"),
  checkboxes: pick("checkbox"),
  plain_text_input: typed("text"),
  email_text_input: typed("email"),
  url_text_input: typed("url"),
  number_input: typed("number"),
  rich_text_input: rich,
  datepicker: picker("date"),
  timepicker: picker("time"),
  datetimepicker: moment,
  file_input: files,
};
