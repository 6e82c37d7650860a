// What one person knows of the workspace: people, conversations, messages,
// modals and the Home tab, kept in step with the stream of changes.

/** A World tells of each change by an event: message, conversations, views, home, people. */
export class World extends EventTarget {
  constructor(client, state, { open }) {
    super();
    this.client = client;
    this.open = open; // opens a conversation by id
    this.me = state.me;
    this.team = state.team;
    this.app = state.app;
    this.users = new Map(state.people.map((p) => [p.id, person(p)]));
    this.conversations = new Map(state.conversations.map((c) => [c.id, c]));
    this.views = state.views ?? [];
    this.homeView = state.home ?? null;
    this.kept = new Map(); // channel → Map of ts → message
    this.complete = new Set(); // channels of which the oldest message is here
    this.fresh = new Map(); // "channel ts" → replies not looked at
    this.watching = () => false; // (channel, thread) is on the screen
  }

  get zone() {
    return this.users.get(this.me)?.tz;
  }

  person(id) {
    return this.users.get(id);
  }

  people() {
    return [...this.users.values()];
  }

  channel(id) {
    return this.conversations.get(id);
  }

  channels() {
    return [...this.conversations.values()];
  }

  /** dm is the conversation with the app, if it has been opened. */
  get dm() {
    return this.channels().find((c) => c.with === this.app.bot_user_id);
  }

  /** isApp tells the conversation with the app from the others. */
  isApp(c) {
    return !!c && c.with === this.app.bot_user_id;
  }

  /** title is what a conversation is called: "#it-help", "Ana Torres", the app's name. */
  title(c) {
    if (!c) return "";
    if (c.with) return this.person(c.with)?.name ?? "Someone";
    if (c.kind === "mpim")
      return c.members
        .filter((m) => m !== this.me)
        .map((m) => this.person(m)?.name ?? "Someone")
        .join(", ");
    return "#" + c.name;
  }

  /** author is the name and picture of who wrote a message. */
  author(m) {
    if (m.bot_id || m.app_id || m.user === this.app.bot_user_id)
      return { id: m.user || this.app.bot_user_id, name: m.username || this.app.name, app: true };
    return this.person(m.user) ?? { id: m.user ?? "?", name: m.username ?? "Someone" };
  }

  /**
   * inside tells where in this workspace an address leads: a message's permalink
   * (https://acme.slack.com/archives/C…/p…), or the app (slack://app?id=…&tab=home).
   */
  inside(url) {
    let u;
    try {
      u = new URL(url);
    } catch {
      return null;
    }
    if (u.protocol === "slack:")
      return u.searchParams.get("id") === this.app.id
        ? { in: "app", tab: u.searchParams.get("tab") ?? "messages" }
        : null;
    if (u.host !== `${this.team.domain}.slack.com`) return null;
    const [, archives, channel, p] = u.pathname.split("/");
    if (archives !== "archives" || !channel) return null;
    const ts = /^p(\d+)(\d{6})$/.exec(p ?? "");
    const thread = u.searchParams.get("thread_ts") ?? (ts ? `${ts[1]}.${ts[2]}` : null);
    return thread ? { in: channel, thread } : { in: channel };
  }

  map(channel) {
    if (!this.kept.has(channel)) this.kept.set(channel, new Map());
    return this.kept.get(channel);
  }

  message(channel, ts) {
    return this.kept.get(channel)?.get(ts);
  }

  /** list is what stands in the channel itself, oldest first. */
  list(channel) {
    return [...this.map(channel).values()].filter((m) => !isReply(m)).sort(byTS);
  }

  /** thread is a first message and its replies. */
  thread(channel, ts) {
    return [...this.map(channel).values()].filter((m) => m.ts === ts || m.thread_ts === ts).sort(byTS);
  }

  /** load fetches a page of a channel, older than what is here if older is set. */
  async load(channel, { older = false } = {}) {
    const before = older ? this.list(channel)[0]?.ts : "";
    const { messages, more } = await this.client.get("messages", { channel, before: before ?? "" });
    const map = this.map(channel);
    for (const m of messages) map.set(m.ts, m);
    if (!more) this.complete.add(channel);
    this.tell("message", { channel });
  }

  async loadThread(channel, ts) {
    const { messages } = await this.client.get("thread", { channel, ts });
    const map = this.map(channel);
    for (const m of messages) map.set(m.ts, m);
    this.tell("message", { channel });
  }

  /** seen clears the marks of what is on the screen, here and in the workspace. */
  seen(channel, thread) {
    if (thread) {
      if (this.fresh.delete(channel + " " + thread)) this.tell("message", { channel, ts: thread });
      return;
    }
    const c = this.channel(channel);
    if (!c?.is_member) return;
    if (c.unread || c.mentions) {
      c.unread = c.mentions = 0;
      this.tell("conversations");
    }
    if (!c.latest || c.latest <= (c.last_read ?? "")) return;
    c.last_read = c.latest;
    this.client.post("read", { channel, ts: c.latest }).catch(() => {}); // said again at the next message
  }

  tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  on(type, f) {
    this.addEventListener(type, (e) => f(e.detail));
  }

  /** apply takes one change of the stream. */
  apply(c) {
    switch (c.kind) {
      case "message":
        return this.posted(c);
      case "message_changed":
        if (this.message(c.channel, c.ts) || this.kept.has(c.channel))
          this.map(c.channel).set(c.ts, c.message);
        return this.tell("message", { channel: c.channel, ts: c.ts });
      case "message_deleted":
        this.kept.get(c.channel)?.delete(c.ts);
        return this.tell("message", { channel: c.channel, ts: c.ts, gone: true });
      case "view":
        if (c.view.type === "home") return this.setHome(c.view);
        return this.setViews([...this.views.filter((v) => v.id !== c.view.id), c.view], c.view);
      case "view_closed":
        return this.setViews(this.views.filter((v) => v.id !== c.view.id));
      case "home":
        return this.setHome(c.view);
      case "channel":
        return this.refresh();
      case "read": {
        const conv = this.channel(c.channel);
        if (!conv || c.user !== this.me) return;
        if (c.ts >= (conv.latest ?? "")) conv.unread = conv.mentions = 0;
        conv.last_read = c.ts;
        return this.tell("conversations");
      }
      case "user":
        if (c.person) this.users.set(c.person.id, person(c.person));
        return this.tell("people");
    }
    // A notice is told to whom it concerns by the answer to what they did.
  }

  posted({ channel, ts, message }) {
    if (this.kept.has(channel)) this.map(channel).set(ts, message);
    const conv = this.channel(channel);
    if (!conv) {
      this.refresh();
    } else {
      if (!message.is_ephemeral) conv.latest = ts;
      const reply = isReply(message);
      if (message.user !== this.me && !this.watching(channel, reply ? message.thread_ts : null)) {
        if (reply)
          this.fresh.set(
            channel + " " + message.thread_ts,
            this.freshReplies(channel, message.thread_ts) + 1,
          );
        if (!this.watching(channel, null)) this.count(conv, message, reply);
      }
    }
    this.tell("message", { channel, ts, posted: message });
  }

  /** count adds a message to the side bar's numbers, as the workspace does when it is asked. */
  count(conv, m, reply) {
    const named = new RegExp(`<@${this.me}[|>]|<!(channel|here|everyone)`).test(m.text ?? "");
    const root = reply && this.message(m.channel, m.thread_ts);
    const follows = conv.with || m.parent_user_id === this.me || root?.reply_users?.includes(this.me);
    if (!reply) conv.unread = (conv.unread ?? 0) + 1;
    if (named || (reply ? follows : conv.with || conv.kind === "mpim"))
      conv.mentions = (conv.mentions ?? 0) + 1;
    this.tell("conversations");
  }

  freshReplies(channel, ts) {
    return this.fresh.get(channel + " " + ts) ?? 0;
  }

  /** setViews keeps the stack in order: a view stands on the one it was pushed over. */
  setViews(views, changed) {
    const under = (v) => views.find((x) => x.id === v.previous_view_id);
    const depth = (v) => (under(v) ? depth(under(v)) + 1 : 0);
    this.views = [...views].sort((a, b) => depth(a) - depth(b));
    this.tell("views", { changed });
  }

  setHome(view) {
    this.homeView = view;
    this.tell("home");
  }

  /** refresh reads the side bar anew; it is done when what was true at the call is here. */
  refresh() {
    // One may be under way, and at most one waits for it: that one serves all.
    this.waiting ??= (this.reading ?? Promise.resolve()).then(() => {
      this.waiting = null;
      this.reading = this.client
        .get("conversations")
        .then(({ conversations }) => {
          this.conversations = new Map(conversations.map((c) => [c.id, c]));
          this.tell("conversations");
        })
        .catch(() => {}); // the next change asks again
      return this.reading;
    });
    return this.waiting;
  }
}

/** isReply tells a reply that is seen only in its thread. */
export function isReply(m) {
  return !!m.thread_ts && m.thread_ts !== m.ts && m.subtype !== "thread_broadcast";
}

const byTS = (a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0);

function person(p) {
  return { ...p, handle: p.name, name: p.display_name || p.real_name || p.name, bot: p.is_bot };
}
