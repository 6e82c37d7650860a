package adaptive

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/chat/chattest"
)

func TestDecodeRefusesWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	for name, js := range map[string]string{
		"nothing":                       ``,
		"null":                          `null`,
		"another app's data":            `{"action":"approve"}`,
		"no action":                     `{"args":{"t":"1"}}`,
		"args that are no strings":      `{"do":"a","args":{"t":1}}`,
		"an action that is no string":   `{"do":["a"]}`,
		"a form sent without a form":    `{"do":"a","sent":true}`,
		"a form without a name":         `{"sent":true,"dialog":{"f":{}}}`,
		"a form whose text is a number": `{"sent":true,"dialog":{"f":{"do":"a","title":7}}}`,
		"an introduction of tomorrow":   `{"sent":true,"dialog":{"f":{"do":"a","intro":{"blocks":[{"k":"hologram"}]}}}}`,
	} {
		if u, err := Decode(json.RawMessage(js)); err == nil {
			t.Errorf("%s: read as %+v", name, u)
		}
	}
}

func TestValuesAreWhatTheirFieldsCanHold(t *testing.T) {
	t.Parallel()
	fields := []chat.Field{
		{Name: "line", Input: chat.Line}, {Name: "checks", Input: chat.Checks, Options: []chat.Option{{Value: "a,b"}, {Value: "c"}}},
		{Name: "one", Input: chat.Select, Options: []chat.Option{{Value: "x"}}},
		{Name: "date", Input: chat.Date}, {Name: "time", Input: chat.Time}, {Name: "channel", Input: chat.Channel}, {Name: "who", Input: chat.Person},
	}
	for _, tt := range []struct {
		name, field, in string
		want            []string
	}{
		{"a text with commas is one", "line", `"red,blue"`, []string{"red,blue"}},
		{"a text loses the marks of mentions", "line", `"a\ue000b\ue001"`, []string{"ab"}},
		{"checks are several", "checks", `"a%2Cb,c"`, []string{"a,b", "c"}},
		{"a check ticked twice is one", "checks", `"c,c"`, []string{"c"}},
		{"a check that was not offered is none", "checks", `"c,d"`, []string{"c"}},
		{"a choice that was not offered is none", "one", `"y"`, nil},
		{"a choice", "one", `"x"`, []string{"x"}},
		{"a date", "date", `"2026-11-20"`, []string{"2026-11-20"}},
		{"a date in words is none", "date", `"tomorrow"`, nil},
		{"a time", "time", `"14:30"`, []string{"14:30"}},
		{"half past twenty-five is none", "time", `"25:30"`, nil},
		{"a person", "who", `"6b1e2b6e-3c1c-4d2f-9d3e-1c2b3a4d5e6f"`, []string{"6b1e2b6e-3c1c-4d2f-9d3e-1c2b3a4d5e6f"}},
		{"a channel's link", "channel", `" https://teams.microsoft.com/l/channel/19%3aab_c%40thread.tacv2/General?groupId=1"`, []string{"19:ab_c@thread.tacv2"}},
		{"a channel's id", "channel", `"19:ab@thread.tacv2"`, []string{"19:ab@thread.tacv2"}},
		{"a number is none", "line", `7`, nil},
		{"an object is none", "line", `{"a":1}`, nil},
		{"a list is none", "checks", `["c"]`, nil},
		{"nothing is none", "line", `""`, nil},
		{"a field that is not there", "gone", `"x"`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			js := strings.TrimSuffix(string(encode(data{Sent: true, Dialog: &state{Form: store(chat.Form{Action: "f", Fields: fields})}})), "}") +
				`,"in.` + tt.field + `":` + tt.in + `}`
			u, err := Decode(json.RawMessage(js))
			if diff := cmp.Diff(tt.want, u.Values[tt.field]); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	f := chat.Form{Fields: []chat.Field{
		{Name: "title", Input: chat.Line, Max: 5},
		{Name: "who", Input: chat.Person},
		{Name: "more", Input: chat.Paragraph, Optional: true},
	}}
	for _, tt := range []struct {
		name string
		in   chat.Values
		want map[string]string
	}{
		{"all is there", chat.Values{"title": {"vpn"}, "who": {"u"}}, nil},
		{"nothing is there", nil, map[string]string{"title": "Please fill this in.", "who": "Please choose one."}},
		{"blanks are left to the desk", chat.Values{"title": {" \n"}, "who": {"u"}}, nil},
		{"too long", chat.Values{"title": {"123456"}, "who": {"u"}}, map[string]string{"title": "This is too long."}},
		{"too long for anybody", chat.Values{"title": {"1"}, "who": {"u"}, "more": {strings.Repeat("x", 20_000)}}, map[string]string{"more": "This is too long."}},
	} {
		if diff := cmp.Diff(tt.want, Check(f, tt.in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestSearchesComeBack(t *testing.T) {
	t.Parallel()
	f := chat.Form{Action: "a", Args: chat.Args{"t": "42", "ü&=": "?#%/"}, Fields: []chat.Field{{Name: "art/icle?", Input: chat.Search}}}
	meta := Meta{Channel: "19:a@thread.tacv2", Thread: "17"}
	var dataset string
	var tree any
	if err := json.Unmarshal(Dialog(f, Open{Meta: meta}), &tree); err != nil {
		t.Fatal(err)
	}
	walk(tree, func(m map[string]any) {
		if m["type"] == "Data.Query" {
			dataset = m["dataset"].(string)
		}
	})
	field, args, got, err := Search(dataset)
	if field != "art/icle?" || err != nil || got != meta || cmp.Diff(f.Args, args) != "" {
		t.Errorf("Search(%q) = %q, %v, %+v, %v", dataset, field, args, got, err)
	}
	for _, other := range []string{"", "graph.microsoft.com/users", "deskhand/", "deskhand/%zz", "deskhand/a?%zz"} {
		if field, _, _, err := Search(other); err == nil {
			t.Errorf("Search(%q) = %q", other, field)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, form := range chattest.Forms {
		if js := Dialog(form, Open{}); len(js) < 8000 {
			var raw struct {
				Actions []struct{ Data json.RawMessage }
			}
			if json.Unmarshal(js, &raw) == nil && len(raw.Actions) > 0 {
				f.Add([]byte(raw.Actions[0].Data))
			}
		}
	}
	f.Add([]byte(`{"do":"ticket.claim","args":{"t":"42"}}`))
	f.Add([]byte(`{"view":true}`))
	f.Fuzz(func(t *testing.T, js []byte) {
		u, err := Decode(js)
		if err != nil {
			return
		}
		if u.Form == nil {
			return
		}
		// Whatever came back can be drawn again, and comes back the same.
		again, err := Decode(encode(data{Sent: true, Dialog: &state{Meta: u.Meta, Form: store(*u.Form)}}))
		if u.Form.Action == "" {
			return
		}
		if diff := cmp.Diff(u.Form, again.Form, cmpopts.EquateEmpty()); err != nil || diff != "" {
			if len(encode(chat.Card{Blocks: u.Form.Intro})) <= maxStoredIntro {
				t.Fatalf("%v (-want +got):\n%s", err, diff)
			}
		}
		Dialog(*u.Form, Open{Meta: u.Meta, Values: u.Values, Errors: Check(*u.Form, u.Values)})
	})
}
