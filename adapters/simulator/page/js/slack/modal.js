// Modals: the top of the app's view stack in one dialog of the page.

import { h, icon, iconButton, fill, uid, announce } from "../dom.js";
import { dialog } from "../popup.js";
import { blocks } from "./blocks.js";
import { words, said } from "./mrkdwn.js";
import { trouble } from "../working.js";

const PAUSE = 250; // ms after the last letter until what was typed is told

/** modals keeps a dialog in step with the world's views. */
export function modals({ world, client }) {
  let el = null; // the dialog, while one is open
  let drawn = ""; // what it shows, to leave alone what has not changed
  let entries = null; // values on their way

  world.on("views", update);
  update();

  function update() {
    const v = world.views.at(-1);
    if (!v) {
      el?.close();
      el = null;
      drawn = "";
      return;
    }
    const key = JSON.stringify([v.id, v.title, v.submit, v.close, v.blocks, v.errors, v.trouble]);
    if (key === drawn) return;
    if (!el) open();
    const same = el.dataset.viewId === v.id;
    drawn = key;
    draw(v, same);
  }

  function open() {
    const titleId = uid("title");
    el = dialog({ labelledby: titleId, className: "modal" });
    el.titleId = titleId;
    const mine = el;
    el.addEventListener("cancel", (e) => {
      e.preventDefault(); // the stack decides what is open
      if (e.target === mine) leave(true);
    });
    el.addEventListener("focuslost", () => document.querySelector(".composer-input")?.focus());
    el.open_();
  }

  function draw(v, same) {
    const focus =
      same && el.contains(document.activeElement)
        ? (document.activeElement.closest("[data-action-id]")?.dataset.actionId ??
          document.activeElement.dataset.do)
        : null;
    const scrolled = same ? el.querySelector(".modal-body")?.scrollTop : 0;
    if (!same) entries = queue(v.id);
    el.dataset.viewId = v.id;
    el.dataset.callbackId = v.callback_id ?? "";
    const ctx = {
      world,
      surface: "modal",
      state: v.state?.values,
      errors: v.errors,
      change: (block, element, values, dispatch) => {
        clearError(block);
        return entries.put(block, element.action_id, values, dispatch);
      },
      options: async (block, element, typed) =>
        (await client.post("suggest", { view: v.id, block, action: element.action_id, typed })).options,
      upload: (file) => {
        const form = new FormData();
        form.append("file", file);
        return client.post("upload", form);
      },
    };
    const deep = world.views.length > 1;
    const submit =
      v.submit &&
      h(
        "button",
        { type: "submit", class: "button primary", data: { do: "submit" } },
        h("span", { class: "button-face" }, words(v.submit, ctx)),
        h("span", { class: "spinner", "aria-hidden": "true" }),
      );
    const foot = h("div", { class: "modal-trouble" }, v.trouble && trouble(v.trouble));
    const form = h(
      "form",
      {
        class: "modal-form",
        novalidate: true,
        onSubmit: (e) => {
          e.preventDefault();
          if (submit) send(v, submit, foot);
        },
      },
      h(
        "header",
        { class: "modal-head" },
        h("span", { class: "avatar avatar-app small", "aria-hidden": "true" }, icon("desk", 14)),
        h("h2", { id: el.titleId }, words(v.title, ctx)),
        iconButton("close", "Close", { data: { do: "close" }, onClick: () => leave(true) }),
      ),
      h("div", { class: "modal-body blocks" }, blocks(v.blocks, ctx)),
      h(
        "footer",
        { class: "modal-foot" },
        foot,
        h(
          "button",
          { type: "button", class: "button", data: { do: "back" }, onClick: () => leave(false) },
          v.close ? words(v.close, ctx) : deep ? "Back" : submit ? "Cancel" : "Close",
        ),
        submit,
      ),
    );
    fill(el, form);
    const body = el.querySelector(".modal-body");
    body.scrollTop = scrolled ?? 0;
    const invalid = body.querySelector("[aria-invalid], .invalid input, .invalid textarea");
    const target =
      invalid ??
      (focus
        ? el.querySelector(`[data-action-id="${CSS.escape(focus)}"], [data-do="${CSS.escape(focus)}"]`)
        : null) ??
      (same
        ? null
        : (body.querySelector("[autofocus]") ??
          body.querySelector("input:not([type=hidden]), textarea, select, button") ??
          submit ??
          el.querySelector("[data-do=back]")));
    (target?.matches("input, textarea, select, button, a, [tabindex]")
      ? target
      : target?.querySelector("input, textarea, button")
    )?.focus({ preventScroll: same && !invalid });
    if (!same) announce(`${said(v.title)} opened`);
    if (v.errors && Object.keys(v.errors).length) announce("Some answers need another look.");
  }

  function clearError(block) {
    const box = el?.querySelector(`.invalid[data-block-id="${CSS.escape(block)}"]`);
    if (!box) return;
    box.classList.remove("invalid");
    box.querySelector(".field-error")?.replaceChildren();
    box.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
  }

  async function send(v, button, foot) {
    if (button.classList.contains("busy")) return;
    fill(foot);
    button.classList.add("busy");
    button.setAttribute("aria-busy", "true");
    try {
      await entries.flush();
      const { refused } = (await client.post("submit", { view: v.id })) ?? {};
      const now = world.views.find((x) => x.id === v.id);
      // The stream may bring the same a moment later, or not at all if the words are as before.
      if (refused && now && JSON.stringify(now.errors) !== JSON.stringify(refused)) {
        now.errors = refused;
        update();
      } else if (refused) {
        drawn = "";
        update();
      }
    } catch (err) {
      fill(foot, trouble(err.message));
    } finally {
      button.classList.remove("busy");
      button.removeAttribute("aria-busy");
    }
  }

  async function leave(all) {
    const v = world.views.at(-1);
    if (!v) return;
    try {
      await entries?.flush().catch(() => {}); // what can't be entered need not be kept
      await client.post("close", { view: v.id, all });
    } catch (err) {
      // The app failed to hear of it; the view is closed all the same, unless it is not.
      if (world.views.some((x) => x.id === v.id))
        fill(el.querySelector(".modal-trouble"), trouble(err.message));
    }
  }

  /**
   * queue sends what is entered in a view: one after the other, typed text once
   * the typing pauses, so that the app never sees an older value after a newer.
   */
  function queue(view) {
    const waiting = new Map();
    let tail = Promise.resolve();
    const tell = (key) => {
      const w = waiting.get(key);
      if (!w) return tail;
      waiting.delete(key);
      clearTimeout(w.timer);
      const sent = tail.then(() =>
        client.post("act", { view, block: w.block, action: w.action, values: w.values }),
      );
      tail = sent.catch(() => {});
      sent.then(w.done, w.fail);
      return sent;
    };
    return {
      put: (block, action, values, dispatch) =>
        new Promise((done, fail) => {
          const key = JSON.stringify([block, action]);
          const old = waiting.get(key);
          if (old) {
            clearTimeout(old.timer);
            old.done();
          }
          waiting.set(key, {
            block,
            action,
            values,
            done,
            fail,
            timer: setTimeout(() => tell(key).catch(() => {}), dispatch ? 0 : PAUSE),
          });
        }),
      flush: async () => {
        const all = [...waiting.keys()].map(tell);
        await Promise.all(all);
        await tail;
      },
    };
  }
}
