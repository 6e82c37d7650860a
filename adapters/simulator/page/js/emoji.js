// Emoji by their short names. The ones that a service desk uses most are our
// own drawings, so that they look alike on every machine; the others are the
// reader's own font.

import { h, sprite } from "./dom.js";

// Names that stand for the same sign share a line; the first is the one we send.
const TABLE = `
👍 +1 thumbsup
👎 -1 thumbsdown
✅ white_check_mark
✔️ heavy_check_mark
❌ x
👀 eyes
🎉 tada
🙏 pray
👏 clap
🙌 raised_hands
👋 wave
❤️ heart
🔥 fire
🚀 rocket
⭐ star
✨ sparkles
💡 bulb
❓ question
❗ exclamation heavy_exclamation_mark
⚠️ warning
🚨 rotating_light
🔔 bell
🔕 no_bell
⏰ alarm_clock
⏳ hourglass_flowing_sand
⌛ hourglass
⏱️ stopwatch
🕐 clock1
📅 date calendar spiral_calendar_pad
🎫 ticket
🎟️ admission_tickets
📝 memo pencil
📋 clipboard
📎 paperclip
📌 pushpin
📣 mega
📢 loudspeaker
💬 speech_balloon
📨 incoming_envelope
📧 email e-mail envelope
📞 telephone_receiver
☎️ phone telephone
📱 iphone
💻 computer
🖥️ desktop_computer
🖨️ printer
⌨️ keyboard
🖱️ computer_mouse
🔑 key
🔒 lock
🔓 unlock
🔐 closed_lock_with_key
🛡️ shield
🔧 wrench
🔨 hammer
🛠️ hammer_and_wrench
⚙️ gear
🔗 link
📶 signal_strength
🌐 globe_with_meridians
📚 books
📖 book open_book
🔍 mag
🏷️ label
📦 package
🗂️ card_index_dividers
📈 chart_with_upwards_trend
📉 chart_with_downwards_trend
📊 bar_chart
🔴 red_circle
🟠 large_orange_circle
🟡 large_yellow_circle
🟢 large_green_circle
🔵 large_blue_circle
🟣 large_purple_circle
⚪ white_circle
⚫ black_circle
🟥 large_red_square
🟧 large_orange_square
🟨 large_yellow_square
🟩 large_green_square
🟦 large_blue_square
➡️ arrow_right
⬅️ arrow_left
⬆️ arrow_up
⬇️ arrow_down
🔄 arrows_counterclockwise
🔁 repeat
↩️ leftwards_arrow_with_hook
▶️ arrow_forward
⏸️ double_vertical_bar pause_button
⏹️ black_square_for_stop
➕ heavy_plus_sign
➖ heavy_minus_sign
ℹ️ information_source
🆕 new
🆗 ok
🆘 sos
🚫 no_entry_sign
⛔ no_entry
🛑 octagonal_sign
🚧 construction
🏁 checkered_flag
🙂 slightly_smiling_face
😀 grinning
😄 smile
😊 blush
😁 grin
😂 joy
😉 wink
😍 heart_eyes
😎 sunglasses
🤔 thinking_face
😐 neutral_face
😕 confused
🙁 slightly_frowning_face
☹️ white_frowning_face
😞 disappointed
😢 cry
😭 sob
😠 angry
😡 rage
😱 scream
😴 sleeping
🤖 robot_face
🙋 raising_hand
🤷 shrug
🤝 handshake
👤 bust_in_silhouette
👥 busts_in_silhouette
💪 muscle
☕ coffee
🍀 four_leaf_clover
🎈 balloon
🏠 house
🏢 office
🪪 identification_card
💾 floppy_disk
🔋 battery
🔌 electric_plug
🗑️ wastebasket
✏️ pencil2
💥 boom
💯 100
`;

// Drawn in emoji.svg under the same id.
const DRAWN = new Set(
  `+1 -1 white_check_mark heavy_check_mark x eyes tada heart star bulb question exclamation warning
rotating_light bell hourglass_flowing_sand date ticket memo clipboard speech_balloon email computer printer key lock
wrench gear link books mag package red_circle large_orange_circle large_yellow_circle large_green_circle large_blue_circle
large_purple_circle white_circle black_circle information_source no_entry slightly_smiling_face grinning smile blush neutral_face
confused slightly_frowning_face disappointed cry angry wave raising_hand fire rocket telephone_receiver shield pushpin arrow_right
arrows_counterclockwise double_vertical_bar robot_face house heavy_plus_sign sparkles pray no_bell alarm_clock hammer_and_wrench`.split(
    /\s+/,
  ),
);

const byName = new Map();
const bySign = new Map();
export const all = [];
for (const line of TABLE.trim().split("\n")) {
  const [sign, ...names] = line.split(" ");
  all.push({ sign, names });
  for (const n of names) byName.set(n, { sign, name: names[0] });
  bySign.set(sign, names[0]);
  bySign.set(sign.replace("\ufe0f", ""), names[0]);
}
const SIGNS = new RegExp(
  [...bySign.keys()]
    .filter((s) => s.codePointAt(0) > 0x2000)
    .sort((a, b) => b.length - a.length)
    .join("|"),
  "gu",
);

/** offered first when somebody reacts. */
export const COMMON = ["+1", "white_check_mark", "eyes", "ticket", "tada", "heart", "pray", "wave"];

/** emoji draws a short name, or null if nobody knows it. */
export function emoji(name) {
  const [base] = name.split("::");
  const e = byName.get(base);
  return e ? draw(e.name, e.sign) : null;
}

/** emojiOr draws a short name, and the name itself with its colons if it is unknown. */
export function emojiOr(name) {
  return emoji(name) ?? document.createTextNode(`:${name}:`);
}

function draw(name, sign) {
  const label = name.replaceAll("_", " ");
  if (!DRAWN.has(name))
    return h("span", { class: "emoji-sign", role: "img", "aria-label": label, title: `:${name}:` }, sign);
  // The sign itself is there for copying, and hidden from view.
  return h(
    "span",
    { class: "emoji", role: "img", "aria-label": label, title: `:${name}:` },
    sprite("/emoji.svg#" + name, "emoji-drawing"),
    h("span", { class: "copy-only" }, sign),
  );
}

/** emojify splits plain text into nodes, with the signs in it drawn. */
export function emojify(text) {
  const out = [];
  let at = 0;
  for (const m of text.matchAll(SIGNS)) {
    if (m.index > at) out.push(document.createTextNode(text.slice(at, m.index)));
    out.push(draw(bySign.get(m[0]), m[0]));
    at = m.index + m[0].length;
  }
  if (at < text.length) out.push(document.createTextNode(text.slice(at)));
  return out;
}

/** plainEmoji draws text in which only :short_names: and signs mean something. */
export function plainEmoji(text) {
  const out = [];
  String(text ?? "")
    .split(/(:[a-z0-9_+'-]{1,60}:)/)
    .forEach((part, i) => {
      const drawn = i % 2 ? emoji(part.slice(1, -1)) : null;
      out.push(...(drawn ? [drawn] : emojify(part)));
    });
  return out;
}

/** find lists emoji whose name contains q. */
export function find(q) {
  const s = q.trim().toLowerCase().replaceAll(":", "").replaceAll(" ", "_");
  return all.filter((e) => e.names.some((n) => n.includes(s)));
}
