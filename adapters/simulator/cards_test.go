package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/teams/adaptive"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/chat/chattest"
)

// harness is a page with both renderers on it. drawn(content) reads each one's
// drawing as a list: texts without their blanks, inputs with all that they show,
// pictures and buttons, those of a menu included.
const harness = `<!doctype html><meta charset="utf-8"><title>Two renderers</title>
<script src="/theirs/adaptivecards/dist/adaptivecards.min.js"></script>
<script src="/theirs/markdown-it/dist/markdown-it.min.js"></script>
<div id="announcer"></div><main></main>
<script type="module">
import { card } from "/js/teams/card.js";

const md = markdownit();
AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
	result.outputHtml = md.render(text);
	result.didProcess = true;
};

// read walks a drawing; known gives what stands for an element as a whole.
function read(root, known) {
	const out = [];
	let text = "";
	const flush = () => {
		text = text.replace(/\s+/gu, "");
		if (text) out.push({ text });
		text = "";
	};
	(function walk(node) {
		if (node.nodeType === Node.TEXT_NODE) return void (text += node.data);
		if (node.nodeType !== Node.ELEMENT_NODE) return;
		const whole = known(node);
		if (whole) {
			flush();
			out.push(...whole);
			return;
		}
		if (node.tagName === "IMG") {
			flush();
			out.push({ picture: node.alt });
			return;
		}
		node.childNodes.forEach(walk);
	})(root);
	flush();
	return out;
}
const words = (el) => el.textContent.replace(/\s+/gu, "");

// named has mentions as Teams shows them; Microsoft's renderer knows none.
function named(content) {
	const text = (s) => (content.msteams?.entities ?? []).reduce((s, e) => s.replaceAll(e.text, e.mentioned.name), s);
	return JSON.parse(JSON.stringify(content), (key, v) => (typeof v === "string" && (key === "text" || key === "value" || key === "title") ? text(v) : v));
}

function theirs(content) {
	content = { ...named(content), msteams: undefined };
	const card = new AdaptiveCards.AdaptiveCard();
	card.hostConfig = new AdaptiveCards.HostConfig({ supportsInteractivity: true, actions: { maxActions: 100 } });
	// Teams takes choices.data in cards of 1.5, Microsoft's renderer from 1.6; that
	// all the rest is of 1.5 is what teamstest looks after.
	const context = new AdaptiveCards.SerializationContext(AdaptiveCards.Versions.v1_6);
	card.parse(content, context);
	const warnings = [...Array(context.eventCount).keys()].map((i) => context.getEventAt(i).message);
	// Nor does it know that Teams finds the people for a choice without choices.
	const problems = card.validateProperties().validationEvents.filter((e) => !e.source?.choicesData?.dataset).map((e) => e.message);
	const el = card.render();
	document.querySelector("main").append(el);
	const inputs = new Map(card.getAllInputs().map((i) => [i.renderedElement, i]));
	let menu = [];
	AdaptiveCards.AdaptiveCard.onDisplayOverflowActionMenu = (actions) => {
		menu = actions.map((a) => a.title);
		return true;
	};
	const tokens = read(el, (node) => {
		const i = inputs.get(node);
		if (i) {
			const choices = i.choices?.map((c) => c.title.replace(/\s+/gu, ""));
			return [{
				input: i.id, label: i.label.replace(/\s+/gu, ""), required: i.isRequired, value: i.value ?? i.defaultValue ?? "",
				kind: { "Input.Text": i.isMultiline ? "lines" : "line", "Input.Date": "date", "Input.Time": "time" }[i.getJsonTypeName()]
					?? (i.isMultiSelect ? "checks" : i.choicesData?.dataset || i.style === "filtered" ? "search" : i.style === "expanded" ? "radios" : "list"),
				choices: i.choicesData?.dataset || i.style === "filtered" ? null : choices ?? null,
			}];
		}
		if (node.tagName !== "BUTTON") return null;
		if (words(node) !== "...") return [{ button: words(node) }];
		menu = [];
		node.click();
		return menu.map((title) => ({ menu: title.replace(/\s+/gu, "") }));
	});
	el.remove();
	return { warnings: [...warnings, ...problems], tokens };
}

function ours(content) {
	const { el } = card(content, { lang: "en", me: "", press: async () => null, search: async () => [], name: () => null });
	document.querySelector("main").append(el);
	const tokens = read(el, (node) => {
		if (node.dataset.input) {
			const label = node.querySelector("label").cloneNode(true);
			label.querySelector(".ac-needed")?.remove();
			const f = node.querySelector("select, textarea, input.field, .picks, .combo");
			const kind = f.matches("select") ? "list" : f.matches("textarea") ? "lines" : f.matches(".combo") ? "search"
				: f.matches(".picks") ? (f.querySelector("[type=radio]") ? "radios" : "checks") : f.type === "text" ? "line" : f.type;
			let choices = null;
			let value = f.value;
			if (kind === "list") choices = [...f.options].filter((o) => o.value).map(words);
			if (kind === "radios" || kind === "checks") {
				choices = [...f.querySelectorAll(".pick")].map(words);
				value = [...f.querySelectorAll(":checked")].map((x) => x.value).join(",");
			}
			if (kind === "search") value = f.dataset.value;
			return [{ input: node.dataset.input, label: words(label), required: node.querySelector(".ac-needed") != null, value, kind, choices }];
		}
		if (node.dataset.do === "overflow") {
			node.click();
			const panel = [...document.querySelectorAll(".popup-menu")].at(-1);
			const lines = [...panel.querySelectorAll(".menu-words > span")].map((x) => ({ menu: words(x) }));
			panel.hidePopover();
			panel.remove();
			return lines;
		}
		return node.matches("button, a.button") ? [{ button: words(node) }] : null;
	});
	el.remove();
	return tokens;
}

window.drawn = (content) => {
	const t = theirs(content);
	return { warnings: t.warnings, theirs: t.tokens.map((x) => JSON.stringify(x)), ours: ours(content).map((x) => JSON.stringify(x)) };
};
window.ready = true;
</script>`

// TestOurCardsAreMicrosofts holds the page's drawing of Adaptive Cards against
// Microsoft's own renderer: for every card and form of the golden list the same
// texts, inputs and buttons in the same order. It needs the npm packages
// adaptivecards and markdown-it; ADAPTIVECARDS_MODULES is the node_modules
// directory with them.
func TestOurCardsAreMicrosofts(t *testing.T) {
	t.Parallel()
	modules := os.Getenv("ADAPTIVECARDS_MODULES")
	if modules == "" {
		t.Skip("ADAPTIVECARDS_MODULES is not set: cards are not held against Microsoft's renderer")
	}
	if _, err := os.Stat(filepath.Join(modules, "adaptivecards", "dist", "adaptivecards.min.js")); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, harness) })
	mux.Handle("GET /theirs/", http.StripPrefix("/theirs/", http.FileServer(http.Dir(modules))))
	mux.Handle("GET /", http.FileServer(http.Dir("page")))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	win := blank(t)
	win.do(chromedp.Navigate(srv.URL))
	win.until("both renderers are there", "window.ready === true")

	cards := map[string]json.RawMessage{}
	for name, c := range chattest.Cards {
		cards["card "+name] = adaptive.Card(chat.Post{Card: c, As: &chat.Persona{Name: "Ben *Osei*"}}, adaptive.Options{Footer: "Nobody checks who you are."})
	}
	for name, f := range chattest.Forms {
		cards["form "+name] = adaptive.Dialog(f, adaptive.Open{})
		errs := map[string]string{"gone": "This is for no field."}
		for _, field := range f.Fields {
			errs[field.Name] = "Please look at *this* again."
		}
		cards["refused form "+name] = adaptive.Dialog(f, adaptive.Open{Errors: errs})
	}
	for name, c := range cards {
		got := eval[struct {
			Warnings     []string
			Theirs, Ours []string
		}](win, "drawn("+string(c)+")")
		for _, w := range got.Warnings {
			t.Errorf("%s: Microsoft's renderer says: %s", name, w)
		}
		if len(got.Theirs) == 0 {
			t.Errorf("%s: Microsoft's renderer draws nothing", name)
		}
		if diff := cmp.Diff(got.Theirs, got.Ours); diff != "" {
			t.Errorf("%s (-theirs +ours):\n%s", name, strings.ToValidUTF8(diff, "?"))
		}
	}
}
