// The page works without this script. With it nothing is loaded anew: what is
// sent comes back as a view (see page.go), forms open as dialogs, times are the
// reader's, and inside Teams the reader is signed in.
"use strict";
(() => {
	const $ = (selector, within = document) => within.querySelector(selector);
	const main = $("main"), header = $("header"), gate = $("#gate"), card = $("#card"), said = $("#say > form");
	const teams = "teams" in main.dataset ? window.microsoftTeams : null;
	const patience = 15000; // ms for an answer
	const lookEvery = 20000; // ms between looks for what others have done
	const settling = 500; // ms in which what has come under the pointer is not pressed
	const freshFor = 6 * 3600e3; // ms; after that the card's buttons are drawn anew
	const done = new WeakMap(); // when something was done first, by its name's input
	let ahead = 0; // ms that the desk's clock is ahead of this computer's, which may be wrong
	let drawn = 0; // when the card was drawn, by this one's
	let session = ""; // of Teams; elsewhere a cookie has it
	let busy = false;
	let last = ""; // the control that was used last, by name

	// Asking -----------------------------------------------------------------

	async function ask(path, init = {}, again = true) {
		const headers = { Accept: "application/json", ...init.headers };
		if (session) headers.Authorization = "Bearer " + session;
		const answer = await fetch(path, { ...init, headers, credentials: "same-origin", signal: AbortSignal.timeout(patience) });
		ahead = (Date.parse(answer.headers.get("Date")) || Date.now() + ahead) - Date.now();
		if (answer.status === 401 && teams && again && (await signIn())) return ask(path, init, false);
		return answer;
	}

	// A view, or words to show where none came.
	async function view(path, init = {}) {
		try {
			const answer = await ask(path, init);
			if ((answer.headers.get("Content-Type") || "").startsWith("application/json")) return await answer.json();
			if (answer.status === 401) return { failed: "You are signed out. Write “my page” to the desk in chat: its link signs you in again, in this browser. What is written here stays until then." };
			return { failed: (await answer.text()).slice(0, 300) };
		} catch {
			return { failed: "There is no connection to the desk. Please try again." };
		}
	}

	// Sends a form, for its button if it has been pressed. What is tried again
	// after a failure keeps its name, so that it is done once.
	async function send(form, button, more = {}) {
		if (busy) return;
		busy = true;
		form.setAttribute("aria-busy", "true");
		const body = new URLSearchParams(new FormData(form, button));
		const once = $("[name=once]", form);
		if (!done.has(once)) done.set(once, Date.now() + ahead);
		body.set("drawn", done.get(once));
		for (const [name, value] of Object.entries(more)) body.set(name, value);
		const got = await view(button?.getAttribute("formaction") || form.getAttribute("action"), { method: "POST", body });
		busy = false;
		form.removeAttribute("aria-busy");
		if (got.failed) return tell(got.failed, true);
		once.value = crypto.randomUUID();
		done.delete(once);
		if ("confirm" in form.dataset) shut(form.closest("dialog"));
		apply(got);
	}

	// The second click of a double click must not meet what has come into the
	// place of what was pressed.
	let calm = 0;
	function settle() {
		document.documentElement.dataset.settling = "";
		clearTimeout(calm);
		calm = setTimeout(() => delete document.documentElement.dataset.settling, settling);
	}
	document.addEventListener("click", (e) => {
		if (!e.detail || !("settling" in document.documentElement.dataset)) return; // a keyboard's has no detail
		e.preventDefault();
		e.stopImmediatePropagation();
	}, true);

	function apply(got) {
		settle();
		if (got.card !== undefined) draw(got);
		if (got.close) shut(top());
		if (got.dialog && (got.push || !top())) open(got.dialog);
		else if (got.dialog) fill(top(), got.dialog);
		said.replaceChildren();
		if (got.say) tell(got.say);
		if (!top()) back();
	}

	function draw(got) {
		drawn = Date.now();
		card.innerHTML = got.card;
		card.dataset.etag = got.etag;
		dress(card);
	}

	// Says something: in the dialog that is open, or above the card.
	function tell(html, bad) {
		const dialog = top();
		if (!dialog) {
			if (bad) said.textContent = html;
			else said.innerHTML = html;
			return dress(said);
		}
		$(".told, .problem", dialog)?.remove();
		const p = document.createElement("div");
		p.className = bad ? "problem" : "told";
		p.setAttribute("role", bad ? "alert" : "status");
		if (bad) p.textContent = html;
		else p.innerHTML = html;
		for (const mark of p.querySelectorAll("[type=hidden]")) mark.remove(); // the form has its own
		for (const button of p.querySelectorAll("button")) button.setAttribute("formaction", said.getAttribute("action"));
		$("h2", dialog).after(p);
		dress(p);
	}

	// Focus ------------------------------------------------------------------

	const named = (el) => (el && el.getAttribute ? el.getAttribute("aria-label") || el.textContent.trim() : "");

	// Puts the focus back to what was used last, or to the top of the page if
	// that is gone.
	function back() {
		if (!last || document.activeElement !== document.body) return;
		const same = [...document.querySelectorAll("#card .button, header .button")].find((el) => named(el) === last);
		(same && same.getClientRects().length ? same : $("h1", header)).focus({ preventScroll: !same });
	}

	// Dialogs ----------------------------------------------------------------

	const dialogs = () => [...document.querySelectorAll("dialog[open]")];
	const top = () => dialogs().at(-1);

	function open(html) {
		const dialog = document.createElement("dialog");
		main.append(dialog);
		dialog.addEventListener("cancel", (e) => {
			e.preventDefault();
			giveUp(dialog);
		});
		// Without something done by a person before, Escape closes without asking.
		dialog.addEventListener("close", () => {
			if (dialog.isConnected) giveUp(dialog);
		});
		dialog.addEventListener("input", () => (dialog.dataset.touched = "yes"));
		dialog.innerHTML = html;
		dialog.showModal();
		arrange(dialog);
	}

	function fill(dialog, html) {
		dialog.innerHTML = html;
		arrange(dialog);
	}

	function arrange(dialog) {
		const title = $("h2", dialog);
		title.id ||= "title-" + dialogs().length;
		dialog.setAttribute("aria-labelledby", title.id);
		dress(dialog);
		dialog.scrollTop = 0;
		($("[aria-invalid=true]", dialog) || $(".field :is(input, textarea, select):not([hidden])", dialog) || title).focus();
	}

	function shut(dialog) {
		if (!dialog) return;
		dialog.close();
		dialog.remove();
	}

	// Closes a dialog unsent. What has been filled in is kept for the next time
	// where the desk asks for that.
	function giveUp(dialog) {
		const form = $("form", dialog);
		if ("keep" in form.dataset && dialog.dataset.touched) {
			const body = new URLSearchParams(new FormData(form));
			body.set("do", "dismiss");
			body.set("drawn", Date.now() + ahead);
			ask(form.getAttribute("action"), { method: "POST", body }).catch(() => {}); // it costs some typing, no more
		}
		shut(dialog);
		back();
	}

	// Fields that find what one types -----------------------------------------

	function finder(select) {
		const list = document.createElement("ul"), input = document.createElement("input"), box = document.createElement("div");
		let found = [], at = -1, timer = 0, asked = 0;
		box.className = "finder";
		list.id = select.id + "-list";
		list.setAttribute("role", "listbox");
		list.setAttribute("aria-label", "Found");
		list.hidden = true;
		Object.assign(input, { type: "text", autocomplete: "off", id: select.id, value: select.value ? select.selectedOptions[0].textContent : "", placeholder: { person: "Type a name", channel: "Type a channel's name" }[select.dataset.finds] || "" });
		for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id, dir: "auto" })) input.setAttribute(name, value);
		for (const name of ["aria-describedby", "aria-invalid"]) if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
		input.required = select.required;
		select.removeAttribute("id");
		select.hidden = true;
		select.before(box);
		box.append(input, list, select);

		const close = () => {
			list.hidden = true;
			at = -1;
			input.setAttribute("aria-expanded", "false");
			input.removeAttribute("aria-activedescendant");
		};
		const choose = (o) => {
			select.replaceChildren(new Option(o ? o.label : "", o ? o.value : "", true, true));
			input.value = o ? o.label : "";
			close();
			select.dispatchEvent(new Event("change", { bubbles: true }));
		};
		const mark = (i) => {
			at = i;
			[...list.children].forEach((el, n) => el.role === "option" && el.setAttribute("aria-selected", n === i));
			if (i < 0) return input.removeAttribute("aria-activedescendant");
			input.setAttribute("aria-activedescendant", list.children[i].id);
			list.children[i].scrollIntoView({ block: "nearest" });
		};
		const look = async () => {
			const n = ++asked, form = select.form;
			const body = new URLSearchParams({ form: $("[name=form]", form).value, drawn: Date.now() + ahead, once: crypto.randomUUID(), field: select.closest("[data-field]").dataset.field, text: input.value });
			const got = await view("/tab/search", { method: "POST", body });
			if (n !== asked || !document.contains(input) || document.activeElement !== input) return; // one types on, or has gone on
			found = Array.isArray(got) ? got : [];
			list.replaceChildren(...found.map((o, i) => {
				const li = document.createElement("li");
				Object.assign(li, { id: list.id + "-" + i, role: "option", textContent: o.label, dir: "auto" });
				li.addEventListener("pointerdown", (e) => {
					e.preventDefault();
					choose(o);
				});
				return li;
			}));
			if (!found.length) {
				const li = document.createElement("li");
				Object.assign(li, { className: "hint", role: "status", textContent: got.failed || "Nothing was found." });
				list.append(li);
			}
			list.hidden = false;
			input.setAttribute("aria-expanded", "true");
			mark(found.length ? 0 : -1);
		};
		input.addEventListener("input", () => {
			select.replaceChildren(new Option("", "", true, true));
			clearTimeout(timer);
			if (input.value.trim()) timer = setTimeout(look, 150);
			else {
				asked++;
				close();
			}
		});
		input.addEventListener("keydown", (e) => {
			if (e.key === "ArrowDown" && list.hidden) look();
			else if (e.key === "ArrowDown" && found.length) mark((at + 1) % found.length);
			else if (e.key === "ArrowUp" && found.length) mark((at - 1 + found.length) % found.length);
			else if (e.key === "Enter" && !list.hidden && at >= 0) choose(found[at]);
			else if (e.key === "Escape" && !list.hidden) close();
			else return;
			e.preventDefault();
			e.stopPropagation();
		});
		input.addEventListener("blur", () => {
			asked++;
			close();
			if (!select.value) input.value = ""; // what was not chosen does not count
		});
	}

	// What has come from the desk --------------------------------------------

	function when(t) {
		const d = new Date(t.dateTime), now = new Date();
		if (isNaN(d)) return;
		const days = Math.abs(new Date(d).setHours(0, 0, 0, 0) - new Date(now).setHours(0, 0, 0, 0)) / 864e5;
		const date = days < 0.5 ? {} : days < 6.5 ? { weekday: "short" } : { day: "numeric", month: "short", ...(d.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) };
		t.textContent = d.toLocaleString("en-GB", { ...date, hour: "2-digit", minute: "2-digit" }).replace(",", "");
		t.title = d.toLocaleString("en-GB", { dateStyle: "full", timeStyle: "short" });
	}

	function dress(within) {
		within.querySelectorAll("time").forEach(when);
		within.querySelectorAll("select[data-finds]").forEach(finder);
	}

	// What is done on the page ------------------------------------------------

	document.addEventListener("submit", (e) => {
		const form = e.target;
		if (!form.matches("#card, #say > form, .dialog-form")) return;
		e.preventDefault();
		if (!form.matches(".dialog-form")) last = named(e.submitter);
		send(form, e.submitter);
	});
	document.addEventListener("click", (e) => {
		const away = e.target.closest("[data-close]");
		if (away) {
			e.preventDefault();
			giveUp(away.closest("dialog"));
		}
		for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(e.target) || e.target.closest(".button:not(summary)")) menu.open = false;
	});
	document.addEventListener("keydown", (e) => {
		const away = e.target.closest?.("[data-close]");
		if (away && e.key === " ") {
			e.preventDefault(); // as a button does
			away.click();
		}
		const menu = document.querySelector(".menu[open]");
		if (menu && e.key === "Escape") {
			e.preventDefault();
			menu.open = false;
			$("summary", menu).focus();
		}
	});
	document.addEventListener("change", (e) => {
		const form = e.target.closest(".dialog-form");
		if (form && e.target.closest("[data-refresh]")) send(form, null, { do: "change", once: crypto.randomUUID() });
	});

	async function look() {
		if (busy || document.hidden || dialogs().length || $(".menu[open]") || (teams && !session)) return;
		const answer = await ask("/tab/card", { headers: Date.now() - drawn < freshFor ? { "If-None-Match": card.dataset.etag } : {} }).catch(() => null);
		if (answer?.status === 401 && !teams) location.reload(); // to be told how to come back
		if (!answer || answer.status !== 200 || busy || dialogs().length) return;
		const focused = card.contains(document.activeElement) && named(document.activeElement);
		draw(await answer.json());
		if (focused) {
			last = focused;
			back();
		}
	}
	setInterval(look, lookEvery);
	document.addEventListener("visibilitychange", look);

	// Teams ------------------------------------------------------------------

	function theme(name) {
		document.documentElement.dataset.theme = { dark: "dark", glass: "dark", contrast: "contrast" }[name] || "light";
	}

	async function signIn() {
		try {
			const token = await teams.authentication.getAuthToken();
			const answer = await fetch("/tab/session", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }), signal: AbortSignal.timeout(patience) });
			if (answer.ok) session = (await answer.json()).session;
			return answer.ok;
		} catch {
			return false;
		}
	}

	function wait(title, words) {
		$("h1", gate).textContent = title;
		$("p", gate).textContent = words;
	}

	async function begin() {
		try {
			await Promise.race([teams.app.initialize(), new Promise((_, late) => setTimeout(late, patience))]); // outside of Teams nobody answers
			teams.app.registerOnThemeChangeHandler(theme);
			theme((await teams.app.getContext()).app.theme);
			if (!(await signIn())) throw new Error("signed out");
		} catch {
			return wait("You could not be signed in", "Write “my page” to the desk in chat. It answers with a link to this page.");
		}
		teams.app.notifySuccess();
		await show();
	}

	async function show() {
		const got = await view("/tab/card");
		if (got.failed) {
			wait("One moment", "The desk does not answer yet. This page goes on trying.");
			return setTimeout(show, 5000);
		}
		draw(got);
		gate.hidden = true;
		header.hidden = false;
		document.title = $("h1", header).textContent;
	}

	dress(document);
	drawn = Date.now();
	ahead = (Number($("[name=drawn]", card)?.value) || drawn) - drawn;
	if ("teams" in main.dataset) begin();
	else {
		const early = $("dialog[open]"); // drawn by the desk, for those without script
		if (early) {
			const html = early.innerHTML;
			early.remove();
			open(html);
		}
	}
})();
