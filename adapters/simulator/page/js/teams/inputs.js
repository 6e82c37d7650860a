// The inputs of a card. Each is entered in ctx.fields under its id, with its
// value as Teams sends it: always a string, several choices with commas between.

import { h, icon, uid, fill } from "../dom.js";
import { combobox } from "../combobox.js";
import { emojify } from "../emoji.js";

/** input draws any of the inputs with its label and what is wrong with it. */
export function input(e, ctx) {
  const id = uid("field"),
    labelId = uid("label"),
    errorId = uid("error");
  const field = { id, labelId, "aria-describedby": errorId, "aria-required": e.isRequired ? "true" : null };
  const control = CONTROLS[kind(e)]({ ...e, value: ctx.entered[e.id] ?? e.value }, ctx, field);
  const error = h("div", { class: "field-error", id: errorId, role: "alert" });
  const box = h(
    "div",
    { class: "ac-input", data: { input: e.id } },
    h(
      "label",
      { id: labelId, for: id, dir: "auto" },
      e.label,
      e.isRequired && h("span", { class: "ac-needed", "aria-hidden": "true" }, " *"),
    ),
    control.el,
    error,
  );
  const say = (words) => {
    box.classList.toggle("invalid", !!words);
    const at = box.querySelector(`#${id}`);
    words ? at?.setAttribute("aria-invalid", "true") : at?.removeAttribute("aria-invalid");
    fill(error, words && [icon("warning", 16), h("span", null, words)]);
  };
  box.addEventListener("input", () => say(""));
  box.addEventListener("change", () => say(""));
  ctx.fields.set(e.id, {
    get: control.get,
    say,
    focus: () =>
      (box.querySelector(`input#${id}, textarea#${id}, select#${id}`) ?? box.querySelector("input"))?.focus(),
  });
  return box;
}

function kind(e) {
  if (e.type !== "Input.ChoiceSet") return e.type;
  if (e.isMultiSelect) return "checks";
  if (e["choices.data"] || e.style === "filtered") return "search";
  return e.style === "expanded" ? "radios" : "list";
}

const CONTROLS = {
  "Input.Text"(e, ctx, { id, labelId, ...field }) {
    const el = h(e.isMultiline ? "textarea" : "input", {
      ...field,
      id,
      class: "field",
      dir: "auto",
      placeholder: e.placeholder,
      type: e.isMultiline ? null : "text",
      rows: e.isMultiline ? 4 : null,
      maxlength: e.maxLength,
      autocomplete: "off",
      spellcheck: "true",
      prop: { value: e.value ?? "" },
    });
    return { el, get: () => el.value };
  },

  "Input.Date": (e, ctx, field) => moment("date", e, field),
  "Input.Time": (e, ctx, field) => moment("time", e, field),

  radios: (e, ctx, field) => picks("radio", e, field),
  checks: (e, ctx, field) => picks("checkbox", e, field),

  list(e, ctx, { id, labelId, ...field }) {
    const el = h(
      "select",
      { ...field, id, class: "field" },
      (!e.isRequired || !e.value) && h("option", { value: "" }, e.placeholder ?? ""),
      (e.choices ?? []).map((c) => h("option", { value: c.value }, c.title)),
    );
    el.value = e.value ?? "";
    return { el, get: () => el.value };
  },

  search(e, ctx, { id, labelId, ...field }) {
    const dataset = e["choices.data"]?.dataset;
    const known = (e.choices ?? []).map((c) => ({ value: c.value, text: c.title }));
    if (dataset && e.value && !known.some((l) => l.value === e.value))
      known.push({ value: e.value, text: ctx.name(e.value) ?? e.value });
    let value = e.value ? [e.value] : [];
    const el = combobox({
      lines: dataset ? undefined : known,
      known,
      search: dataset ? (typed) => ctx.search(e.id, typed) : undefined,
      least: 1,
      values: value,
      placeholder: e.placeholder || "Choose one",
      attributes: { ...field, id },
      clearable: !e.isRequired,
      onChange: (v) => {
        value = v;
        el.dispatchEvent(new Event("change", { bubbles: true }));
        return true;
      },
    });
    return { el, get: () => value[0] ?? "" };
  },
};

function moment(type, e, { id, labelId, ...field }) {
  const el = h("input", { ...field, id, class: "field when", type, prop: { value: e.value ?? "" } });
  return { el, get: () => el.value };
}

function picks(type, e, { id, labelId, ...field }) {
  const name = uid("pick");
  const chosen = (e.value ?? "").split(",");
  const el = h(
    "div",
    {
      ...field,
      id,
      class: "picks",
      role: type === "radio" ? "radiogroup" : "group",
      "aria-labelledby": labelId,
      tabindex: "-1",
    },
    (e.choices ?? []).map((c) =>
      h(
        "label",
        { class: "pick" },
        h("input", {
          type,
          name,
          data: { value: c.value },
          prop: {
            value: c.value,
            checked: type === "radio" ? c.value === e.value : chosen.includes(c.value),
          },
        }),
        h("span", { class: "pick-words" }, h("span", { dir: "auto" }, emojify(c.title ?? ""))),
      ),
    ),
  );
  return { el, get: () => [...el.querySelectorAll("input:checked")].map((i) => i.value).join(",") };
}
