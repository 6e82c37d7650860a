package slacktest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

// A reply is what the Web API answered.
type reply struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (r reply) str(path ...string) string {
	var v any = r.body
	for _, k := range path {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	s, _ := v.(string)
	return s
}

// call calls a method with a form, as most of slack-go does.
func call(t *testing.T, w *slacktest.Workspace, method string, args ...string) reply {
	t.Helper()
	form := url.Values{"token": {w.App().BotToken}}
	for i := 0; i+1 < len(args); i += 2 {
		form.Set(args[i], args[i+1])
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL()+"/api/"+method, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return do(t, req)
}

func do(t *testing.T, req *http.Request) reply {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", req.URL.Path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", req.URL.Path, err)
	}
	r := reply{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(raw, &r.body); err != nil {
			t.Fatalf("%s answered %q: %v", req.URL.Path, raw, err)
		}
	}
	return r
}

// town is a workspace with a channel of each kind, and messages in #help.
type town struct {
	*app
	byBot, byAna, reply, gone string // timestamps in Chelp
}

func newTown(t *testing.T) *town {
	t.Helper()
	a := newApp(t, slacktest.Options{})
	for _, c := range []slacktest.Channel{
		{ID: "Cpublic", Name: "general", Members: []string{"ana"}},
		{ID: "Cprivate", Name: "secret", Kind: slacktest.Private, Members: []string{"ana"}},
		{ID: "Cours", Name: "ours", Kind: slacktest.Private, Members: []string{"ana", "U0DESK"}},
		{ID: "Cold", Name: "old", Members: []string{"ana", "U0DESK"}, Archived: true},
		{ID: "Dfriends", Kind: slacktest.DM, Members: []string{"ana", "ben"}},
	} {
		if _, err := a.w.AddChannel(c); err != nil {
			t.Fatal(err)
		}
	}
	tw := &town{app: a}
	tw.byBot = call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", "by the bot").str("ts")
	m, err := a.w.Person("ana").Say(slacktest.Post{Channel: "Chelp", Text: "by ana"})
	if err != nil {
		t.Fatal(err)
	}
	tw.byAna = m.TS
	tw.reply = call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", "a reply", "thread_ts", m.TS).str("ts")
	tw.gone = call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", "soon gone").str("ts")
	call(t, a.w, "chat.delete", "channel", "Chelp", "ts", tw.gone)
	return tw
}

const section = `[{"type":"section","text":{"type":"mrkdwn","text":"hi"}}]`

func TestWebAPIRefusals(t *testing.T) {
	t.Parallel()
	tw := newTown(t)
	long := strings.Repeat("x", 4001)
	modal := `{"type":"modal","title":{"type":"plain_text","text":"T"},"blocks":` + section + `}`
	tests := []struct {
		name, method string
		args         []string
		want         string
	}{
		{"a method that there is not", "chat.shout", nil, "unknown_method"},
		{"a post to nowhere", "chat.postMessage", []string{"channel", "C404", "text", "x"}, "channel_not_found"},
		{"a post to a private channel that the app is not in", "chat.postMessage", []string{"channel", "Cprivate", "text", "x"}, "channel_not_found"},
		{"a post to a conversation of others", "chat.postMessage", []string{"channel", "Dfriends", "text", "x"}, "channel_not_found"},
		{"a post to a public channel that the app is not in", "chat.postMessage", []string{"channel", "Cpublic", "text", "x"}, "not_in_channel"},
		{"a post to an archived channel", "chat.postMessage", []string{"channel", "Cold", "text", "x"}, "is_archived"},
		{"a post that says nothing", "chat.postMessage", []string{"channel", "Chelp"}, "no_text"},
		{"a post with an empty list of blocks", "chat.postMessage", []string{"channel", "Chelp", "blocks", "[]"}, "no_text"},
		{"a post with blocks that are no JSON", "chat.postMessage", []string{"channel", "Chelp", "blocks", "[{"}, "invalid_blocks_format"},
		{"a post with a block that there is not", "chat.postMessage", []string{"channel", "Chelp", "blocks", `[{"type":"poll"}]`}, "invalid_blocks"},
		{"a post with attachments that are no list", "chat.postMessage", []string{"channel", "Chelp", "attachments", `{}`}, "invalid_attachments"},
		{"a post with 101 attachments", "chat.postMessage", []string{"channel", "Chelp", "attachments", "[" + strings.Repeat(`{"text":"a"},`, 100) + `{"text":"a"}]`}, "too_many_attachments"},
		{"a post with metadata that has no type", "chat.postMessage", []string{"channel", "Chelp", "text", "x", "metadata", `{"event_payload":{}}`}, "invalid_metadata_schema"},
		{"a post with metadata that is no JSON", "chat.postMessage", []string{"channel", "Chelp", "text", "x", "metadata", `no`}, "invalid_metadata_format"},
		{"a post with too much metadata", "chat.postMessage", []string{"channel", "Chelp", "text", "x", "metadata", `{"event_type":"a","event_payload":{"x":"` + strings.Repeat("x", 17000) + `"}}`}, "metadata_too_large"},
		{"a post with blocks and Markdown", "chat.postMessage", []string{"channel", "Chelp", "markdown_text", "x", "blocks", section}, "markdown_text_conflict"},
		{"a reply to nothing", "chat.postMessage", []string{"channel", "Chelp", "text", "x", "thread_ts", "1.000000"}, "thread_not_found"},
		{"a reply to a reply", "chat.postMessage", []string{"channel", "Chelp", "text", "x", "thread_ts", tw.reply}, "cannot_reply_to_message"},
		{"an ephemeral post to somebody elsewhere", "chat.postEphemeral", []string{"channel", "Cours", "user", "Uben", "text", "x"}, "user_not_in_channel"},
		{"an ephemeral post that says nothing", "chat.postEphemeral", []string{"channel", "Chelp", "user", "Uben"}, "no_text"},
		{"an update of nothing", "chat.update", []string{"channel", "Chelp", "ts", "1.000000", "text", "x"}, "message_not_found"},
		{"an update of a deleted message", "chat.update", []string{"channel", "Chelp", "ts", tw.gone, "text", "x"}, "message_not_found"},
		{"an update of a person's message", "chat.update", []string{"channel", "Chelp", "ts", tw.byAna, "text", "x"}, "cant_update_message"},
		{"an update that says nothing", "chat.update", []string{"channel", "Chelp", "ts", tw.byBot}, "no_text"},
		{"an update with a long text", "chat.update", []string{"channel", "Chelp", "ts", tw.byBot, "text", long}, "msg_too_long"},
		{"an update in a channel out of sight", "chat.update", []string{"channel", "Cprivate", "ts", tw.byBot, "text", "x"}, "channel_not_found"},
		{"deleting a person's message", "chat.delete", []string{"channel", "Chelp", "ts", tw.byAna}, "cant_delete_message"},
		{"deleting twice", "chat.delete", []string{"channel", "Chelp", "ts", tw.gone}, "message_not_found"},
		{"a link to nothing", "chat.getPermalink", []string{"channel", "Chelp", "message_ts", "1.0"}, "message_not_found"},
		{"a conversation with nobody", "conversations.open", nil, "users_list_not_supplied"},
		{"a conversation with a stranger", "conversations.open", []string{"users", "U404"}, "user_not_found"},
		{"a conversation with itself", "conversations.open", []string{"users", "U0DESK"}, "cannot_dm_bot"},
		{"the facts of a private channel out of sight", "conversations.info", []string{"channel", "Cprivate"}, "channel_not_found"},
		{"the history of a public channel that the app is not in", "conversations.history", []string{"channel", "Cpublic"}, "not_in_channel"},
		{"a history with a cursor made up", "conversations.history", []string{"channel", "Chelp", "cursor", "xyz"}, "invalid_cursor"},
		{"a history from no time", "conversations.history", []string{"channel", "Chelp", "oldest", "yesterday"}, "invalid_ts_oldest"},
		{"the replies to nothing", "conversations.replies", []string{"channel", "Chelp", "ts", "1.000000"}, "thread_not_found"},
		{"joining a private channel", "conversations.join", []string{"channel", "Cours"}, "method_not_supported_for_channel_type"},
		{"joining an archived channel", "conversations.join", []string{"channel", "Cold"}, "is_archived"},
		{"inviting nobody", "conversations.invite", []string{"channel", "Chelp"}, "no_user"},
		{"inviting somebody twice", "conversations.invite", []string{"channel", "Chelp", "users", "Uana"}, "already_in_channel"},
		{"inviting oneself", "conversations.invite", []string{"channel", "Chelp", "users", "U0DESK"}, "cant_invite_self"},
		{"inviting from outside", "conversations.invite", []string{"channel", "Cpublic", "users", "Uben"}, "not_in_channel"},
		{"a list of things that are no channels", "conversations.list", []string{"types", "voice"}, "invalid_types"},
		{"a channel with a bad name", "conversations.create", []string{"name", "Not Good"}, "invalid_name_specials"},
		{"a channel with a name that is taken", "conversations.create", []string{"name", "help"}, "name_taken"},
		{"a bot that there is not", "bots.info", []string{"bot", "B404"}, "bot_not_found"},
		{"a stranger's profile", "users.info", []string{"user", "U404"}, "user_not_found"},
		{"a stranger's mail", "users.lookupByEmail", []string{"email", "nobody@acme.test"}, "users_not_found"},
		{"a reaction to nothing named", "reactions.add", []string{"name", "eyes"}, "no_item_specified"},
		{"a reaction to a message that is not there", "reactions.add", []string{"channel", "Chelp", "timestamp", "1.000000", "name", "eyes"}, "message_not_found"},
		{"a reaction to no time", "reactions.add", []string{"channel", "Chelp", "timestamp", "now", "name", "eyes"}, "bad_timestamp"},
		{"a reaction that is no emoji", "reactions.add", []string{"channel", "Chelp", "timestamp", tw.byAna, "name", "<b>"}, "invalid_name"},
		{"taking away a reaction that is not there", "reactions.remove", []string{"channel", "Chelp", "timestamp", tw.byAna, "name", "eyes"}, "no_reaction"},
		{"a view with a trigger made up", "views.open", []string{"trigger_id", "1.2.x", "view", modal}, "invalid_trigger_id"},
		{"a view that is none", "views.open", []string{"trigger_id", "1.2.x", "view", `{"type":"modal"}`}, "invalid_arguments"},
		{"a Home tab opened as a modal", "views.open", []string{"trigger_id", "1.2.x", "view", `{"type":"home","blocks":` + section + `}`}, "invalid_arguments"},
		{"a view above 250 kB", "views.open", []string{"trigger_id", "1.2.x", "view", strings.Replace(modal, "hi", strings.Repeat("x", 250_001), 1)}, "view_too_large"},
		{"a view pushed on a trigger made up", "views.push", []string{"trigger_id", "1.2.x", "view", modal}, "invalid_trigger_id"},
		{"an update of a view that is not open", "views.update", []string{"view_id", "V404", "view", modal}, "not_found"},
		{"an update of no view", "views.update", []string{"view", modal}, "invalid_arguments"},
		{"a Home tab for a stranger", "views.publish", []string{"user_id", "U404", "view", `{"type":"home","blocks":` + section + `}`}, "user_not_found"},
		{"a modal published as Home tab", "views.publish", []string{"user_id", "Uana", "view", modal}, "invalid_arguments"},
		{"a Home tab with a stale hash", "views.publish", []string{"user_id", "Uana", "hash", "1.x", "view", `{"type":"home","blocks":` + section + `}`}, "hash_conflict"},
		{"an upload without a length", "files.getUploadURLExternal", []string{"filename", "a.txt"}, "invalid_arguments"},
		{"completing what was never begun", "files.completeUploadExternal", []string{"files", `[{"id":"F404"}]`}, "file_not_found"},
		{"a file that there is not", "files.info", []string{"file", "F404"}, "file_not_found"},
		{"a socket for an app without socket mode", "apps.connections.open", nil, "not_allowed_token_type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := call(t, tw.w, tt.method, tt.args...)
			if r.status != http.StatusOK || r.body["ok"] != false || r.str("error") != tt.want {
				t.Errorf("%s%q = %d %v, want %s", tt.method, tt.args, r.status, r.body, tt.want)
			}
		})
	}
}

func TestTokensAndScopes(t *testing.T) {
	t.Parallel()
	w, err := slacktest.New(slacktest.Options{App: slacktest.App{Scopes: []string{"chat:write", "channels:read", "users:read"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ask := func(method, header, contentType, body string) reply {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL()+"/api/"+method, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			req.Header.Set("Authorization", header)
		}
		if contentType != "" {
			req.Header.Set("Content-Type", contentType)
		}
		return do(t, req)
	}
	const form, js = "application/x-www-form-urlencoded", "application/json; charset=utf-8"
	tests := []struct {
		name, method, header, contentType, body, want string
	}{
		{"no token", "auth.test", "", form, "", "not_authed"},
		{"another's token", "auth.test", "Bearer xoxb-other", form, "", "invalid_auth"},
		{"a token in the form", "auth.test", "", form, "token=xoxb-slacktest", ""},
		{"a token in the header", "auth.test", "Bearer xoxb-slacktest", form, "", ""},
		{"a token in JSON, which is no place for it", "auth.test", "", js, `{"token":"xoxb-slacktest"}`, "not_authed"},
		{"the app's token for a bot's method", "auth.test", "Bearer xapp-slacktest", form, "", "not_allowed_token_type"},
		{"the bot's token for an app's method", "apps.connections.open", "Bearer xoxb-slacktest", js, "{}", "not_allowed_token_type"},
		{"a scope that is missing", "reactions.add", "Bearer xoxb-slacktest", form, "", "missing_scope"},
		{"a scope of one kind of channel that is missing", "conversations.list", "Bearer xoxb-slacktest", form, "types=private_channel", "missing_scope"},
		{"another name without the scope for it", "chat.postMessage", "Bearer xoxb-slacktest", form, "channel=C1&text=x&username=Boss", "missing_scope"},
		{"JSON that is none", "chat.postMessage", "Bearer xoxb-slacktest", js, `{"channel":`, "invalid_json"},
		{"a body of no kind", "chat.postMessage", "Bearer xoxb-slacktest", "", `x`, "missing_post_type"},
		{"a body of a strange kind", "chat.postMessage", "Bearer xoxb-slacktest", "application/xml", `<x/>`, "invalid_post_type"},
		{"a strange charset", "chat.postMessage", "Bearer xoxb-slacktest", "application/json; charset=latin-9", `{}`, "invalid_charset"},
		{"a form that is none", "chat.postMessage", "Bearer xoxb-slacktest", form, `%zz`, "invalid_form_data"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := ask(tt.method, tt.header, tt.contentType, tt.body)
			if r.str("error") != tt.want || (tt.want == "") != (r.body["ok"] == true) {
				t.Errorf("answer = %s, want %q", r.raw, tt.want)
			}
			if got := r.header.Get("X-OAuth-Scopes"); got != "chat:write,channels:read,users:read" {
				t.Errorf("X-OAuth-Scopes = %q", got)
			}
			if tt.name == "a scope that is missing" && (r.str("needed") != "reactions:write" || r.str("provided") != "chat:write,channels:read,users:read") {
				t.Errorf("needed, provided = %q, %q", r.str("needed"), r.str("provided"))
			}
		})
	}
	t.Run("JSON without a charset is taken with a warning", func(t *testing.T) {
		r := ask("auth.test", "Bearer xoxb-slacktest", "application/json", "")
		if r.body["ok"] != true || r.str("warning") != "missing_charset" {
			t.Errorf("answer = %s", r.raw)
		}
	})
	t.Run("mail is hidden without its scope", func(t *testing.T) {
		u, err := w.AddUser(slacktest.User{Name: "ana", Email: "ana@acme.test"})
		if err != nil {
			t.Fatal(err)
		}
		if r := call(t, w, "users.info", "user", u.ID); r.str("user", "profile", "email") != "" || r.str("user", "name") != "ana" {
			t.Errorf("users.info = %s", r.raw)
		}
	})
}

// The pointers and words are those that Slack's answers have.
func TestRefusedBlocksSayWhere(t *testing.T) {
	t.Parallel()
	tw := newTown(t)
	blocks := `[{"type":"section","text":{"type":"mrkdwn","text":"` + strings.Repeat("x", 3001) + `"}},{"type":"poll"}]`
	r := call(t, tw.w, "chat.postMessage", "channel", "Chelp", "text", "x", "blocks", blocks)
	want := map[string]any{
		"ok": false, "error": "invalid_blocks",
		"errors": []any{
			"must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
			"unsupported type: poll [json-pointer:/blocks/1/type]",
		},
		"response_metadata": map[string]any{"messages": []any{
			"[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
			"[ERROR] unsupported type: poll [json-pointer:/blocks/1/type]",
		}},
	}
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestPostIsCompletedAsSlackDoes(t *testing.T) {
	t.Parallel()
	tw := newTown(t)
	r := call(t, tw.w, "chat.postMessage", "channel", "Chelp", "text", `R&D <b> <https://x.test|x> <@Uana>`,
		"blocks", section, "metadata", `{"event_type":"desk","event_payload":{"id":7}}`)
	m, _ := r.body["message"].(map[string]any)
	if got, want := m["text"], `R&amp;D &lt;b> <https://x.test|x> <@Uana>`; got != want {
		t.Errorf("text = %q, want %q", got, want)
	}
	if m["user"] != "U0DESK" || m["bot_id"] != "B0DESK" || m["app_id"] != "A0DESK" || m["subtype"] != nil || m["bot_profile"] == nil {
		t.Errorf("message = %v", m)
	}
	block := m["blocks"].([]any)[0].(map[string]any)
	if block["block_id"] == nil || block["text"].(map[string]any)["verbatim"] != false {
		t.Errorf("block = %v, want it with an id and verbatim", block)
	}
	if diff := cmp.Diff(map[string]any{"event_type": "desk", "event_payload": map[string]any{"id": 7.0}}, m["metadata"]); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if r := call(t, tw.w, "chat.postMessage", "channel", "Chelp", "blocks", section); r.str("message", "text") != "This content can't be displayed." {
		t.Errorf("text of a message of blocks alone = %q", r.str("message", "text"))
	}
	if r := call(t, tw.w, "chat.postMessage", "channel", "Chelp", "text", strings.Repeat("ü", 40_001)); len([]rune(r.str("message", "text"))) != 40_000 || r.str("warning") != "message_truncated" {
		t.Errorf("a text of 40,001 characters came back with %d and the warning %q", len([]rune(r.str("message", "text"))), r.str("warning"))
	}
	if r := call(t, tw.w, "chat.postMessage", "channel", "Chelp", "text", "x", "username", "Boss", "icon_emoji", ":tie:"); r.str("message", "subtype") != "bot_message" || r.str("message", "username") != "Boss" || r.str("message", "user") != "" {
		t.Errorf("under another name: %v", r.body["message"])
	}
	if r := call(t, tw.w, "chat.postMessage", "channel", "Uben", "text", "to a person"); r.body["ok"] != true || !strings.HasPrefix(r.str("channel"), "D") {
		t.Errorf("to a person: %s", r.raw)
	}
	if r := call(t, tw.w, "chat.postMessage", "channel", "#help", "text", "to a name"); r.str("channel") != "Chelp" {
		t.Errorf("to a name: %s", r.raw)
	}
}

func TestUpdateKeepsWhatIsNotGiven(t *testing.T) {
	t.Parallel()
	tw := newTown(t)
	ts := call(t, tw.w, "chat.postMessage", "channel", "Chelp", "text", "one", "blocks", section, "metadata", `{"event_type":"a","event_payload":{}}`).str("ts")
	steps := []struct {
		name     string
		args     []string
		text     string
		blocks   bool
		metadata bool
	}{
		{"a new text", []string{"text", "two"}, "two", true, true},
		{"metadata taken away", []string{"text", "two", "metadata", "{}"}, "two", true, false},
		{"blocks taken away", []string{"text", "three", "blocks", "[]"}, "three", false, false},
		{"blocks put back", []string{"text", "four", "blocks", section}, "four", true, false},
	}
	for _, s := range steps {
		r := call(t, tw.w, "chat.update", append([]string{"channel", "Chelp", "ts", ts}, s.args...)...)
		m, _ := r.body["message"].(map[string]any)
		if r.str("ts") != ts || m["text"] != s.text || (m["blocks"] != nil) != s.blocks || (m["metadata"] != nil) != s.metadata || m["edited"] == nil {
			t.Errorf("%s: %s", s.name, r.raw)
		}
	}
	if r := call(t, tw.w, "chat.update", "channel", "Chelp", "ts", ts, "blocks", "[]"); r.str("error") != "no_text" {
		t.Errorf("an update that leaves nothing = %s", r.raw)
	}
}

func TestHistoryAndReplies(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	var root string
	for i, text := range []string{"one", "two", "three", "four", "five"} {
		ts := call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", text, "metadata", `{"event_type":"n","event_payload":{}}`).str("ts")
		if i == 1 {
			root = ts
		}
	}
	var replies []string
	for _, text := range []string{"r1", "r2", "r3"} {
		replies = append(replies, call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", text, "thread_ts", root).str("ts"))
	}
	call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", "r4", "thread_ts", root, "reply_broadcast", "true")
	call(t, a.w, "chat.postEphemeral", "channel", "Chelp", "user", "Uana", "text", "whisper")

	texts := func(r reply) (list []string) {
		for _, m := range r.body["messages"].([]any) {
			list = append(list, m.(map[string]any)["text"].(string))
		}
		return list
	}
	pages := func(method string, args ...string) (all [][]string) {
		cursor := ""
		for {
			r := call(t, a.w, method, append(args, "cursor", cursor)...)
			if r.body["ok"] != true {
				t.Fatalf("%s: %s", method, r.raw)
			}
			all = append(all, texts(r))
			cursor = r.str("response_metadata", "next_cursor")
			if (cursor != "") != (r.body["has_more"] == true) {
				t.Errorf("%s: has_more and the cursor disagree: %s", method, r.raw)
			}
			if cursor == "" {
				return all
			}
		}
	}
	if diff := cmp.Diff([][]string{{"r4", "five", "four"}, {"three", "two", "one"}}, pages("conversations.history", "channel", "Chelp", "limit", "3")); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{"two", "r1", "r2"}, {"two", "r3", "r4"}}, pages("conversations.replies", "channel", "Chelp", "ts", root, "limit", "2")); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
	if got := texts(call(t, a.w, "conversations.history", "channel", "Chelp", "latest", root)); !slices.Equal(got, []string{"one"}) {
		t.Errorf("before the second message: %v", got)
	}
	if got := texts(call(t, a.w, "conversations.history", "channel", "Chelp", "latest", root, "inclusive", "true", "limit", "1")); !slices.Equal(got, []string{"two"}) {
		t.Errorf("the second message alone: %v", got)
	}
	if got := texts(call(t, a.w, "conversations.history", "channel", "Chelp", "oldest", root)); !slices.Equal(got, []string{"r4", "five", "four", "three"}) {
		t.Errorf("after the second message: %v", got)
	}
	if got := texts(call(t, a.w, "conversations.replies", "channel", "Chelp", "ts", replies[0])); !slices.Equal(got, []string{"r1"}) {
		t.Errorf("the replies to a reply: %v", got)
	}
	first := func(args ...string) map[string]any {
		r := call(t, a.w, "conversations.replies", append([]string{"channel", "Chelp", "ts", root}, args...)...)
		return r.body["messages"].([]any)[0].(map[string]any)
	}
	m := first()
	if m["reply_count"] != 4.0 || m["thread_ts"] != root || m["latest_reply"] == nil || m["reply_users_count"] != 1.0 || m["metadata"] != nil {
		t.Errorf("the first message of the thread is %v", m)
	}
	if first("include_all_metadata", "true")["metadata"] == nil {
		t.Error("metadata was asked for and did not come")
	}
}
