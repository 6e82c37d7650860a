// What one person knows of the workspace: people, conversations, messages,
// modals and the Home tab, kept in step with the stream of changes.

/** A World tells of each change by an event: message, conversations, views, home, notice, people. */
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
    if (c.kind === "mpim") return c.members.filter((m) => m !== this.me).map((m) => this.person(m)?.name ?? "Someone").join(", ");
    return "#" + c.name;
  }

  /** author is the name and picture of who wrote a message. */
  author(m) {
    if (m.bot_id || m.app_id || m.user === this.app.bot_user_id) return { id: m.user || this.app.bot_user_id, name: m.username || this.app.name, app: true };
    return this.person(m.user) ?? { id: m.user ?? "?", name: m.username ?? "Someone" };
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
    const newest = this.list(channel).filter((m) => !m.is_ephemeral).at(-1)?.ts;
    if (!c?.is_member || !newest || newest <= (c.last_read ?? "")) {
      if (c?.unread) { c.unread = c.mentions = 0; this.tell("conversations"); }
      return;
    }
    c.last_read = newest;
    c.unread = c.mentions = 0;
    this.tell("conversations");
    this.client.post("read", { channel, ts: newest }).catch(() => {}); // read again at the next message
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
        if (this.message(c.channel, c.ts) || this.kept.has(c.channel)) this.map(c.channel).set(c.ts, c.message);
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
      case "notice":
        return this.tell("notice", c.notice);
    }
  }

  posted({ channel, ts, message }) {
    if (this.kept.has(channel)) this.map(channel).set(ts, message);
    const conv = this.channel(channel);
    if (!conv) {
      this.refresh();
    } else {
      if (!message.is_ephemeral && !isReply(message)) conv.latest = ts;
      const mine = message.user === this.me;
      const reply = isReply(message);
      const onScreen = this.watching(channel, reply ? message.thread_ts : null);
      if (!mine && !onScreen) {
        if (reply) this.fresh.set(channel + " " + message.thread_ts, this.freshReplies(channel, message.thread_ts) + 1);
        // A reply counts where it is meant for this person: in a DM.
        if (!reply || (conv.with && !this.watching(channel, null))) {
          conv.unread = (conv.unread ?? 0) + 1;
          if (conv.with || message.text?.includes(`<@${this.me}>`)) conv.mentions = (conv.mentions ?? 0) + 1;
        }
        this.tell("conversations");
      }
    }
    this.tell("message", { channel, ts, posted: message });
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

  /** refresh reads the side bar anew, at most once at a time. */
  async refresh() {
    if (this.refreshing) return (this.again = true);
    this.refreshing = true;
    try {
      const { conversations } = await this.client.get("conversations");
      this.conversations = new Map(conversations.map((c) => [c.id, c]));
      this.tell("conversations");
    } finally {
      this.refreshing = false;
      if (this.again) {
        this.again = false;
        this.refresh();
      }
    }
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
