// The shell: who I am in this window, what to try, and the panes.

import { h, icon, iconButton, fill, rove } from "./dom.js";
import { popup } from "./popup.js";
import { api } from "./api.js";
import { chatPane } from "./slack/pane.js";
import { teamsPane } from "./teams/pane.js";
import { avatar } from "./avatar.js";

// The platforms. Who one is on each is kept for the window, and in the address
// under the names in hash.
const PLATFORMS = {
  slack: { name: "Slack", part: "", pane: chatPane, you: "you", kept: "as", hash: ["as", "in"] },
  teams: {
    name: "Teams",
    part: "teams/",
    pane: teamsPane,
    you: "you-teams",
    kept: "teams-as",
    hash: ["tas", "tin"],
  },
};
const ALL = Object.keys(PLATFORMS);
const ROOM = "(min-width: 1180px)"; // for two panes side by side

const side = document.getElementById("side");
const stage = document.getElementById("stage");
const on = {}; // by platform: {state, pane, place, count} of what is open
let shown = ["slack"];
let shell = null; // the state of Slack, which knows the tasks too

/** address reads who and where from the URL; a new window begins as the person used last. */
function address() {
  const p = new URLSearchParams(location.hash.slice(1));
  const at = {
    slack: { as: p.get("as"), in: p.get("in"), thread: p.get("thread"), tab: p.get("tab") ?? undefined },
    teams: { as: p.get("tas"), in: p.get("tin") },
  };
  const show = p
    .get("show")
    ?.split(",")
    .filter((x) => ALL.includes(x));
  return { ...at, show: show?.length ? show : null };
}

function write() {
  const p = new URLSearchParams();
  for (const k of ALL) {
    const x = on[k];
    if (!x) continue;
    const [as, within] = PLATFORMS[k].hash;
    p.set(as, x.state.me);
    if (x.place?.id) p.set(within, x.place.id);
  }
  const at = on.slack?.place ?? {};
  if (at.tab === "home") p.set("tab", "home");
  if (at.thread) p.set("thread", at.thread);
  if (shell.teams) p.set("show", shown.join(","));
  const hash = "#" + p;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

const last = (k) =>
  sessionStorage.getItem(PLATFORMS[k].kept) ?? localStorage.getItem(PLATFORMS[k].kept) ?? "";

/** read asks who this is on a platform; somebody of another workspace is forgotten. */
async function read(k, as) {
  const { part, kept } = PLATFORMS[k];
  try {
    const state = await api(as ?? last(k), part).get("state");
    sessionStorage.setItem(kept, state.me);
    localStorage.setItem(kept, state.me);
    return state;
  } catch (err) {
    if (err.status !== 404 || !(as ?? last(k))) throw err;
    sessionStorage.removeItem(kept);
    localStorage.removeItem(kept);
    history.replaceState(null, "", "#");
    return read(k, "");
  }
}

async function start(at = address()) {
  try {
    shell = await read("slack", at.slack?.as);
    const fit = shell.teams && matchMedia(ROOM).matches;
    const kept = (sessionStorage.getItem("show") ?? localStorage.getItem("show"))?.split(",");
    shown = !shell.teams
      ? ["slack"]
      : (at.show ?? kept ?? (fit ? ALL : ["slack"])).filter((k) => ALL.includes(k));
    if (!shown.length) shown = ["slack"];
    for (const k of ALL)
      await (shown.includes(k) ? enter(k, at[k] ?? {}, k === "slack" ? shell : null) : leave(k));
  } catch (err) {
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
  draw();
}

/** enter opens a platform's pane as somebody, in place of the one that was open. */
async function enter(k, at = {}, known = null) {
  const { part, pane } = PLATFORMS[k];
  const state = known ?? (await read(k, at.as));
  leave(k);
  const x = { state, place: {}, count: 0 };
  on[k] = x;
  x.pane = pane({
    client: api(state.me, part),
    state,
    at,
    moved: (to) => {
      x.place = to;
      if (on[k] === x) write();
    },
    reload: () => enter(k, { in: x.place?.id }).then(draw),
    away: () => showSide(false),
    counted: (n) => {
      x.count = n;
      entitle();
    },
  });
}

function leave(k) {
  on[k]?.pane.close();
  delete on[k];
}

const selfOn = (k) => on[k].state.people.find((p) => p.id === on[k].state.me);

function entitle() {
  const open = shown.filter((k) => on[k]);
  const who = [...new Set(open.map((k) => nameOf(selfOn(k))))].join(" and ");
  const n = open.reduce((n, k) => n + on[k].count, 0);
  document.title = `${n ? `(${n}) ` : ""}${who} · ${shell.title}`;
}

/** draw puts the panes that are shown beside each other. */
function draw() {
  drawSide();
  stage.dataset.panes = side.dataset.panes = shown.length;
  fill(
    stage,
    shown.length > 1
      ? shown.map((k) =>
          h("section", { class: "pane", "aria-label": PLATFORMS[k].name }, switcher(k), on[k].pane.el),
        )
      : on[shown[0]].pane.el,
  );
  entitle();
  write();
}

/** show changes which panes there are. */
async function show(which) {
  shown = which;
  sessionStorage.setItem("show", which.join(","));
  localStorage.setItem("show", which.join(","));
  for (const k of ALL) {
    if (!which.includes(k)) leave(k);
    else if (!on[k]) await enter(k);
  }
  draw();
}

const nameOf = (p) => p.display_name || p.real_name || p.name;
const face = (p, size) => avatar({ id: p.id, name: nameOf(p), bot: p.is_bot }, size);

function drawSide() {
  const help = helpCard(shell);
  fill(
    side,
    h(
      "header",
      { class: "brand" },
      h("span", { class: "brand-mark", "aria-hidden": "true" }, icon("desk", 20)),
      h(
        "div",
        null,
        h("p", { class: "brand-name" }, shell.title),
        h("p", { class: "brand-note" }, shell.team.name),
      ),
      iconButton("help", "Three things to try", {
        class: "help-button",
        data: { do: "help" },
        onClick: () => help.show(),
      }),
    ),
    shell.teams && chooser(),
    h(
      "div",
      { class: "nav-slot" },
      shown.map((k) =>
        h(
          "section",
          { class: "platform", "aria-label": PLATFORMS[k].name, data: { platform: k } },
          shown.length > 1 ? h("p", { class: "platform-name" }, PLATFORMS[k].name) : switcher(k),
          on[k].pane.nav,
        ),
      ),
    ),
    help.el,
  );
}

/** chooser says which of the platforms are shown. */
function chooser() {
  const option = (which, words) =>
    h(
      "button",
      {
        type: "button",
        role: "radio",
        "aria-checked": String(which.join() === shown.join()),
        tabindex: which.join() === shown.join() ? "0" : "-1",
        data: { show: which.join(",") },
        onClick: async () => {
          await show(which);
          side.querySelector(`[data-show="${which.join(",")}"]`)?.focus();
        },
      },
      words,
    );
  const box = h(
    "div",
    { class: "chooser", role: "radiogroup", "aria-label": "What to show" },
    option(["slack"], "Slack"),
    option(ALL, "Both"),
    option(["teams"], "Teams"),
  );
  rove(box, () => [...box.children], { keys: ["ArrowLeft", "ArrowRight"], wrap: true });
  return box;
}

function switcher(k) {
  const self = selfOn(k);
  const b = h(
    "button",
    {
      type: "button",
      class: "you",
      id: PLATFORMS[k].you,
      "aria-haspopup": "dialog",
      "aria-expanded": "false",
      data: { user: self.id },
      onClick: () => choose(b, k),
    },
    face(self),
    h(
      "span",
      { class: "you-words" },
      h("small", null, shown.length > 1 ? `In ${PLATFORMS[k].name} you are` : "You are"),
      h("b", null, nameOf(self)),
      h("span", null, role(self)),
    ),
    icon("chevron-down", 16),
  );
  return b;
}

const role = (p) => p.role || p.title || "";

/** choose opens the list of people; each can also be opened in a window of their own. */
function choose(anchor, k) {
  const { state } = on[k];
  const me = state.me;
  const people = state.people.filter((p) => !p.is_bot && !p.deleted && !p.gone);
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
            become(k, p.id);
          },
        },
        face(p),
        h("span", { class: "you-words" }, h("b", null, nameOf(p)), h("span", null, role(p))),
      ),
      h(
        "a",
        {
          class: "icon-button",
          href: elsewhere(k, p.id),
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

/** elsewhere is the address of a window as somebody else. */
function elsewhere(k, id) {
  const p = new URLSearchParams({ [PLATFORMS[k].hash[0]]: id });
  if (shell.teams) p.set("show", k);
  return "#" + p;
}

async function become(k, as, at = {}) {
  await enter(k, { ...at, as });
  draw();
  document.getElementById(PLATFORMS[k].you)?.focus();
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
                { type: "button", class: "try", onClick: () => attempt(t) },
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

async function attempt(t) {
  showSide(false);
  const k = t.teams ? "teams" : "slack";
  const at = { in: t.in || "app", compose: t.say };
  if (!shown.includes(k)) await show(shell.teams && matchMedia(ROOM).matches ? ALL : [k]);
  if (t.as && t.as !== on[k].state.me) await become(k, t.as, at);
  else on[k].pane.go(at.in, { compose: at.compose });
}

function showSide(open) {
  document.body.classList.toggle("side-open", open);
  if (open) side.querySelector("button")?.focus();
}

document.addEventListener("click", (e) => {
  if (e.target.closest("[data-do=side]")) showSide(true);
  else if (e.target.id === "scrim") showSide(false);
});
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape" && document.body.classList.contains("side-open")) showSide(false);
});
window.addEventListener("hashchange", async () => {
  const at = address();
  if (at.show && at.show.join() !== shown.join()) return start(at);
  for (const k of shown) {
    const x = on[k];
    const to = at[k];
    if (to.as && to.as !== x.state.me) {
      await enter(k, to);
      draw();
    } else if (to.in && to.in !== x.place?.id) x.pane.go(to.in, { thread: to.thread, tab: to.tab });
  }
});

start();
