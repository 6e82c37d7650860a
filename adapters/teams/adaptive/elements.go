package adaptive

import "encoding/json"

// The elements of Adaptive Cards 1.5 that the desk uses, as
// adaptivecards.io/explorer describes them.

const (
	schema  = "http://adaptivecards.io/schemas/adaptive-card.json"
	version = "1.5" // the newest that Teams takes from bots
)

type card struct {
	Type     string    `json:"type"`
	Schema   string    `json:"$schema"`
	Version  string    `json:"version"`
	Fallback string    `json:"fallbackText,omitempty"`
	Speak    string    `json:"speak,omitempty"`
	Refresh  *refresh  `json:"refresh,omitempty"`
	Body     []element `json:"body"`
	Actions  []action  `json:"actions,omitempty"`
	Teams    teams     `json:"msteams"`
}

func newCard() card {
	return card{Type: "AdaptiveCard", Schema: schema, Version: version, Teams: teams{Width: "Full"}}
}

// teams is what Teams adds to a card.
type teams struct {
	Width    string    `json:"width,omitempty"`
	Entities []mention `json:"entities,omitempty"`
}

type mention struct {
	Type      string    `json:"type"`
	Text      string    `json:"text"` // as it stands in a TextBlock or a fact
	Mentioned mentioned `json:"mentioned"`
}

type mentioned struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type refresh struct {
	Action  action   `json:"action"`
	UserIDs []string `json:"userIds"`
}

// element is anything that stands in a body.
type element interface{ all() *common }

// common is what every element has.
type common struct {
	Type      string `json:"type"`
	ID        string `json:"id,omitempty"`
	Spacing   string `json:"spacing,omitempty"`
	Separator bool   `json:"separator,omitempty"`
	Visible   *bool  `json:"isVisible,omitempty"`
}

func (c *common) all() *common { return c }

type textBlock struct {
	common
	Text   string `json:"text"`
	Wrap   bool   `json:"wrap"`
	Style  string `json:"style,omitempty"`
	Size   string `json:"size,omitempty"`
	Weight string `json:"weight,omitempty"`
	Color  string `json:"color,omitempty"`
	Subtle bool   `json:"isSubtle,omitempty"`
}

type richTextBlock struct {
	common
	Inlines []textRun `json:"inlines"`
}

type textRun struct {
	Type   string  `json:"type"`
	Text   string  `json:"text"`
	Size   string  `json:"size,omitempty"`
	Weight string  `json:"weight,omitempty"`
	Font   string  `json:"fontType,omitempty"`
	Italic bool    `json:"italic,omitempty"`
	Strike bool    `json:"strikethrough,omitempty"`
	Subtle bool    `json:"isSubtle,omitempty"`
	Select *action `json:"selectAction,omitempty"`
}

type factSet struct {
	common
	Facts []fact `json:"facts"`
}

type fact struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

type container struct {
	common
	Style string    `json:"style,omitempty"`
	Items []element `json:"items"`
}

type columnSet struct {
	common
	Columns []column `json:"columns"`
}

type column struct {
	Type  string    `json:"type"`
	Width string    `json:"width"`
	Align string    `json:"verticalContentAlignment,omitempty"`
	Items []element `json:"items"`
}

type image struct {
	common
	URL string `json:"url"`
	Alt string `json:"altText"`
}

type actionSet struct {
	common
	Actions []action `json:"actions"`
}

type action struct {
	Type       string   `json:"type"`
	Title      string   `json:"title,omitempty"`
	Tooltip    string   `json:"tooltip,omitempty"`
	Style      string   `json:"style,omitempty"`
	Mode       string   `json:"mode,omitempty"`
	Verb       string   `json:"verb,omitempty"`
	URL        string   `json:"url,omitempty"`
	Data       *data    `json:"data,omitempty"`
	Associated string   `json:"associatedInputs,omitempty"`
	Targets    []string `json:"targetElements,omitempty"`
	Fallback   *action  `json:"fallback,omitempty"`
}

// input is any of the inputs; they have most properties in common.
type input struct {
	common
	Label       string   `json:"label,omitempty"`
	Placeholder string   `json:"placeholder,omitempty"`
	Value       string   `json:"value,omitempty"`
	Required    bool     `json:"isRequired,omitempty"`
	Error       string   `json:"errorMessage,omitempty"`
	Multiline   bool     `json:"isMultiline,omitempty"`
	MaxLength   int      `json:"maxLength,omitempty"`
	Style       string   `json:"style,omitempty"`
	Multi       bool     `json:"isMultiSelect,omitempty"`
	Wrap        bool     `json:"wrap,omitempty"`
	Choices     []choice `json:"choices,omitempty"`
	Query       *query   `json:"choices.data,omitempty"`
}

type choice struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

type query struct {
	Type    string `json:"type"`
	Dataset string `json:"dataset"`
}

func kind(k string) common { return common{Type: k} }

// encode writes v; everything here always marshals.
func encode(v any) json.RawMessage {
	js, err := json.Marshal(v)
	if err != nil {
		panic("adaptive: " + err.Error())
	}
	return js
}
