// Where a person writes: Enter sends, Shift+Enter begins a new line; people,
// channels, emoji and slash commands are offered while typing; files are
// attached, dropped or pasted.

import { h, icon, iconButton, fill, uid, enterIsTaken } from "../dom.js";
import { place } from "../popup.js";
import { avatar } from "../avatar.js";
import { emojiPicker } from "../emojipicker.js";
import { find, emojiOr, COMMON } from "../emoji.js";
import { unescape } from "./mrkdwn.js";

const MOST = 12000; // characters; what Slack's own client takes
const drafts = new Map(); // by person and place

/**
 * composer makes the writing field. send({text, files, broadcast}) posts and throws words if it
 * could not; key names the draft. up() is the arrow key in an empty field.
 */
export function composer({ world, key, placeholder, label, send, up, commands, autofocus, broadcastLabel }) {
  let files = [];
  const draft = `${world.me} ${key}`;
  const attached = h("ul", { class: "attached", "aria-label": "Attached files", hidden: true });
  const problem = h("p", { class: "composer-problem", role: "alert", hidden: true });
  const picker = h("input", {
    type: "file",
    multiple: true,
    hidden: true,
    "aria-label": "Attach files",
    onChange: () => {
      attach([...picker.files]);
      picker.value = "";
    },
  });
  const broadcast = broadcastLabel && h("input", { type: "checkbox" });
  const input = h("textarea", {
    rows: 1,
    placeholder,
    "aria-label": label,
    class: "composer-input",
    data: { composer: key },
    spellcheck: "true",
    onInput: () => {
      drafts.set(draft, input.value);
      grow();
      hints.update();
      ready();
      say("");
    },
    onKeydown: keydown,
    onKeypress: enterIsTaken,
    onPaste: (e) => {
      const pasted = [...(e.clipboardData?.files ?? [])];
      if (!pasted.length) return;
      e.preventDefault();
      attach(pasted);
    },
    onBlur: () => hints.close(),
    onClick: () => hints.update(),
  });
  const hints = suggestions(input, world, commands);
  const go = iconButton("send", "Send", { class: "send", onClick: submit });
  const el = h(
    "form",
    {
      class: "composer",
      "aria-label": label,
      onSubmit: (e) => {
        e.preventDefault();
        submit();
      },
      onDragover: (e) => {
        e.preventDefault();
        el.classList.add("dropping");
      },
      onDragleave: () => el.classList.remove("dropping"),
      onDrop: (e) => {
        e.preventDefault();
        el.classList.remove("dropping");
        attach([...e.dataTransfer.files]);
      },
    },
    h(
      "div",
      { class: "composer-box" },
      input,
      attached,
      h(
        "div",
        { class: "composer-tools" },
        iconButton("plus", "Attach a file", { onClick: () => picker.click() }),
        iconButton("smile", "Emoji", {
          "aria-haspopup": "dialog",
          onClick: (e) => emojiPicker(e.currentTarget, (name) => insert(`:${name}: `), COMMON),
        }),
        iconButton("at", "Mention somebody", {
          onClick: () => {
            insert(/\s$|^$/.test(input.value) ? "@" : " @");
            hints.update();
          },
        }),
        commands &&
          iconButton("slash", "Commands", {
            onClick: () => {
              if (!input.value) {
                insert("/");
                hints.update();
              } else input.focus();
            },
          }),
        h("span", { class: "composer-hint", "aria-hidden": "true" }, h("kbd", null, "Enter"), " to send"),
        picker,
        go,
      ),
    ),
    broadcast && h("label", { class: "broadcast-choice" }, broadcast, h("span", null, broadcastLabel)),
    problem,
  );

  function say(text) {
    problem.hidden = !text;
    problem.textContent = text;
  }
  function ready() {
    go.disabled = !input.value.trim() && !files.length;
  }
  function grow() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 220)}px`;
  }
  function insert(text) {
    input.focus();
    input.setRangeText(text, input.selectionStart, input.selectionEnd, "end");
    input.dispatchEvent(new Event("input"));
  }
  function attach(more) {
    files = [...files, ...more].slice(0, 10);
    attached.hidden = !files.length;
    fill(
      attached,
      files.map((f) =>
        h(
          "li",
          null,
          icon("file", 16),
          h("span", null, f.name || "image.png"),
          h(
            "button",
            {
              type: "button",
              class: "icon-button small",
              "aria-label": `Remove ${f.name}`,
              onClick: () => {
                files = files.filter((x) => x !== f);
                attach([]);
                input.focus();
              },
            },
            icon("close", 14),
          ),
        ),
      ),
    );
    ready();
    input.focus();
  }

  async function submit() {
    const text = input.value.trim();
    if (!text && !files.length) return;
    if (text.length > MOST) return say(`That is ${text.length - MOST} characters too long for one message.`);
    const kept = { text: input.value, files };
    input.value = "";
    files = [];
    drafts.delete(draft);
    attach([]);
    grow();
    hints.close();
    try {
      await send({ text, files: kept.files, broadcast: broadcast?.checked });
      if (broadcast) broadcast.checked = false;
    } catch (err) {
      if (!input.value) {
        input.value = kept.text;
        drafts.set(draft, kept.text);
        files = kept.files;
        attach([]);
        grow();
      }
      say(err.message);
    }
  }

  function keydown(e) {
    if (hints.keydown(e)) return;
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      submit();
    } else if (e.key === "ArrowUp" && input.value === "" && up) {
      if (up()) e.preventDefault();
    }
  }

  input.value = drafts.get(draft) ?? "";
  ready();
  requestAnimationFrame(grow);
  return {
    el,
    focus: () => input.focus(),
    set: (text) => {
      input.value = text;
      drafts.set(draft, text);
      grow();
      ready();
      input.focus();
    },
  };
}

/** suggestions offers people, channels, emoji and commands for the word being typed. */
function suggestions(input, world, commands) {
  const listId = uid("hints");
  const list = h("div", {
    id: listId,
    class: "popup combo-list hints",
    role: "listbox",
    popover: "manual",
    "aria-label": "Suggestions",
  });
  list.addEventListener("mousedown", (e) => e.preventDefault());
  input.setAttribute("aria-controls", listId);
  let shown = [],
    active = 0,
    from = 0;

  function matches() {
    const upTo = input.value.slice(0, input.selectionStart);
    if (commands && /^\/\S*$/.test(upTo)) {
      from = 0;
      return commands()
        .filter((c) => c.name.startsWith(upTo))
        .map((c) => ({
          insert: c.name + " ",
          icon: icon("slash", 18),
          text: c.name,
          usage: c.usage_hint,
          note: c.description,
        }));
    }
    const m = /(?:^|[\s(])([@#:])([\p{L}\p{N}._+-]*)$/u.exec(upTo);
    if (!m) return [];
    const [, sign, word] = m;
    from = upTo.length - word.length - 1;
    const w = word.toLowerCase();
    if (sign === "@") {
      return world
        .people()
        .filter(
          (p) =>
            !p.deleted &&
            p.id !== world.me &&
            (p.handle.toLowerCase().startsWith(w) ||
              p.name
                .toLowerCase()
                .split(" ")
                .some((x) => x.startsWith(w))),
        )
        .sort((a, b) => !!b.bot - !!a.bot)
        .slice(0, 8)
        .map((p) => ({
          insert: `@${p.handle} `,
          icon: avatar(p, "small"),
          text: p.name,
          note: p.title || (p.bot ? "App" : ""),
        }));
    }
    if (sign === "#") {
      return world
        .channels()
        .filter((c) => c.name && (c.kind === "public" || c.kind === "private") && c.name.includes(w))
        .slice(0, 8)
        .map((c) => ({ insert: `#${c.name} `, icon: icon("hash", 18), text: c.name, note: c.topic }));
    }
    if (w.length < 2) return [];
    return find(w)
      .slice(0, 8)
      .map((e) => ({ insert: `:${e.names[0]}: `, icon: emojiOr(e.names[0]), text: `:${e.names[0]}:` }));
  }

  function update() {
    shown = matches();
    if (!shown.length) return close();
    active = 0;
    draw();
    if (!list.matches(":popover-open")) {
      input.parentElement.append(list);
      list.showPopover();
      input.setAttribute("aria-expanded", "true");
    }
    list.style.minWidth = `${Math.min(input.offsetWidth, 420)}px`;
    place(list, input.closest(".composer-box") ?? input);
  }

  function draw() {
    fill(
      list,
      shown.map((s, i) =>
        h(
          "div",
          {
            id: `${listId}-${i}`,
            role: "option",
            class: ["combo-option", i === active && "active"],
            "aria-selected": String(i === active),
            onClick: () => choose(s),
          },
          s.icon,
          h(
            "span",
            { class: "combo-words row" },
            h("span", null, s.text, s.usage && h("span", { class: "usage" }, " " + s.usage)),
            s.note && h("small", null, s.note),
          ),
        ),
      ),
    );
    input.setAttribute("aria-activedescendant", `${listId}-${active}`);
  }

  function choose(s) {
    input.setRangeText(s.insert, from, input.selectionStart, "end");
    close();
    input.dispatchEvent(new Event("input"));
    input.focus();
  }

  function close() {
    shown = [];
    if (list.matches(":popover-open")) list.hidePopover();
    input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-expanded", "false");
  }

  function keydown(e) {
    if (!shown.length) return false;
    switch (e.key) {
      case "ArrowDown":
      case "ArrowUp":
        active = (active + (e.key === "ArrowDown" ? 1 : -1) + shown.length) % shown.length;
        draw();
        break;
      case "Enter":
      case "Tab": {
        // What has been typed whole is sent, not completed once more.
        const word = input.value.slice(from, input.selectionStart);
        if (e.key === "Enter" && (e.shiftKey || shown[active].insert.trim() === word)) {
          close();
          return false;
        }
        choose(shown[active]);
        break;
      }
      case "Escape":
        close();
        break;
      default:
        return false;
    }
    e.preventDefault();
    e.stopPropagation();
    return true;
  }

  return { update, close, keydown };
}

/** typed is the text of a message as its writer typed it, for editing. */
export function typed(text, world) {
  return unescape(
    String(text ?? "")
      .replace(/<@([^|>]+)(?:\|[^>]*)?>/g, (all, id) =>
        world.person(id) ? "@" + world.person(id).handle : all,
      )
      .replace(
        /<#([^|>]+)(?:\|([^>]*))?>/g,
        (all, id, label) => "#" + (world.channel(id)?.name ?? label ?? id),
      )
      .replace(/<mailto:([^|>]+)(?:\|[^>]*)?>/g, "$1")
      .replace(/<((?:https?|tel):[^|>]+)(?:\|[^>]*)?>/g, "$1"),
  );
}

/** editInPlace turns a message into a field with its text. */
export function editInPlace(m, row, { world, client }) {
  const body = row.querySelector(".message-body");
  if (!body || row.querySelector(".edit-box")) return;
  const end = () => {
    box.remove();
    body.hidden = false;
    row.focus();
  };
  const save = async () => {
    const text = input.value.trim();
    if (!text) return;
    try {
      if (text !== typed(m.text, world)) await client.post("edit", { channel: m.channel, ts: m.ts, text });
      end();
    } catch (err) {
      note.textContent = err.message;
    }
  };
  const input = h("textarea", {
    class: "field",
    rows: 2,
    "aria-label": "Edit message",
    prop: { value: typed(m.text, world) },
    onKeypress: enterIsTaken,
    onKeydown: (e) => {
      e.stopPropagation();
      if (e.key === "Escape") end();
      if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
        e.preventDefault();
        save();
      }
    },
  });
  const note = h("p", { class: "composer-problem", role: "alert" });
  const box = h(
    "div",
    { class: "edit-box" },
    input,
    note,
    h(
      "div",
      { class: "ask-buttons" },
      h("button", { type: "button", class: "button", onClick: end }, "Cancel"),
      h("button", { type: "button", class: "button primary", onClick: save }, "Save"),
    ),
  );
  body.hidden = true;
  body.after(box);
  input.focus();
  input.setSelectionRange(input.value.length, input.value.length);
}
