package cards

import (
	"fmt"
	"strconv"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/cmdb"
)

func itemArgs(i cmdb.Item) chat.Args { return args("i", int64(i.ID), i.Version) }

// itemActions are what can be done with an item: seen by everybody, changed by
// some.
func (v ItemView) itemActions() []chat.Block {
	var a chat.Actions
	if v.Picture != "" {
		a.Buttons = append(a.Buttons, chat.Button{Label: "Show graph", Action: OpenPage, URL: v.Picture, Name: "Show the graph around " + v.Key})
	}
	if v.MayEdit {
		a.Buttons = append(a.Buttons, chat.Button{Label: "Edit…", Action: EditItem, Args: itemArgs(v.Item), Form: true, Name: "Edit " + v.Key})
		a.Menu = []chat.Button{{Label: "What it hangs on…", Action: Relations, Args: itemArgs(v.Item), Form: true, Name: "What " + v.Key + " hangs on"}}
	}
	if len(a.Buttons) == 0 {
		return nil
	}
	return []chat.Block{a}
}

var stateWords = map[cmdb.State]string{cmdb.Planned: "Planned", cmdb.Live: "Live", cmdb.Retired: "Retired: nothing may be planned on it"}

// EditItemForm changes an item; owner is the account of whoever answers for it.
func EditItemForm(i cmdb.Item, owner string) chat.Form {
	var states, tiers []chat.Option
	for _, s := range cmdb.States {
		states = append(states, chat.Option{Value: string(s), Label: stateWords[s]})
	}
	for n := cmdb.MostVital; n <= cmdb.LeastVital; n++ {
		tiers = append(tiers, chat.Option{Value: strconv.Itoa(n), Label: fmt.Sprintf("%d, %s", n, tierWords[n])})
	}
	return chat.Form{Action: EditItem, Args: itemArgs(i), Title: short("Edit "+i.Key, 24), Submit: "Save", Close: "Cancel",
		Intro: []chat.Block{chat.Section{Text: chat.Join(chat.B(i.Key), chat.T("  "+i.Name))}},
		Fields: []chat.Field{
			{Name: "person", Label: "Who answers for it?", Input: chat.Person, Value: one(owner), Optional: true},
			{Name: "state", Label: "State", Input: chat.Select, Options: states, Value: one(string(i.State))},
			{Name: "tier", Label: "How vital is it?", Input: chat.Select, Options: tiers, Value: one(strconv.Itoa(i.Tier))},
			{Name: "description", Label: "What should others know of it?", Input: chat.Paragraph, Max: cmdb.MostDescription, Value: one(i.Description), Optional: true},
		}}
}

// RelationLine is a relation that begins at the item of a form.
type RelationLine struct {
	Kind  cmdb.Kind
	Other cmdb.Item
}

// mostRelations is how many relations a form shows; the rest are for a file.
const mostRelations = 40

// RelationsForm shows what an item hangs on, and adds to it. said is what was
// done last.
func RelationsForm(i cmdb.Item, all []RelationLine, said string) chat.Form {
	f := chat.Form{Action: Relations, Args: itemArgs(i), Title: short("About "+i.Key, 24), Submit: "Add", Close: "Close"}
	if said != "" {
		f.Intro = append(f.Intro, chat.Note{Text: chat.T(said)})
	}
	for _, r := range all[:min(len(all), mostRelations)] {
		words := i.Key + " " + r.Kind.Words() + " " + r.Other.Key
		f.Intro = append(f.Intro, chat.Row{Text: chat.T(words), Button: chat.Button{Label: "Remove", Action: Unrelate, Form: true,
			Args: with(with(itemArgs(i), "o", strconv.FormatInt(int64(r.Other.ID), 10)), "k", string(r.Kind)), Name: "Remove: " + words}})
	}
	if n := len(all) - mostRelations; n > 0 {
		f.Intro = append(f.Intro, chat.Note{Text: chat.T(fmt.Sprintf("and %d more, which an import can change", n))})
	}
	var kinds []chat.Option
	for _, k := range cmdb.Kinds {
		kinds = append(kinds, chat.Option{Value: string(k), Label: i.Key + " " + k.Words() + " …"})
	}
	f.Fields = []chat.Field{
		{Name: "kind", Label: "How?", Input: chat.Select, Options: kinds, Value: one(string(cmdb.DependsOn))},
		{Name: ItemField, Label: "Item", Input: chat.Search, Hint: "Type a few letters of its name."},
	}
	return f
}
