// The shell: who I am in this window, what to try, and the panes.

import { h, icon, iconButton, fill } from "./dom.js";
import { popup } from "./popup.js";
import { api } from "./api.js";
import { chatPane } from "./slack/pane.js";
import { avatar } from "./avatar.js";

const PANES = [chatPane];
const side = document.getElementById("side");
const stage = document.getElementById("stage");
let open = []; // the panes, as made for who I am now
let me = null;
let place = {};

/** address reads who and where from the URL; a new window begins as the person used last. */
function address() {
  const p = new URLSearchParams(location.hash.slice(1));
  return { as: p.get("as"), in: p.get("in"), thread: p.get("thread"), tab: p.get("tab") ?? undefined };
}

function write() {
  const p = new URLSearchParams({ as: me });
  if (place.id) p.set("in", place.id);
  if (place.tab === "home") p.set("tab", "home");
  if (place.thread) p.set("thread", place.thread);
  const hash = "#" + p;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

async function start(at = address()) {
  const as = at.as ?? sessionStorage.getItem("as") ?? localStorage.getItem("as") ?? "";
  let state;
  try {
    state = await api(as).get("state");
  } catch (err) {
    if (err.status === 404 && as) {
      // somebody of another workspace
      sessionStorage.removeItem("as");
      localStorage.removeItem("as");
      history.replaceState(null, "", "#");
      return start({});
    }
    fill(
      stage,
      h(
        "div",
        { class: "empty" },
        icon("warning", 40),
        h("h2", null, "This page can't be shown"),
        h("p", null, err.message),
        h("button", { type: "button", class: "button primary", onClick: () => start(at) }, "Try again"),
      ),
    );
    return;
  }
  me = state.me;
  sessionStorage.setItem("as", me);
  localStorage.setItem("as", me);
  const self = state.people.find((p) => p.id === me);
  const title = `${nameOf(self)} · ${state.title}`;
  document.title = title;
  for (const p of open) p.close();
  place = {};
  open = PANES.map((make) =>
    make({
      client: api(me),
      state,
      at,
      moved: (to) => {
        place = to;
        write();
      },
      reload: () => start(),
      away: () => showSide(false),
      counted: (n) => {
        document.title = n ? `(${n}) ${title}` : title;
      },
    }),
  );
  drawSide(state, self);
  fill(
    stage,
    open.map((p) => p.el),
  );
  write();
}

const nameOf = (p) => p.display_name || p.real_name || p.name;
const face = (p, size) => avatar({ id: p.id, name: nameOf(p), bot: p.is_bot }, size);

function drawSide(state, self) {
  const help = helpCard(state);
  fill(
    side,
    h(
      "header",
      { class: "brand" },
      h("span", { class: "brand-mark", "aria-hidden": "true" }, icon("desk", 20)),
      h(
        "div",
        null,
        h("p", { class: "brand-name" }, state.title),
        h("p", { class: "brand-note" }, state.team.name),
      ),
      iconButton("help", "Three things to try", {
        class: "help-button",
        data: { do: "help" },
        onClick: () => help.show(),
      }),
    ),
    switcher(state, self),
    h(
      "div",
      { class: "nav-slot" },
      open.map((p) => p.nav),
    ),
    help.el,
  );
}

function switcher(state, self) {
  const b = h(
    "button",
    {
      type: "button",
      class: "you",
      id: "you",
      "aria-haspopup": "dialog",
      "aria-expanded": "false",
      data: { user: self.id },
      onClick: () => choose(b, state),
    },
    face(self),
    h(
      "span",
      { class: "you-words" },
      h("small", null, "You are"),
      h("b", null, nameOf(self)),
      h("span", null, role(self)),
    ),
    icon("chevron-down", 16),
  );
  return b;
}

const role = (p) => p.role || p.title || "";

/** choose opens the list of people; each can also be opened in a window of their own. */
function choose(anchor, state) {
  const people = state.people.filter((p) => !p.is_bot && !p.deleted);
  const list = h("div", { class: "people", role: "list" });
  const search = h("input", {
    type: "search",
    class: "field",
    placeholder: "Find a person",
    "aria-label": "Find a person",
    autocomplete: "off",
    onInput: () => draw(search.value),
    onKeydown: (e) => {
      if (e.key === "Enter") list.querySelector("button")?.click();
      if (e.key === "ArrowDown") {
        e.preventDefault();
        list.querySelector("button")?.focus();
      }
    },
  });
  list.addEventListener("keydown", (e) => {
    if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
    e.preventDefault();
    const all = [...list.querySelectorAll("button")];
    const at =
      all.indexOf(e.target.closest("[role=listitem]")?.querySelector("button")) +
      (e.key === "ArrowDown" ? 1 : -1);
    (at < 0 ? search : all[Math.min(at, all.length - 1)]).focus();
  });
  const row = (p) =>
    h(
      "div",
      { role: "listitem", class: ["person", p.id === me && "current"] },
      h(
        "button",
        {
          type: "button",
          data: { user: p.id },
          "aria-current": p.id === me ? "true" : null,
          onClick: () => {
            panel.hidePopover();
            become(p.id);
          },
        },
        face(p),
        h("span", { class: "you-words" }, h("b", null, nameOf(p)), h("span", null, role(p))),
      ),
      h(
        "a",
        {
          class: "icon-button",
          href: `#as=${encodeURIComponent(p.id)}`,
          target: "_blank",
          title: `Open a window as ${nameOf(p)}`,
          "aria-label": `Open a window as ${nameOf(p)}`,
        },
        icon("window", 18),
      ),
    );
  function draw(q) {
    const s = q.trim().toLowerCase();
    const found = people.filter((p) => !s || `${nameOf(p)} ${p.name} ${role(p)}`.toLowerCase().includes(s));
    const named = found.filter((p) => p.role),
      others = found.filter((p) => !p.role);
    fill(
      list,
      named.map(row),
      others.length > 0 && named.length > 0 && h("p", { class: "people-group" }, "Everybody else"),
      others.map(row),
      !found.length && h("p", { class: "combo-note" }, "Nobody by that name"),
    );
  }
  draw("");
  const panel = popup(
    anchor,
    [
      search,
      list,
      h("p", { class: "people-foot" }, icon("window", 16), "opens a second window beside this one"),
    ],
    { label: "Choose who you are", className: "popup-people", focus: search },
  );
}

async function become(id, at = {}) {
  await start({ ...at, as: id });
  document.getElementById("you")?.focus();
}

/** helpCard shows what to try; it stays away once dismissed, until asked for. */
function helpCard(state) {
  if (!state.tasks?.length) return { el: null, show: () => {} };
  const key = "help-dismissed";
  const el = h(
    "section",
    { class: "help-card", "aria-labelledby": "help-title", hidden: localStorage.getItem(key) === "yes" },
    h(
      "header",
      null,
      h("h2", { id: "help-title" }, state.tasks.length === 3 ? "Three things to try" : "Things to try"),
      iconButton("close", "Hide this", {
        class: "small",
        data: { do: "hide-help" },
        onClick: () => {
          localStorage.setItem(key, "yes");
          el.hidden = true;
          document.querySelector(".help-button")?.focus();
        },
      }),
    ),
    h(
      "ol",
      null,
      state.tasks.map((t) =>
        h(
          "li",
          null,
          h(
            "div",
            null,
            h("b", null, t.title),
            t.text && h("p", null, t.text),
            (t.as || t.in || t.say) &&
              h(
                "button",
                { type: "button", class: "try", onClick: () => attempt(state, t) },
                "Try it",
                icon("chevron-right", 14),
              ),
          ),
        ),
      ),
    ),
  );
  return {
    el,
    show: () => {
      localStorage.removeItem(key);
      el.hidden = !el.hidden;
      showSide(true);
      if (!el.hidden) el.querySelector("button")?.focus();
    },
  };
}

async function attempt(state, t) {
  showSide(false);
  const at = { as: t.as || me, in: t.in || "app", compose: t.say };
  if (at.as === me) open[0].go(at.in, { compose: at.compose });
  else await start(at);
}

function showSide(on) {
  document.body.classList.toggle("side-open", on);
  if (on) side.querySelector("button")?.focus();
}

document.addEventListener("click", (e) => {
  if (e.target.closest("[data-do=side]")) showSide(true);
  else if (e.target.id === "scrim") showSide(false);
});
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape" && document.body.classList.contains("side-open")) showSide(false);
});
window.addEventListener("hashchange", () => {
  const at = address();
  if (at.as && at.as !== me) start(at);
  else if (at.in && at.in !== place.id) open[0]?.go(at.in, { thread: at.thread, tab: at.tab });
});

start();
