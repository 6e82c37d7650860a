// What one person knows of the tenant: people, conversations, messages and the
// open dialog, kept in step with the stream of changes.

/** A TeamsWorld tells of each change by an event: message, conversations, dialog, people, typing. */
export class TeamsWorld extends EventTarget {
  constructor(client, state) {
    super();
    this.client = client;
    this.me = state.me;
    this.app = state.app;
    this.bot = state.bot;
    this.users = new Map(state.people.map((p) => [p.id, person(p)]));
    this.conversations = new Map(state.conversations.map((c) => [c.id, c]));
    this.dialog = state.dialog ?? null;
    this.kept = new Map(); // channel → Map of id → message, as this person sees it
    this.complete = new Set(); // channels of which the oldest message is here
    this.asking = new Map(); // "channel id" → a message that is being read
    this.watching = () => false; // a channel is on the screen
  }

  get zone() {
    return this.users.get(this.me)?.tz;
  }

  person(id) {
    if (id === this.bot) return { id, name: this.app.name, handle: this.app.name, bot: true };
    return this.users.get(id);
  }

  /** people are all who can be mentioned, the app among them. */
  people() {
    return [this.person(this.bot), ...this.users.values()];
  }

  /** named is what somebody with this id is called, Entra's ids included. */
  named(id) {
    return this.person(id)?.name ?? [...this.users.values()].find((p) => p.oid === id)?.name ?? null;
  }

  author(m) {
    if (m.from === this.bot) return { id: this.bot, name: this.app.name, app: true };
    return this.person(m.from) ?? { id: m.from, name: "Someone" };
  }

  channel(id) {
    return this.conversations.get(id);
  }

  channels() {
    return [...this.conversations.values()];
  }

  /** chat is the person's own conversation with the app. */
  get chat() {
    return this.channels().find((c) => c.kind === "personal");
  }

  map(channel) {
    if (!this.kept.has(channel)) this.kept.set(channel, new Map());
    return this.kept.get(channel);
  }

  message(channel, id) {
    return this.kept.get(channel)?.get(id);
  }

  /** list is what stands in the conversation itself, oldest first. */
  list(channel) {
    return [...this.map(channel).values()].filter((m) => !m.thread).sort(byID);
  }

  /** replies are the answers to a post, as far as they are here. */
  replies(channel, id) {
    return [...this.map(channel).values()].filter((m) => m.thread === id).sort(byID);
  }

  /** load fetches a page of a conversation with its threads. */
  async load(channel, { older = false } = {}) {
    const before = older ? (this.list(channel)[0]?.id ?? "") : "";
    const { messages, more } = await this.client.get("messages", { channel, before });
    const map = this.map(channel);
    for (const m of messages) map.set(m.id, m);
    if (!more) this.complete.add(channel);
    await Promise.all(messages.filter((m) => m.replies).map((m) => this.loadThread(channel, m.id)));
    this.tell("message", { channel });
  }

  async loadThread(channel, id) {
    const { messages } = await this.client.get("thread", { channel, id });
    const map = this.map(channel);
    for (const m of messages) map.set(m.id, m);
  }

  /**
   * read fetches one message as this person sees it. A change of the stream has
   * it as everybody does, and a card may be this person's own.
   */
  read(channel, id, detail = {}) {
    if (!this.kept.has(channel)) return;
    const key = channel + " " + id;
    const before = this.asking.get(key) ?? Promise.resolve();
    const now = before
      .then(() => this.client.get("message", { channel, id }))
      .then((m) => this.map(channel).set(id, m))
      .catch(() => {}) // it is not this person's to see any more
      .then(() => {
        if (this.asking.get(key) === now) this.asking.delete(key);
        this.tell("message", { channel, id, ...detail });
      });
    this.asking.set(key, now);
  }

  tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  on(type, f) {
    this.addEventListener(type, (e) => f(e.detail));
  }

  /** seen clears the marks of what is on the screen, and asks for cards of one's own. */
  seen(channel) {
    const c = this.channel(channel);
    const last = [...this.map(channel).values()].sort(byID).at(-1);
    if (!c || !last) return;
    if (c.unread) {
      c.unread = 0;
      this.tell("conversations");
    }
    if (c.read !== last.id) {
      c.read = last.id;
      this.client.post("read", { channel, id: last.id }).catch(() => {}); // said again at the next message
    }
    this.client.post("look", { channel }).catch(() => {}); // and so is this
  }

  apply(c) {
    switch (c.kind) {
      case "message":
        return this.posted(c);
      case "message_changed":
      case "card":
        return this.read(c.channel, c.id);
      case "notice":
        if (c.id) this.read(c.channel, c.id);
        return this.tell("notice", c.notice);
      case "dialog":
        this.dialog = c.dialog;
        return this.tell("dialog");
      case "dialog_closed":
        if (this.dialog?.id === c.dialog.id) this.dialog = null;
        return this.tell("dialog");
      case "channel":
        return this.refresh();
      case "typing":
        return this.tell("typing", { channel: c.channel });
      case "user":
        if (c.person) this.users.set(c.person.id, person(c.person));
        return this.tell("people");
    }
  }

  posted({ channel, id, message }) {
    const conv = this.channel(channel);
    if (!conv) this.refresh();
    else {
      conv.latest = id;
      if (message.from !== this.me && !this.watching(channel)) {
        conv.unread = (conv.unread ?? 0) + 1;
        this.tell("conversations");
      }
    }
    if (this.kept.has(channel)) this.read(channel, id, { posted: message });
    else this.tell("message", { channel, id, posted: message });
  }

  refresh() {
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

const byID = (a, b) => Number(a.id) - Number(b.id);

function person(p) {
  return { ...p, handle: p.name, name: p.display_name || p.name, deleted: p.gone };
}
