package teamstest

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What follows is the schema of adaptivecards.io, 1.5.0, in a table. Media is
// left out: page "Types of cards" says that Teams shows none.

// A thing is an object of one type.
type thing struct {
	since int  // minor version that brought it
	typed bool // it must say its type
	props map[string]property
	also  func(j *judge, at string, m map[string]any)
}

// A property is what one key may hold.
type property struct {
	is    func(j *judge, at string, v any)
	since int
	need  bool
}

func (p property) needed() property      { p.need = true; return p }
func (p property) of(minor int) property { p.since = minor; return p }

var things map[string]thing

var (
	elements = names("TextBlock Image RichTextBlock ActionSet Container ColumnSet FactSet ImageSet Table " + inputKinds)
	actions  = names("Action.Execute Action.Submit Action.OpenUrl Action.ShowCard Action.ToggleVisibility")
	// selectable: schema, ImplementationsOf.ISelectAction.
	selectable = names("Action.Execute Action.Submit Action.OpenUrl Action.ToggleVisibility")
	// inDialog: Action.Execute makes an adaptiveCard/action invoke, for which a
	// dialog is no message.
	inDialog = names("Action.Submit Action.OpenUrl Action.ShowCard Action.ToggleVisibility")
)

const inputKinds = "Input.Text Input.Number Input.Date Input.Time Input.Toggle Input.ChoiceSet"

func names(s string) map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(s) {
		m[n] = true
	}
	return m
}

func is(f func(j *judge, at string, v any)) property { return property{is: f} }

func moment(layout string) property {
	return is(func(j *judge, at string, v any) {
		s, _ := v.(string)
		if _, err := time.Parse(layout, s); err != nil {
			j.refuse(at, "%q is not written as %s", s, layout)
		}
	})
}

// choice is one of a few words; upper and lower case are the same.
func choice(of string) property {
	allowed := strings.Fields(of)
	return is(func(j *judge, at string, v any) {
		s, _ := v.(string)
		if !slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, s) }) {
			j.refuse(at, "is %v and not one of %s", v, of)
		}
	})
}

func matching(pattern, what string) property {
	re := regexp.MustCompile(pattern)
	return is(func(j *judge, at string, v any) {
		if s, _ := v.(string); !re.MatchString(s) {
			j.refuse(at, "%v is not %s", v, what)
		}
	})
}

// many is a list, of at least one.
func many(p property) property {
	return is(func(j *judge, at string, v any) {
		l, ok := v.([]any)
		if !ok || len(l) == 0 {
			j.refuse(at, "is not a list, or empty")
		}
		for i, v := range l {
			p.is(j, at+"/"+strconv.Itoa(i), v)
		}
	})
}

// some is a list that may be empty.
func some(p property) property {
	full := many(p)
	return is(func(j *judge, at string, v any) {
		if l, ok := v.([]any); !ok || len(l) > 0 {
			full.is(j, at, v)
		}
	})
}

// a is an object of this type, which need not say so.
func a(typ string) property {
	return is(func(j *judge, at string, v any) {
		m, ok := v.(map[string]any)
		if !ok {
			j.refuse(at, "is not an object")
			return
		}
		j.object(at, m, typ)
	})
}

// instead is a fallback: "drop", or what older clients show.
func instead(p property) property {
	return is(func(j *judge, at string, v any) {
		if v == "drop" {
			return
		}
		j.aside++
		p.is(j, at, v)
		j.aside--
	})
}

type props = map[string]property

func join(parts ...props) props {
	all := props{}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

// init, because things refer to one another.
func init() {
	str := is(isText)
	words := is(isWords)
	spoken := is(isSpoken)
	boolean := is(isBool)
	number := is(isNumber)
	count := is(isCount)
	date := moment("2006-01-02")
	clock := moment("15:04")
	element := is(isAnyElement)
	action := is(isAnyAction)
	tap := is(isTap)
	style := choice("default emphasis good attention warning accent")
	across := choice("left center right")
	down := choice("top center bottom")
	space := choice("default none small medium large extraLarge padding")
	size := choice("default small medium large extraLarge")
	weight := choice("default lighter bolder")
	color := choice("default dark light accent good warning attention")
	font := choice("default monospace")
	pixels := matching(`^\d+px$`, `pixels like "80px"`)
	stretch := choice("auto stretch")
	inputs := choice("auto none")
	picture := is(isPicture)
	link := is(isLink)
	background := is(isBackground)
	width := is(isWidth)
	id := is(isID)
	requires := is(isRequires)
	object := is(isObject)

	base := props{
		"fallback": instead(element).of(2), "height": stretch.of(1), "separator": boolean, "spacing": space,
		"id": id, "isVisible": boolean.of(2), "requires": requires.of(2),
	}
	box := props{
		"items": some(element), "selectAction": tap.of(1), "style": style, "verticalContentAlignment": down.of(1),
		"bleed": boolean.of(2), "backgroundImage": background.of(2), "minHeight": pixels.of(2), "rtl": boolean.of(5),
	}
	input := join(base, props{
		"id": id.needed(), "errorMessage": words.of(3), "isRequired": boolean.of(3), "label": words.of(3),
	})
	act := props{
		"title": words, "iconUrl": picture.of(1), "id": str, "style": choice("default positive destructive").of(2),
		"fallback": instead(action).of(2), "tooltip": words.of(5), "isEnabled": boolean.of(5),
		"mode": choice("primary secondary").of(5), "requires": requires.of(2),
	}
	text := props{
		"color": color, "fontType": font.of(2), "isSubtle": boolean, "size": size, "weight": weight,
	}
	aligned := props{"horizontalCellContentAlignment": across, "verticalCellContentAlignment": down}

	things = map[string]thing{
		"AdaptiveCard": {typed: true, also: alsoCard, props: props{
			"version": str, "refresh": a("Refresh").of(4), "body": some(element), "actions": some(action),
			"selectAction": tap.of(1), "fallbackText": str, "backgroundImage": background, "minHeight": pixels.of(2),
			"rtl": boolean.of(5), "speak": str, "lang": matching(`^[a-z]{2}(-[A-Za-z]+)?$`, "a language"),
			"verticalContentAlignment": down.of(1), "$schema": str, "msteams": a("msteams"),
		}},
		"Refresh": {also: alsoRefresh, props: props{
			"action": a("Action.Execute").needed(), "userIds": some(words), "expires": str.of(5),
		}},
		"msteams": {props: props{"width": choice("full"), "entities": some(a("mention"))}},
		"mention": {typed: true, props: props{
			"text": matching(`^<at>.+</at>$`, "<at>name</at>").needed(), "mentioned": a("mentioned").needed(),
		}},
		"mentioned": {props: props{"id": words.needed(), "name": words.needed()}},

		"TextBlock": {typed: true, also: noBlank, props: join(base, text, props{
			"text": spoken.needed(), "horizontalAlignment": across, "maxLines": count, "wrap": boolean,
			"style": choice("default heading").of(5),
		})},
		"RichTextBlock": {since: 2, typed: true, props: join(base, props{"inlines": many(is(isInline)).needed(), "horizontalAlignment": across})},
		"TextRun": {since: 2, typed: true, props: join(text, props{
			"text": str.needed(), "highlight": boolean, "italic": boolean, "selectAction": tap, "strikethrough": boolean,
			"underline": boolean.of(3),
		})},
		"Image": {typed: true, props: join(base, props{
			"url": picture.needed(), "altText": words.needed(), "backgroundColor": str, "horizontalAlignment": across, "selectAction": tap.of(1),
			"size": choice("auto stretch small medium large"), "style": choice("default person"), "width": pixels.of(1),
			"height": matching(`^(auto|stretch|\d+px)$`, "a height").of(1), "msteams": a("expandable"),
		})},
		// Page "Format cards in Teams", "Stageview for images in Adaptive Cards".
		"expandable": {props: props{"allowExpand": boolean}},
		"BackgroundImage": {props: props{
			"url": picture.needed(), "fillMode": choice("cover repeatHorizontally repeatVertically repeat"),
			"horizontalAlignment": across, "verticalAlignment": down,
		}},
		"ActionSet": {since: 2, typed: true, also: alsoActions, props: join(base, props{"actions": many(action).needed()})},
		"Container": {typed: true, props: join(base, box, props{"items": some(element).needed()})},
		"ColumnSet": {typed: true, props: join(base, props{
			"columns": many(a("Column")), "selectAction": tap.of(1), "style": style.of(2), "bleed": boolean.of(2),
			"minHeight": pixels.of(2), "horizontalAlignment": across,
		})},
		"Column":  {props: join(base, box, props{"width": width, "fallback": instead(a("Column")).of(2)})},
		"FactSet": {typed: true, props: join(base, props{"facts": many(a("Fact")).needed()})},
		"Fact":    {props: props{"title": words.needed(), "value": spoken.needed()}},
		"ImageSet": {typed: true, props: join(base, props{
			"images": many(a("Image")).needed(), "imageSize": choice("auto stretch small medium large"),
		})},
		// The schema says firstRowAsHeader, the renderer that Teams is made of
		// firstRowAsHeaders.
		"Table": {since: 5, typed: true, also: alsoTable, props: join(base, aligned, props{
			"columns": many(a("TableColumnDefinition")).needed(), "rows": many(a("TableRow")).needed(), "firstRowAsHeader": boolean,
			"firstRowAsHeaders": boolean, "showGridLines": boolean, "gridStyle": style,
		})},
		"TableColumnDefinition": {since: 5, props: join(aligned, props{"width": width})},
		"TableRow":              {since: 5, typed: true, props: join(aligned, props{"cells": many(a("TableCell")).needed(), "style": style})},
		"TableCell":             {since: 5, typed: true, props: join(box, props{"items": some(element).needed()})},

		"Input.Text": {typed: true, also: alsoText, props: join(input, props{
			"isMultiline": boolean, "maxLength": count, "placeholder": str, "regex": str.of(3),
			"style": choice("text tel url email password"), "inlineAction": tap.of(2), "value": str,
		})},
		"Input.Number": {typed: true, also: alsoInput, props: join(input, props{"max": number, "min": number, "placeholder": str, "value": number})},
		"Input.Date":   {typed: true, also: alsoInput, props: join(input, props{"max": date, "min": date, "placeholder": str, "value": date})},
		"Input.Time":   {typed: true, also: alsoInput, props: join(input, props{"max": clock, "min": clock, "placeholder": str, "value": clock})},
		"Input.Toggle": {typed: true, also: alsoToggle, props: join(input, props{
			"title": words.needed(), "value": str, "valueOff": str, "valueOn": str, "wrap": boolean.of(2),
		})},
		"Input.ChoiceSet": {typed: true, also: alsoChoices, props: join(input, props{
			"choices": some(a("Input.Choice")), "isMultiSelect": boolean, "style": choice("compact expanded filtered"),
			"value": str, "placeholder": str, "wrap": boolean.of(2), "choices.data": a("Data.Query"),
		})},
		"Input.Choice": {props: props{"title": words.needed(), "value": words.needed()}},
		// Pages "Typeahead search in Adaptive Cards" and "People Picker in Adaptive
		// Cards".
		"Data.Query": {typed: true, props: props{"dataset": words.needed(), "associatedInputs": inputs}},

		"Action.Execute": {since: 4, typed: true, also: alsoExecute, props: join(act, props{
			"verb": words.needed(), "data": object, "associatedInputs": inputs,
		})},
		"Action.Submit": {typed: true, also: alsoSubmit, props: join(act, props{
			"data": object, "associatedInputs": inputs.of(3), "msteams": a("feedback"),
		})},
		// Page "Card actions", "Form completion feedback".
		"feedback":        {props: props{"feedback": a("hidden")}},
		"hidden":          {props: props{"hide": boolean}},
		"Action.OpenUrl":  {typed: true, also: titled, props: join(act, props{"url": link.needed()})},
		"Action.ShowCard": {typed: true, also: alsoShow, props: join(act, props{"card": a("AdaptiveCard").needed()})},
		"Action.ToggleVisibility": {since: 2, typed: true, also: titled, props: join(act, props{
			"targetElements": many(is(isTarget)).needed(),
		})},
		"TargetElement": {props: props{"elementId": words.needed(), "isVisible": boolean}, also: func(j *judge, at string, m map[string]any) {
			s, _ := m["elementId"].(string)
			j.toggles = append(j.toggles, toggled{at, s})
		}},
	}
}
