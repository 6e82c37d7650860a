package apppackage

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var good = Options{URL: "https://desk.example.com/", AppID: "6b1e2b6e-3c1c-4d2f-9d3e-1c2b3a4d5e6f", Version: "1.2.3", Company: "Norrland Instruments"}

// unpacked are the files of a package.
func unpacked(t *testing.T, o Options) map[string][]byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, o); err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := Write(&again, o); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("written twice, it differs (%v)", err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestManifestKeepsToTheSchema(t *testing.T) {
	t.Parallel()
	files := unpacked(t, good)
	if len(files) != 3 {
		t.Errorf("%d files, want 3 and none in a directory", len(files))
	}
	var m any
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	for _, err := range conforms("", m, manifestSchema) {
		t.Error(err)
	}
	root := m.(map[string]any)
	for _, icon := range root["icons"].(map[string]any) {
		if files[icon.(string)] == nil {
			t.Errorf("no file %v", icon)
		}
	}
	id := good.AppID
	for what, got := range map[string]any{
		"the bot's id":          root["bots"].([]any)[0].(map[string]any)["botId"],
		"the extension's id":    root["composeExtensions"].([]any)[0].(map[string]any)["botId"],
		"the web application":   root["webApplicationInfo"].(map[string]any)["id"],
		"the app's own id":      root["id"],
		"the resource's ending": root["webApplicationInfo"].(map[string]any)["resource"].(string)[len("api://desk.example.com/botid-"):],
	} {
		if got != id {
			t.Errorf("%s is %v, want %s", what, got, id)
		}
	}
	if got := root["staticTabs"].([]any)[1].(map[string]any)["contentUrl"]; got != "https://desk.example.com/tab?host=teams" {
		t.Errorf("the tab is at %v", got)
	}
	if got := root["validDomains"]; fmt.Sprint(got) != "[desk.example.com]" {
		t.Errorf("valid domains %v", got)
	}
}

func TestWhatTeamsWouldRefuseIsRefusedHere(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"no address":           func(o *Options) { o.URL = "" },
		"http":                 func(o *Options) { o.URL = "http://desk.example.com" },
		"an address at home":   func(o *Options) { o.URL = "https://127.0.0.1:8080" },
		"localhost":            func(o *Options) { o.URL = "https://localhost" },
		"a name without a dot": func(o *Options) { o.URL = "https://desk" },
		"a password in it":     func(o *Options) { o.URL = "https://a:b@desk.example.com" },
		"a query":              func(o *Options) { o.URL = "https://desk.example.com/?a=1" },
		"no app id":            func(o *Options) { o.AppID = "" },
		"an app id in words":   func(o *Options) { o.AppID = "deskhand" },
		"a version in words":   func(o *Options) { o.Version = "next" },
		"a leading zero":       func(o *Options) { o.Version = "1.02.0" },
		"no company":           func(o *Options) { o.Company = "" },
		"a company too long":   func(o *Options) { o.Company = strings.Repeat("x", 33) },
		"a website over http":  func(o *Options) { o.Website = "http://example.com" },
	} {
		o := good
		change(&o)
		if err := Write(io.Discard, o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestIcons(t *testing.T) {
	t.Parallel()
	files := unpacked(t, good)
	icon := func(name string, size int) image.Image {
		t.Helper()
		img, err := png.Decode(bytes.NewReader(files[name]))
		if err != nil {
			t.Fatal(err)
		}
		if got := img.Bounds().Size(); got != image.Pt(size, size) {
			t.Errorf("%s is %v, want %d × %d", name, got, size, size)
		}
		if dir := os.Getenv("TEST_ARTIFACTS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "teams-"+name), files[name], 0o644); err != nil {
				t.Error(err)
			}
		}
		return img
	}
	outline := icon(outlineIcon, 32)
	drawn := 0
	for y := range 32 {
		for x := range 32 {
			c := color.NRGBAModel.Convert(outline.At(x, y)).(color.NRGBA)
			if c.A > 0 && (c.R != 255 || c.G != 255 || c.B != 255) {
				t.Fatalf("the outline has %v at %d, %d; only white on nothing is taken", c, x, y)
			}
			if c.A > 128 {
				drawn++
			}
		}
	}
	if drawn < 100 || drawn > 600 {
		t.Errorf("the outline has %d pixels", drawn)
	}
	full := icon(colorIcon, 192)
	for y := range 192 {
		for x := range 192 {
			c := color.NRGBAModel.Convert(full.At(x, y)).(color.NRGBA)
			if c.A != 255 {
				t.Fatalf("the colour icon is transparent at %d, %d", x, y)
			}
			inner := x >= 36 && x < 156 && y >= 36 && y < 156
			if white := c.R == 255 && c.G == 255 && c.B == 255; white && !inner {
				t.Fatalf("the symbol reaches %d, %d, out of the inner 120 × 120", x, y)
			}
		}
	}
}

// rule is what the schema of version 1.25 says of one value, as far as the
// desk's manifest has it.
type rule struct {
	is     string // string, bool, list or object
	max    int    // characters or items
	match  string
	oneOf  []string
	each   *rule            // of a list
	fields map[string]*rule // of an object; no others are allowed
	need   []string
}

var (
	guidRule  = &rule{is: "string", match: `^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`}
	httpsRule = &rule{is: "string", max: 2048, match: `^https://`}
	fileRule  = &rule{is: "string", max: 2048}
	yesNo     = &rule{is: "bool"}
	scopes    = &rule{is: "list", max: 4, each: &rule{is: "string", oneOf: []string{"team", "personal", "groupChat", "copilot"}}}
)

func text(max int) *rule { return &rule{is: "string", max: max} }

var manifestSchema = &rule{is: "object",
	need: []string{"manifestVersion", "version", "id", "developer", "name", "description", "icons", "accentColor",
		"supportsChannelFeatures"}, // demanded of apps with the scope team
	fields: map[string]*rule{
		"$schema":         {is: "string", oneOf: []string{"https://developer.microsoft.com/json-schemas/teams/v1.25/MicrosoftTeams.schema.json"}},
		"manifestVersion": {is: "string", oneOf: []string{"1.25"}},
		"version":         {is: "string", max: 256, match: `^\d+\.\d+\.\d+$`},
		"id":              guidRule,
		"developer": {is: "object", need: []string{"name", "websiteUrl", "privacyUrl", "termsOfUseUrl"}, fields: map[string]*rule{
			"name": text(32), "websiteUrl": httpsRule, "privacyUrl": httpsRule, "termsOfUseUrl": httpsRule}},
		"name":        {is: "object", need: []string{"short"}, fields: map[string]*rule{"short": text(30), "full": text(100)}},
		"description": {is: "object", need: []string{"short", "full"}, fields: map[string]*rule{"short": text(80), "full": text(4000)}},
		"icons":       {is: "object", need: []string{"outline", "color"}, fields: map[string]*rule{"outline": fileRule, "color": fileRule}},
		"accentColor": {is: "string", match: `^#[0-9a-fA-F]{6}$`},
		"bots": {is: "list", max: 1, each: &rule{is: "object", need: []string{"botId", "scopes"}, fields: map[string]*rule{
			"botId": guidRule, "scopes": scopes, "supportsFiles": yesNo, "isNotificationOnly": yesNo,
			"commandLists": {is: "list", max: 3, each: &rule{is: "object", need: []string{"scopes", "commands"}, fields: map[string]*rule{
				"scopes": scopes,
				"commands": {is: "list", max: 10, each: &rule{is: "object", need: []string{"title", "description"}, fields: map[string]*rule{
					"title": text(32), "description": text(128)}}},
			}}},
		}}},
		"composeExtensions": {is: "list", max: 1, each: &rule{is: "object", need: []string{"botId", "commands"}, fields: map[string]*rule{
			"botId": guidRule,
			"commands": {is: "list", max: 10, each: &rule{is: "object", need: []string{"id", "title"}, fields: map[string]*rule{
				"id": text(64), "type": {is: "string", oneOf: []string{"query", "action"}}, "title": text(32), "description": text(128),
				"context":    {is: "list", max: 3, each: &rule{is: "string", oneOf: []string{"compose", "commandBox", "message"}}},
				"initialRun": yesNo, "fetchTask": yesNo,
				"parameters": {is: "list", max: 5, each: &rule{is: "object", need: []string{"name", "title"}, fields: map[string]*rule{
					"name": text(64), "title": text(32), "description": text(128),
					"inputType": {is: "string", oneOf: []string{"text", "textarea", "number", "date", "time", "toggle", "choiceset"}}}}},
			}}},
		}}},
		"staticTabs": {is: "list", max: 16, each: &rule{is: "object", need: []string{"entityId", "scopes"}, fields: map[string]*rule{
			"entityId": text(64), "name": text(128), "contentUrl": httpsRule, "websiteUrl": httpsRule, "scopes": scopes}}},
		"permissions":        {is: "list", max: 2, each: &rule{is: "string", oneOf: []string{"identity", "messageTeamMembers"}}},
		"validDomains":       {is: "list", max: 16, each: &rule{is: "string", max: 2048, match: `^[a-z0-9.-]+$`}},
		"webApplicationInfo": {is: "object", need: []string{"id", "resource"}, fields: map[string]*rule{"id": guidRule, "resource": text(2048)}},
		"authorization": {is: "object", fields: map[string]*rule{"permissions": {is: "object", fields: map[string]*rule{
			"resourceSpecific": {is: "list", max: 16, each: &rule{is: "object", need: []string{"name", "type"}, fields: map[string]*rule{
				"name": text(128), "type": {is: "string", oneOf: []string{"Application", "Delegated"}}}}}}}}},
		"defaultInstallScope": {is: "string", oneOf: []string{"personal", "team", "groupChat", "meetings", "copilot"}},
		"defaultGroupCapability": {is: "object", fields: map[string]*rule{
			"team": {is: "string", oneOf: []string{"tab", "bot", "connector"}}, "groupchat": {is: "string", oneOf: []string{"tab", "bot", "connector"}}}},
		"supportsChannelFeatures": {is: "string", oneOf: []string{"tier1"}},
	},
}

func conforms(at string, v any, r *rule) (errs []error) {
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(at+": "+format, args...)) }
	switch v := v.(type) {
	case string:
		switch {
		case r.is != "string":
			refuse("is text")
		case v == "", r.max > 0 && utf8.RuneCountInString(v) > r.max:
			refuse("has %d characters, want 1 to %d", utf8.RuneCountInString(v), r.max)
		case r.match != "" && !regexp.MustCompile(r.match).MatchString(v):
			refuse("%q does not match %s", v, r.match)
		case r.oneOf != nil && !slices.Contains(r.oneOf, v):
			refuse("%q is none of %v", v, r.oneOf)
		}
	case bool:
		if r.is != "bool" {
			refuse("is a yes or no")
		}
	case []any:
		if r.is != "list" || len(v) > r.max {
			refuse("is a list of %d, want at most %d", len(v), r.max)
			return errs
		}
		for i, e := range v {
			errs = append(errs, conforms(fmt.Sprintf("%s[%d]", at, i), e, r.each)...)
		}
	case map[string]any:
		if r.is != "object" {
			refuse("is an object")
			return errs
		}
		for _, name := range r.need {
			if _, ok := v[name]; !ok {
				refuse("has no %s", name)
			}
		}
		for name, e := range v {
			if r.fields[name] == nil {
				refuse("may have no %s", name)
				continue
			}
			errs = append(errs, conforms(at+"."+name, e, r.fields[name])...)
		}
	default:
		refuse("is %T", v)
	}
	return errs
}
