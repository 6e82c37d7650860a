package slacktest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

func times(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }

func txt(n int) string { return `{"type":"plain_text","text":"` + strings.Repeat("ü", n) + `"}` }

// with is a list of one block; inside, element is one in an input block.
func block1(kind, more string) string { return `[{"type":"` + kind + `"` + more + `}]` }

func inside(element string) string {
	return block1("input", `,"label":`+txt(1)+`,"element":{`+element+`}`)
}

func inActions(elements string) string { return block1("actions", `,"elements":[`+elements+`]`) }

func opts(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"text":%s,"value":"%d"}`, txt(1), i))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func TestValidate(t *testing.T) {
	t.Parallel()
	const btn = `{"type":"button","text":{"type":"plain_text","text":"x"}}`
	tests := []struct {
		name   string
		on     slacktest.Surface
		blocks string
		want   []string // nothing if it is taken
	}{
		{"no list", slacktest.OnMessage, `{"type":"divider"}`, []string{"must be an array [json-pointer:/blocks]"}},
		{"null", slacktest.OnMessage, `null`, []string{"must be an array [json-pointer:/blocks]"}},
		{"a list of words", slacktest.OnMessage, `["x"]`, []string{"must be an object [json-pointer:/blocks/0]"}},
		{"a block of no type", slacktest.OnMessage, `[{}]`, []string{"missing required field: type [json-pointer:/blocks/0]"}},
		{"50 blocks in a message", slacktest.OnMessage, "[" + times(50, `{"type":"divider"}`) + "]", nil},
		{"51 blocks in a message", slacktest.OnMessage, "[" + times(51, `{"type":"divider"}`) + "]", []string{"no more than 50 items allowed [json-pointer:/blocks]"}},
		{"100 blocks in a modal", slacktest.OnModal, "[" + times(100, `{"type":"divider"}`) + "]", nil},
		{"101 blocks on a Home tab", slacktest.OnHome, "[" + times(101, `{"type":"divider"}`) + "]", []string{"no more than 100 items allowed [json-pointer:/blocks]"}},
		{"an unknown field", slacktest.OnMessage, block1("divider", `,"color":"red"`), []string{"invalid additional property: color [json-pointer:/blocks/0]"}},
		{"a long block id", slacktest.OnMessage, block1("divider", `,"block_id":"`+strings.Repeat("x", 256)+`"`), []string{"must be less than 256 characters [json-pointer:/blocks/0/block_id]"}},
		{"a block id used twice", slacktest.OnMessage, "[" + times(2, `{"type":"divider","block_id":"a"}`) + "]", []string{"`block_id` \"a\" already exists [json-pointer:/blocks/1/block_id]"}},
		{"an empty block id used twice", slacktest.OnMessage, "[" + times(2, `{"type":"divider","block_id":""}`) + "]", nil},

		{"a section of 3000", slacktest.OnMessage, block1("section", `,"text":`+txt(3000)), nil},
		{"a section of 3001", slacktest.OnMessage, block1("section", `,"text":`+txt(3001)), []string{"must be less than 3001 characters [json-pointer:/blocks/0/text/text]"}},
		{"an empty section", slacktest.OnMessage, block1("section", `,"text":`+txt(0)), []string{"must be more than 0 characters [json-pointer:/blocks/0/text/text]"}},
		{"a section of nothing", slacktest.OnMessage, block1("section", ""), []string{"missing required field: text [json-pointer:/blocks/0]"}},
		{"a section of 10 fields of 2000", slacktest.OnMessage, block1("section", `,"fields":[`+times(10, txt(1999))+`]`), nil},
		{"a section of 11 fields", slacktest.OnMessage, block1("section", `,"fields":[`+times(11, txt(1))+`]`), []string{"no more than 10 items allowed [json-pointer:/blocks/0/fields]"}},
		{"a long field", slacktest.OnMessage, block1("section", `,"fields":[`+txt(2001)+`]`), []string{"must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]"}},
		{"text that is only a string", slacktest.OnMessage, block1("section", `,"text":"x"`), []string{"must be an object [json-pointer:/blocks/0/text]"}},
		{"text of an unknown kind", slacktest.OnMessage, block1("section", `,"text":{"type":"markdown","text":"x"}`), []string{"unsupported type: markdown [json-pointer:/blocks/0/text/type]"}},
		{"mrkdwn with emoji", slacktest.OnMessage, block1("section", `,"text":{"type":"mrkdwn","text":"x","emoji":true}`), []string{"invalid additional property: emoji [json-pointer:/blocks/0/text]"}},
		{"a text input beside a section", slacktest.OnMessage, block1("section", `,"text":`+txt(1)+`,"accessory":{"type":"plain_text_input"}`), []string{"unsupported type: plain_text_input [json-pointer:/blocks/0/accessory/type]"}},

		{"a header of 151", slacktest.OnMessage, block1("header", `,"text":`+txt(151)), []string{"must be less than 151 characters [json-pointer:/blocks/0/text/text]"}},
		{"a header in mrkdwn", slacktest.OnMessage, block1("header", `,"text":{"type":"mrkdwn","text":"x"}`), []string{"unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]"}},
		{"a context of 11", slacktest.OnMessage, block1("context", `,"elements":[`+times(11, txt(1))+`]`), []string{"no more than 10 items allowed [json-pointer:/blocks/0/elements]"}},
		{"a context of nothing", slacktest.OnMessage, block1("context", `,"elements":[]`), []string{"no less than 1 items allowed [json-pointer:/blocks/0/elements]"}},
		{"a button in a context", slacktest.OnMessage, block1("context", `,"elements":[`+btn+`]`), []string{"unsupported type: button [json-pointer:/blocks/0/elements/0/type]"}},
		{"an image without words", slacktest.OnMessage, block1("image", `,"image_url":"https://x.test/a.png"`), []string{"missing required field: alt_text [json-pointer:/blocks/0]"}},
		{"an image of nothing", slacktest.OnMessage, block1("image", `,"alt_text":"x"`), []string{"must provide exactly one of: image_url, slack_file [json-pointer:/blocks/0]"}},
		{"Markdown of 12001 in two", slacktest.OnMessage, `[{"type":"markdown","text":"` + strings.Repeat("x", 6000) + `"},{"type":"markdown","text":"` + strings.Repeat("x", 6001) + `"}]`, []string{"markdown blocks must be less than 12001 characters together [json-pointer:/blocks]"}},
		{"Markdown in a modal", slacktest.OnModal, block1("markdown", `,"text":"x"`), []string{"unsupported type: markdown [json-pointer:/blocks/0/type]"}},
		{"an alert in a modal", slacktest.OnModal, block1("alert", `,"text":`+txt(1)+`,"level":"info"`), nil},
		{"an alert in a message", slacktest.OnMessage, block1("alert", `,"text":`+txt(1)), []string{"unsupported type: alert [json-pointer:/blocks/0/type]"}},
		{"a table of 101 rows", slacktest.OnMessage, block1("table", `,"rows":[`+times(101, `[{"type":"raw_text","text":"x"}]`)+`]`), []string{"no more than 100 items allowed [json-pointer:/blocks/0/rows]"}},
		{"a table of 21 columns", slacktest.OnMessage, block1("table", `,"rows":[[`+times(21, `{"type":"raw_text","text":"x"}`)+`]]`), []string{"no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"}},
		{"two tables", slacktest.OnMessage, "[" + times(2, `{"type":"table","rows":[[{"type":"raw_text","text":"x"}]]}`) + "]", []string{"only_one_table_allowed [json-pointer:/blocks/1]"}},
		{"a container of 11", slacktest.OnMessage, block1("container", `,"title":`+txt(1)+`,"child_blocks":[`+times(11, `{"type":"divider"}`)+`]`), []string{"no more than 10 items allowed [json-pointer:/blocks/0/child_blocks]"}},

		{"25 elements in actions", slacktest.OnMessage, inActions(times(25, btn)), nil},
		{"26 elements in actions", slacktest.OnMessage, inActions(times(26, btn)), []string{"no more than 25 items allowed [json-pointer:/blocks/0/elements]"}},
		{"a button of 76", slacktest.OnMessage, inActions(`{"type":"button","text":` + txt(76) + `}`), []string{"must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"}},
		{"a button with a value of 2001", slacktest.OnMessage, inActions(`{"type":"button","text":` + txt(1) + `,"value":"` + strings.Repeat("x", 2001) + `"}`), []string{"must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]"}},
		{"a button in green", slacktest.OnMessage, inActions(`{"type":"button","text":` + txt(1) + `,"style":"green"}`), []string{"must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"}},
		{"a button to nowhere", slacktest.OnMessage, inActions(`{"type":"button","text":` + txt(1) + `,"url":"nowhere"}`), []string{"must be a valid url [json-pointer:/blocks/0/elements/0/url]"}},
		{"a long action id", slacktest.OnMessage, inActions(`{"type":"button","text":` + txt(1) + `,"action_id":"` + strings.Repeat("x", 256) + `"}`), []string{"must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]"}},
		{"an action id used twice in a block", slacktest.OnMessage, inActions(times(2, `{"type":"button","action_id":"a","text":`+txt(1)+`}`)), []string{"`action_id` \"a\" already exists [json-pointer:/blocks/0/elements/1/action_id]"}},
		{"an action id used in two blocks", slacktest.OnMessage, "[" + times(2, `{"type":"actions","elements":[{"type":"button","action_id":"a","text":`+txt(1)+`}]}`) + "]", nil},
		{"a confirmation with a long title", slacktest.OnMessage, inActions(`{"type":"button","text":` + txt(1) + `,"confirm":{"title":` + txt(101) + `,"text":` + txt(300) + `,"confirm":` + txt(30) + `,"deny":` + txt(31) + `}}`), []string{
			"must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/deny/text]",
			"must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]",
		}},
		{"an overflow menu of 6", slacktest.OnMessage, inActions(`{"type":"overflow","options":` + opts(6) + `}`), []string{"no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]"}},
		{"11 checkboxes", slacktest.OnModal, inside(`"type":"checkboxes","options":` + opts(11)), []string{"no more than 10 items allowed [json-pointer:/blocks/0/element/options]"}},
		{"a select of 100", slacktest.OnModal, inside(`"type":"static_select","options":` + opts(100)), nil},
		{"a select of 101", slacktest.OnModal, inside(`"type":"static_select","options":` + opts(101)), []string{"no more than 100 items allowed [json-pointer:/blocks/0/element/options]"}},
		{"a select of nothing", slacktest.OnModal, inside(`"type":"static_select"`), []string{"must provide exactly one of: options, option_groups [json-pointer:/blocks/0/element]"}},
		{"a select of options and groups", slacktest.OnModal, inside(`"type":"static_select","options":` + opts(1) + `,"option_groups":[{"label":` + txt(1) + `,"options":` + opts(1) + `}]`), []string{"must provide exactly one of: options, option_groups [json-pointer:/blocks/0/element]"}},
		{"a select that begins with something else", slacktest.OnModal, inside(`"type":"static_select","options":` + opts(2) + `,"initial_option":{"text":` + txt(1) + `,"value":"9"}`), []string{"must exactly match one of the provided options [json-pointer:/blocks/0/element/initial_option]"}},
		{"a select that begins with one of a group", slacktest.OnModal, inside(`"type":"static_select","option_groups":[{"label":` + txt(75) + `,"options":` + opts(2) + `}],"initial_option":{"text":` + txt(1) + `,"value":"1"}`), nil},
		{"a long option", slacktest.OnModal, inside(`"type":"radio_buttons","options":[{"text":` + txt(76) + `,"value":"` + strings.Repeat("x", 151) + `","description":` + txt(76) + `}]`), []string{
			"must be less than 76 characters [json-pointer:/blocks/0/element/options/0/description/text]",
			"must be less than 76 characters [json-pointer:/blocks/0/element/options/0/text/text]",
			"must be less than 151 characters [json-pointer:/blocks/0/element/options/0/value]",
		}},
		{"a radio button in mrkdwn", slacktest.OnModal, inside(`"type":"radio_buttons","options":[{"text":{"type":"mrkdwn","text":"*x*"},"value":"1"}]`), nil},
		{"a select in mrkdwn", slacktest.OnModal, inside(`"type":"static_select","options":[{"text":{"type":"mrkdwn","text":"*x*"},"value":"1"}]`), []string{"unsupported type: mrkdwn [json-pointer:/blocks/0/element/options/0/text/type]"}},
		{"a link in a select's option", slacktest.OnModal, inside(`"type":"static_select","options":[{"text":` + txt(1) + `,"value":"1","url":"https://x.test"}]`), []string{"invalid additional property: url [json-pointer:/blocks/0/element/options/0]"}},
		{"a button in an input", slacktest.OnModal, inside(`"type":"button","text":` + txt(1)), []string{"unsupported type: button [json-pointer:/blocks/0/element/type]"}},
		{"a long label, hint and placeholder", slacktest.OnModal, block1("input", `,"label":`+txt(2001)+`,"hint":`+txt(2001)+`,"element":{"type":"plain_text_input","placeholder":`+txt(151)+`}`), []string{
			"must be less than 151 characters [json-pointer:/blocks/0/element/placeholder/text]",
			"must be less than 2001 characters [json-pointer:/blocks/0/hint/text]",
			"must be less than 2001 characters [json-pointer:/blocks/0/label/text]",
		}},
		{"a text input that wants 3001", slacktest.OnModal, inside(`"type":"plain_text_input","max_length":3001,"min_length":-1`), []string{
			"must be less than or equal to 3000 [json-pointer:/blocks/0/element/max_length]",
			"must be greater than or equal to 0 [json-pointer:/blocks/0/element/min_length]",
		}},
		{"a text input that wants more than it takes", slacktest.OnModal, inside(`"type":"plain_text_input","max_length":3,"min_length":4`), []string{"must be less than or equal to max_length [json-pointer:/blocks/0/element/min_length]"}},
		{"a date that there is not", slacktest.OnModal, inside(`"type":"datepicker","initial_date":"2026-02-30"`), []string{"must be a valid date [json-pointer:/blocks/0/element/initial_date]"}},
		{"a time that there is not", slacktest.OnModal, inside(`"type":"timepicker","initial_time":"25:00"`), []string{"must be a valid time [json-pointer:/blocks/0/element/initial_time]"}},
		{"a number that is none", slacktest.OnModal, inside(`"type":"number_input","initial_value":"x"`), []string{
			"must be a valid number [json-pointer:/blocks/0/element/initial_value]",
			"missing required field: is_decimal_allowed [json-pointer:/blocks/0/element]",
		}},
		{"a mail input in a message", slacktest.OnMessage, inside(`"type":"email_text_input"`), []string{"unsupported type: email_text_input [json-pointer:/blocks/0/element/type]"}},
		{"the focus twice", slacktest.OnModal, "[" + times(2, `{"type":"input","label":`+txt(1)+`,"element":{"type":"plain_text_input","focus_on_load":true}}`) + "]", []string{"only one element may have `focus_on_load` [json-pointer:/blocks/1/element/focus_on_load]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, err := range slacktest.Validate(tt.on, []byte(tt.blocks)) {
				got = append(got, strings.TrimPrefix(err.Error(), "[ERROR] "))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Validate(%s) (-want +got):\n%s", tt.on, diff)
			}
		})
	}
}

func TestValidateView(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, view string
		want       []string
	}{
		{"a form", modalJSON("T", oneField, `,"callback_id":"c","clear_on_close":true`), nil},
		{"a Home tab", `{"type":"home","blocks":[]}`, nil},
		{"no object", `[]`, []string{"must be an object [json-pointer:/view]"}},
		{"no type", `{}`, []string{"missing required field: type [json-pointer:/view]"}},
		{"an unknown type", `{"type":"drawer"}`, []string{"unsupported type: drawer [json-pointer:/view/type]"}},
		{"a modal without a title", `{"type":"modal","blocks":[]}`, []string{"missing required field: title [json-pointer:/view]"}},
		{"a Home tab with a title", `{"type":"home","blocks":[],"title":` + txt(1) + `}`, []string{"invalid additional property: title [json-pointer:/view]"}},
		{"an input without a submit button", `{"type":"modal","title":` + txt(1) + `,"blocks":[{"type":"divider"},` + oneField[1:] + `}`, []string{"must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/1/input]"}},
		{"long words everywhere", `{"type":"modal","title":` + txt(25) + `,"submit":` + txt(25) + `,"close":` + txt(25) + `,"callback_id":"` + strings.Repeat("x", 256) + `","private_metadata":"` + strings.Repeat("x", 3001) + `","external_id":"` + strings.Repeat("x", 256) + `","blocks":[]}`, []string{
			"must be less than 256 characters [json-pointer:/view/callback_id]",
			"must be less than 25 characters [json-pointer:/view/close/text]",
			"must be less than 256 characters [json-pointer:/view/external_id]",
			"must be less than 3001 characters [json-pointer:/view/private_metadata]",
			"must be less than 25 characters [json-pointer:/view/submit/text]",
			"must be less than 25 characters [json-pointer:/view/title/text]",
		}},
		{"a block that is wrong", `{"type":"modal","title":` + txt(1) + `,"blocks":[{"type":"markdown","text":"x"}]}`, []string{"unsupported type: markdown [json-pointer:/view/blocks/0/type]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, err := range slacktest.ValidateView([]byte(tt.view)) {
				got = append(got, strings.TrimPrefix(err.Error(), "[ERROR] "))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("ValidateView() (-want +got):\n%s", diff)
			}
		})
	}
}

// What slack-go's constructors make is taken, with every field that they set.
func TestValidateTakesWhatSlackGoMakes(t *testing.T) {
	t.Parallel()
	plain := func(s string) *slack.TextBlockObject { return slack.NewTextBlockObject("plain_text", s, true, false) }
	mrkdwn := slack.NewTextBlockObject("mrkdwn", "*x*", false, true)
	o := slack.NewOptionBlockObject("1", plain("one"), plain("first"))
	confirm := slack.NewConfirmationBlockObject(plain("Sure?"), mrkdwn, plain("Yes"), plain("No"))
	blocks := []slack.Block{
		slack.NewHeaderBlock(plain("head")),
		slack.NewDividerBlock(),
		slack.NewSectionBlock(mrkdwn, []*slack.TextBlockObject{plain("a"), mrkdwn}, slack.NewAccessory(slack.NewOverflowBlockElement("o", o))),
		slack.NewContextBlock("ctx", plain("a"), slack.NewImageBlockElement("https://x.test/a.png", "a")),
		slack.NewImageBlock("https://x.test/a.png", "a", "img", plain("title")),
		slack.NewActionBlock("acts",
			slack.NewButtonBlockElement("b", "v", plain("Go")).WithStyle(slack.StylePrimary).WithConfirm(confirm).WithURL("https://x.test"),
			slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain("Pick"), "s", o),
			slack.NewOptionsSelectBlockElement(slack.OptTypeUser, plain("Who"), "u"),
			slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeStatic, plain("Pick"), "m", o),
			slack.NewDatePickerBlockElement("d"), slack.NewTimePickerBlockElement("t"), slack.NewDateTimePickerBlockElement("dt"),
			slack.NewCheckboxGroupsBlockElement("c", o), slack.NewRadioButtonsBlockElement("r", o),
		),
		slack.NewInputBlock("in", plain("Label"), plain("Hint"), slack.NewPlainTextInputBlockElement(plain("Type"), "p").WithMultiline(true).WithMaxLength(100).WithInitialValue("x")),
		slack.NewRichTextBlock("rt", slack.NewRichTextSection(slack.NewRichTextSectionTextElement("x", nil))),
		slack.NewMarkdownBlock("md", "**x**"),
	}
	if errs := slacktest.Validate(slacktest.OnMessage, must(json.Marshal(blocks))); errs != nil {
		t.Errorf("Validate() = %v", errs)
	}
	view := slack.ModalViewRequest{
		Type: slack.VTModal, Title: plain("T"), Submit: plain("Send"), Close: plain("Back"), PrivateMetadata: "pm", CallbackID: "c", NotifyOnClose: true,
		Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewInputBlock("a", plain("L"), nil, slack.NewNumberInputBlockElement(plain("n"), "n", true)),
			slack.NewInputBlock("b", plain("L"), nil, slack.NewEmailTextInputBlockElement(plain("n"), "e")),
			slack.NewInputBlock("c", plain("L"), nil, slack.NewURLTextInputBlockElement(plain("n"), "u")),
			slack.NewInputBlock("d", plain("L"), nil, slack.NewFileInputBlockElement("f").WithMaxFiles(2)),
			slack.NewInputBlock("e", plain("L"), nil, slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, plain("x"), "x")),
			slack.NewAlertBlock(mrkdwn),
		}},
	}
	if errs := slacktest.ValidateView(must(json.Marshal(view))); errs != nil {
		t.Errorf("ValidateView() = %v", errs)
	}
}

func FuzzValidate(f *testing.F) {
	for _, s := range []string{
		section, oneField, `[{"type":"table","rows":[[null]]}]`, `[{"type":"container","child_blocks":[{"type":"section"}]}]`, `{`,
		`[{"type":"carousel","elements":[{"type":"card","actions":[{}]}]}]`, `[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[1]}]}]`,
		inActions(`{"type":"static_select","options":` + opts(2) + `,"initial_option":7}`), `[{"type":"section","fields":{}}]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, on := range []slacktest.Surface{slacktest.OnMessage, slacktest.OnModal, slacktest.OnHome} {
			errs := slacktest.Validate(on, b)
			view := slacktest.ValidateView([]byte(modalJSON("T", string(b), "")))
			if on == slacktest.OnModal && len(errs) == 0 && json.Valid(b) != (len(view) == 0) {
				t.Errorf("the blocks are taken, and the view around them is not: %v", view)
			}
			for _, err := range errs {
				if !strings.HasPrefix(err.Error(), "[ERROR] ") || !strings.Contains(err.Error(), "[json-pointer:/blocks") {
					t.Errorf("an error without a place: %v", err)
				}
			}
		}
	})
}
