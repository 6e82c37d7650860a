// Dates and times as the reader sees them, in the reader's own zone.

const cache = new Map();
function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!cache.has(key)) {
    let f;
    try {
      f = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone || undefined });
    } catch {
      f = new Intl.DateTimeFormat("en-GB", options); // a zone that this browser does not know
    }
    cache.set(key, f);
  }
  return cache.get(key);
}

const at = (seconds) => new Date(seconds * 1000);

/** seconds of a message's timestamp. */
export function seconds(ts) {
  return Number.parseFloat(ts) || 0;
}

/** clock is "14:05". */
export function clock(s, zone) {
  return format(zone, { hour: "2-digit", minute: "2-digit" }).format(at(s));
}

/** dayKey is equal for moments of the same day in a zone: "2026-11-21". */
export function dayKey(s, zone) {
  const p = Object.fromEntries(
    format(zone, { year: "numeric", month: "2-digit", day: "2-digit" })
      .formatToParts(at(s))
      .map((x) => [x.type, x.value]),
  );
  return `${p.year}-${p.month}-${p.day}`;
}

/** dayName is "Today", "Yesterday" or "Thursday 19 November", with the year if it is another. */
export function dayName(s, zone, now = Date.now() / 1000) {
  const key = dayKey(s, zone);
  if (key === dayKey(now, zone)) return "Today";
  if (key === dayKey(now - 86400, zone)) return "Yesterday";
  if (key === dayKey(now + 86400, zone)) return "Tomorrow";
  const sameYear = key.slice(0, 4) === dayKey(now, zone).slice(0, 4);
  return format(zone, {
    weekday: "long",
    day: "numeric",
    month: "long",
    ...(sameYear ? {} : { year: "numeric" }),
  })
    .format(at(s))
    .replace(",", "");
}

/** full is "Saturday 21 November 2026 at 14:05:09", for titles. */
export function full(s, zone) {
  return format(zone, {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).format(at(s));
}

/** ago is "3 minutes ago", or "in 2 hours". */
export function ago(s, now = Date.now() / 1000) {
  const d = s - now;
  const steps = [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ];
  const [unit, size] = steps.find(([, n]) => Math.abs(d) >= n) ?? ["second", 1];
  if (unit === "second" && Math.abs(d) < 45) return "just now";
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(d / size), unit);
}

/**
 * formatDate fills the braces of a <!date> token, null if the moment is none.
 * Tokens: docs.slack.dev/messaging/formatting-message-text, "Date formatting".
 */
export function formatDate(s, pattern, zone) {
  if (!Number.isFinite(s)) return null;
  const f = (o) => format(zone, o).format(at(s));
  const long = () => f({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const pretty = (otherwise) => {
    const name = dayName(s, zone);
    return ["Today", "Yesterday", "Tomorrow"].includes(name) ? name.toLowerCase() : otherwise();
  };
  const date = () => f({ day: "numeric", month: "long", year: "numeric" });
  const short = () => f({ day: "numeric", month: "short", year: "numeric" });
  const tokens = {
    date_num: () => dayKey(s, zone),
    date_slash: () => f({ day: "2-digit", month: "2-digit", year: "numeric" }),
    date_long: long,
    date_long_full: long,
    date_long_pretty: () => pretty(long),
    date_full: long,
    date,
    date_pretty: () => pretty(date),
    date_short: short,
    date_short_pretty: () => pretty(short),
    day_divider_pretty: () => dayName(s, zone),
    time: () => clock(s, zone),
    time_secs: () => f({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    ago: () => ago(s),
  };
  return pattern.replace(/\{(\w+)\}/g, (all, name) => tokens[name]?.() ?? all);
}
