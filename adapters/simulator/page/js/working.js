// How a control shows that the app is being waited for, and that it failed.

import { h, icon } from "./dom.js";

/**
 * working runs a promise while the control shows that the app is being waited
 * for, and leaves a triangle with words beside it if the app failed.
 */
export async function working(control, promise) {
  const box = control.closest("[data-block-id]") ?? control.parentElement;
  box?.querySelector(":scope > .trouble")?.remove();
  control.classList.add("busy");
  control.setAttribute("aria-busy", "true");
  control.classList.remove("failed");
  try {
    return await promise;
  } catch (err) {
    control.classList.add("failed");
    box?.append(trouble(err.message));
  } finally {
    control.classList.remove("busy");
    control.removeAttribute("aria-busy");
  }
}

/** trouble is the triangle with words. */
export function trouble(text) {
  return h("p", { class: "trouble", role: "alert" }, icon("warning", 18), h("span", null, text));
}
