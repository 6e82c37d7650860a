package web

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deskhand/deskhand/adapters/web/markup"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/chat/chattest"
	"github.com/deskhand/deskhand/storage"
)

func TestWhatWasFilledIn(t *testing.T) {
	t.Parallel()
	form := chattest.Forms["every input"]
	tests := []struct {
		name  string
		field string
		sent  []string
		want  []string
		wrong string
	}{
		{"a line", "line", []string{"  two\r\nlines "}, []string{"two lines"}, ""},
		{"a line of nothing", "line", []string{" \t "}, nil, "Please write something here."},
		{"a line with marks that only the desk uses", "line", []string{"ask \uE000U1\uE001"}, []string{"ask U1"}, ""},
		{"a line that is no UTF-8", "line", []string{"a\xff\x00b"}, []string{"a\uFFFDb"}, ""},
		{"a line that is too long", "line", []string{strings.Repeat("ü", 3001)}, []string{strings.Repeat("ü", 3001)}, "That is 3001 characters; 3000 fit here."},
		{"a paragraph keeps its lines, as text has them", "paragraph", []string{"one\r\n\r\n  two"}, []string{"one\n\n  two"}, ""},
		{"a choice", "choice", []string{"v3"}, []string{"v3"}, ""},
		{"a choice of what was not offered", "choice", []string{"v10"}, []string{"v10"}, "Please choose one of these."},
		{"two choices where one fits", "choice", []string{"v1", "v2"}, []string{"v1"}, ""},
		{"nothing chosen", "select", []string{""}, nil, "Please choose."},
		{"several boxes", "checks", []string{"v1", "v2", "v1"}, []string{"v1", "v2"}, ""},
		{"a box that is gone", "checks", []string{"v1", "gone"}, []string{"v1", "gone"}, "Please choose one of these."},
		{"a date", "date", []string{"2026-11-20"}, []string{"2026-11-20"}, ""},
		{"a date that never was", "date", []string{"2026-02-30"}, []string{"2026-02-30"}, "Please give a date such as 2026-11-20."},
		{"a time", "time", []string{"14:05"}, []string{"14:05"}, ""},
		{"a time of the stopped clock", "time", []string{"25:61"}, []string{"25:61"}, "Please give a time such as 14:05."},
		{"an id", "person", []string{"U1"}, []string{"U1"}, ""},
		{"an id of a kilobyte", "person", []string{strings.Repeat("x", 1000)}, []string{strings.Repeat("x", 1000)}, "Please choose one that was found."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			values, wrong := filled(form, url.Values{markup.Post(tt.field): tt.sent, "f.stranger": {"x"}, tt.field: {"not a field"}})
			if diff := cmp.Diff(tt.want, values[tt.field]); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			if wrong[tt.field] != tt.wrong {
				t.Errorf("wrong = %q, want %q", wrong[tt.field], tt.wrong)
			}
			if _, ok := values["stranger"]; ok {
				t.Error("a field that the form does not have was read")
			}
		})
	}
}

func TestFormsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	for name, form := range chattest.Forms {
		js, err := json.Marshal(asked{form})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var back asked
		if err := json.Unmarshal(js, &back); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(form, back.Form, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-went +came back):\n%s", name, diff)
		}
	}
}

// FuzzFilled sends whatever a browser, or somebody else, may send as each of the
// sample forms.
func FuzzFilled(f *testing.F) {
	f.Add("f.line=x&f.choice=v1&f.checks=v1&f.checks=v2&f.date=2026-11-20")
	f.Add("f.paragraph=%ff%00%0d%0a&f.time=14:05&f.person=&f.title=%EE%80%80")
	f.Add("f.f0=1&f.f1=2;f.f2&%zz=%")
	f.Fuzz(func(t *testing.T, body string) {
		post, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		for name, form := range chattest.Forms {
			values, wrong := filled(form, post)
			known := map[string]chat.Field{}
			for _, field := range form.Fields {
				known[field.Name] = field
			}
			for field := range wrong {
				if _, ok := known[field]; !ok {
					t.Errorf("%s: %q is wrong, which is no field", name, field)
				}
			}
			for field, given := range values {
				in, ok := known[field]
				switch {
				case !ok:
					t.Errorf("%s: %q was read, which is no field", name, field)
				case len(given) == 0, len(given) > 1 && in.Input != chat.Checks:
					t.Errorf("%s: %d values of %s", name, len(given), field)
				}
				for _, v := range given {
					if v == "" || !utf8.ValidString(v) || strings.ContainsAny(v, "\x00\uE000\uE001") {
						t.Errorf("%s: %s is %q", name, field, v)
					}
					if wrong[field] == "" && len(in.Options) > 0 && in.Input != chat.Search && !slices.ContainsFunc(in.Options, func(o chat.Option) bool { return o.Value == v }) {
						t.Errorf("%s: %s takes %q, which was not offered", name, field, v)
					}
				}
			}
			for _, in := range form.Fields {
				if !in.Optional && len(values[in.Name]) == 0 && wrong[in.Name] == "" {
					t.Errorf("%s: %s may be left out", name, in.Name)
				}
			}
			if again, _ := filled(form, posted(values)); !cmp.Equal(values, again) {
				t.Errorf("%s: sent again it reads otherwise:\n%s", name, cmp.Diff(values, again))
			}
		}
	})
}

func posted(values chat.Values) url.Values {
	post := url.Values{}
	for field, v := range values {
		post[markup.Post(field)] = v
	}
	return post
}

// FuzzOpen sends tokens that nobody has signed.
func FuzzOpen(f *testing.F) {
	now := time.Date(2026, time.November, 20, 12, 0, 0, 0, time.UTC)
	key := storage.Secret{ID: 7, Key: []byte(strings.Repeat("k", 32)), MadeAt: now, ExpiresAt: now.Add(time.Hour)}
	ring := &keyring{now: func() time.Time { return now }, keys: map[int64]storage.Secret{7: key}, newest: key, looked: now}
	good, err := ring.seal("use", "hello", now.Add(time.Minute))
	if err != nil {
		f.Fatal(err)
	}
	old, err := ring.seal("use", "hello", now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, "use")
	f.Add(good, "another use")
	f.Add(old, "use")
	f.Add(good+".", "use")
	f.Add("8"+good[1:], "use")
	f.Add("-.."+good, "")
	f.Fuzz(func(t *testing.T, token, use string) {
		var got string
		err := ring.open(t.Context(), use, token, &got)
		if err != nil {
			return
		}
		_, given, _ := strings.Cut(token, ".")
		if _, signed, _ := strings.Cut(good, "."); use != "use" || given != signed || got != "hello" {
			t.Errorf("%q was opened for %q: %q", token, use, got)
		}
	})
}
