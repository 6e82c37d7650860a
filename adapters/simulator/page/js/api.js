// The simulator's own API: what one person at one window asks of the workspace.

/** Refused is an answer other than success; its message is for people. */
export class Refused extends Error {
  constructor(message, status, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function answer(res) {
  if (res.status === 204) return null;
  const body = await res.json().catch(() => null);
  if (!res.ok)
    throw new Refused(body?.error ?? `The simulator answered ${res.status}.`, res.status, body?.code);
  return body;
}

async function call(path, init) {
  let res;
  try {
    res = await fetch(path, init);
  } catch {
    throw new Refused("The simulator can't be reached. Is it still running?", 0);
  }
  return answer(res);
}

/** api binds the calls to the person who makes them; part is "teams/" for Teams. */
export function api(as, part = "") {
  const url = (name, params = {}) => `/api/${part}${name}?${new URLSearchParams({ as, ...params })}`;
  return {
    get: (name, params) => call(url(name, params)),
    post: (name, body = {}) =>
      call(
        url(name),
        body instanceof FormData
          ? { method: "POST", body }
          : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) },
      ),
    url,
  };
}

const GLANCE = 4000; // ms between looks while nobody looks at the window

/**
 * follow listens to what happens after the change with this id, and takes up
 * where it was when the connection comes back. It returns a function that stops it.
 *
 * Browsers give a site few connections at a time, six as a rule, for all windows
 * together. So a window that nobody looks at does not hold one: it looks now and
 * then, and holds one again when it is seen.
 */
export function follow(client, after, { change, gap, status }) {
  let source = null;
  let timer = 0;
  let wait = 250;

  function open() {
    close();
    const brief = document.visibilityState === "hidden";
    source = new EventSource(client.url("follow", brief ? { after, brief } : { after }));
    source.onopen = () => {
      wait = 250;
      status(true);
    };
    source.onmessage = (e) => {
      after = e.lastEventId;
      change(JSON.parse(e.data));
    };
    source.addEventListener("gap", () => {
      stop();
      gap();
    });
    source.addEventListener("enough", () => later(GLANCE));
    source.onerror = () => {
      status(false);
      wait = Math.min(wait * 2, 8000);
      later(wait);
    };
  }
  function close() {
    clearTimeout(timer);
    source?.close();
  }
  function later(ms) {
    close();
    timer = setTimeout(open, ms);
  }
  function stop() {
    close();
    document.removeEventListener("visibilitychange", open);
  }

  document.addEventListener("visibilitychange", open);
  open();
  return stop;
}
