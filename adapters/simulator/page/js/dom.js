// Building blocks for the page's DOM. Everything that a person wrote reaches
// the page as a text node: no function here takes markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * h makes an element. Props are attributes, except: on<Event> adds a listener,
 * `class` may be an array with holes, `data` is an object of data attributes,
 * `prop` sets properties (value, checked, …). false, null and undefined leave
 * an attribute out; true sets it empty. Children may be nested arrays.
 */
export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === false || value == null) continue;
    if (name === "class") {
      const list = [].concat(value).filter(Boolean).join(" ");
      if (list) el.className = list;
    } else if (name === "data") {
      for (const [k, v] of Object.entries(value)) if (v != null && v !== false) el.dataset[k] = v;
    } else if (name === "prop") {
      Object.assign(el, value);
    } else if (name.startsWith("on")) {
      el.addEventListener(name.slice(2).toLowerCase(), value);
    } else {
      el.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(el, children);
  return el;
}

/** append adds children, flattening arrays and skipping null, undefined and false. */
export function append(el, children) {
  for (const c of children.flat(Infinity)) {
    if (c == null || c === false || c === "") continue;
    el.append(c);
  }
  return el;
}

/** fill replaces what el contains. */
export function fill(el, ...children) {
  el.replaceChildren();
  return append(el, children);
}

/** sync makes the children of el those wanted, moving as little as possible. */
export function sync(el, wanted) {
  const set = new Set(wanted);
  for (const child of [...el.children]) if (!set.has(child)) child.remove();
  let at = el.firstElementChild;
  for (const node of wanted) {
    if (node === at) at = at.nextElementSibling;
    else el.insertBefore(node, at);
  }
}

/** icon draws one of our own line icons; it is decoration, so name the control around it. */
export function icon(name, size = 20) {
  return sprite("/icons.svg#" + name, "icon", size);
}

/** sprite refers to a symbol of one of the two drawings that we serve. */
export function sprite(href, className, size) {
  const s = document.createElementNS(SVG, "svg");
  s.setAttribute("class", className);
  s.setAttribute("aria-hidden", "true");
  if (size) {
    s.setAttribute("width", size);
    s.setAttribute("height", size);
  }
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", href);
  s.append(use);
  return s;
}

/** iconButton is a square button with a drawing; label is its name and its tooltip. */
export function iconButton(name, label, props = {}) {
  return h(
    "button",
    { type: "button", "aria-label": label, title: label, ...props, class: ["icon-button", props.class] },
    icon(name),
  );
}

/** safeURL is the address if following it is harmless, and null otherwise. */
export function safeURL(s) {
  try {
    const u = new URL(s);
    return ["http:", "https:", "mailto:", "tel:"].includes(u.protocol) ? u.href : null;
  } catch {
    return null;
  }
}

let ids = 0;
/** uid gives an id that is free in this document. */
export function uid(prefix = "x") {
  return `${prefix}-${++ids}`;
}

/** plural writes a count with its noun: plural(3, "reply", "replies"). */
export function plural(n, one, many = one + "s") {
  return `${n} ${n === 1 ? one : many}`;
}

/**
 * rove lets the arrow keys move focus among the items of a list, of which only
 * one is in the tab order. items is asked anew at each key, so the list may change.
 */
export function rove(el, items, { keys = ["ArrowUp", "ArrowDown"], wrap = false } = {}) {
  const [back, forth] = keys;
  el.addEventListener("keydown", (e) => {
    if (e.altKey || e.ctrlKey || e.metaKey) return;
    const all = items();
    const at = all.indexOf(document.activeElement);
    if (at < 0) return;
    let to;
    if (e.key === back) to = at - 1;
    else if (e.key === forth) to = at + 1;
    else if (e.key === "Home") to = 0;
    else if (e.key === "End") to = all.length - 1;
    else return;
    if (wrap) to = (to + all.length) % all.length;
    e.preventDefault();
    const next = all[Math.max(0, Math.min(all.length - 1, to))];
    for (const x of all) x.tabIndex = x === next ? 0 : -1;
    next.focus();
  });
  el.addEventListener("focusin", (e) => {
    const all = items();
    if (all.includes(e.target)) for (const x of all) x.tabIndex = x === e.target ? 0 : -1;
  });
}

/**
 * enterIsTaken keeps Enter from doing twice what a keydown listener has done. In
 * a browser a keydown that is prevented has no keypress; automation and some
 * input methods send one all the same.
 */
export function enterIsTaken(e) {
  if (e.key === "Enter" && !e.shiftKey) e.preventDefault();
}

const politely = () => document.getElementById("announcer");
/** announce has a screen reader say something without moving focus. */
export function announce(text) {
  const el = politely();
  if (!el) return;
  el.append(h("p", null, text));
  while (el.childElementCount > 5) el.firstElementChild.remove();
}

/** toast shows a short note at the foot of the page; alerts stay longer. */
export function toast(text, { alert = false } = {}) {
  const el = h(
    "div",
    { class: ["toast", alert && "toast-alert"], role: alert ? "alert" : "status" },
    icon(alert ? "warning" : "check", 18),
    h("span", null, text),
  );
  document.getElementById("toasts").append(el);
  setTimeout(() => el.remove(), alert ? 7000 : 3500);
}
