package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// mayEditItem tells whether the actor may change an item: who owns it, whose team
// looks after it, and admins; of one that nobody has, every agent.
func (t *turn) mayEditItem(it cmdb.Item) bool {
	switch {
	case t.who.Left || t.who.Guest:
		return false
	case t.who.Admin, it.Owner != 0 && it.Owner == t.who.ID, it.Team != 0 && t.who.AgentOf(it.Team):
		return true
	}
	return it.Owner == 0 && it.Team == 0 && t.who.Agent()
}

// ownItem is the item of a button or form, locked, for whoever may change it.
func (t *turn) ownItem(ctx context.Context) (cmdb.Item, error) {
	it, err := t.tx.ItemForUpdate(ctx, cmdb.ItemID(t.id("i")))
	if err != nil {
		return it, orUnknown(err, "item")
	}
	if t.mayEditItem(it) {
		return it, nil
	}
	names, err := t.tx.People(ctx, it.Owner)
	if err != nil {
		return it, err
	}
	var who []string
	if it.Owner != 0 {
		who = append(who, names[it.Owner].Name)
	}
	if it.Team != 0 {
		who = append(who, "the team "+t.rules.team(it.Team).Name)
	}
	return it, &ticket.RefusedError{Step: "change", Reason: "that is for " + strings.Join(append(who, "admins"), ", ")}
}

// editItem opens the form for an item.
func (t *turn) editItem(ctx context.Context) error {
	it, err := t.ownItem(ctx)
	if err != nil {
		return err
	}
	f := cards.EditItemForm(it, t.ownerAccount(ctx, it))
	t.answer.Form = &f
	return nil
}

// ownerAccount is the account of an item's owner where the actor is; empty if
// there is none.
func (t *turn) ownerAccount(ctx context.Context, it cmdb.Item) string {
	if it.Owner == 0 {
		return ""
	}
	at, err := t.accountOn(ctx, it.Owner, t.ev.By.Platform, t.ev.By.Workspace)
	if err != nil {
		return ""
	}
	return at.ID
}

func (t *turn) editItemSend(ctx context.Context) error {
	was, err := t.ownItem(ctx)
	if err != nil {
		return err
	}
	if strconv.Itoa(was.Version) != t.ev.Args["v"] {
		t.answer.Errors = map[string]string{"state": "Somebody has changed " + was.Key + " since you opened this. Close it, and look at how it is now."}
		return nil
	}
	is, v, wrong := was, t.ev.Values, map[string]string{}
	is.State = cmdb.State(v.One("state"))
	if !slices.Contains(cmdb.States, is.State) {
		wrong["state"] = "Please choose one of these."
	}
	if is.Tier, err = strconv.Atoi(v.One("tier")); err != nil || is.Tier < cmdb.MostVital || is.Tier > cmdb.LeastVital {
		wrong["tier"] = "Please choose one of these."
	}
	is.Description = strings.TrimSpace(v.One("description"))
	if len([]rune(is.Description)) > cmdb.MostDescription {
		wrong["description"] = "That is longer than fits here. Put the rest into a document and give its address."
	}
	switch id := v.One("person"); {
	case id != "":
		who, _, err := t.tx.Actor(ctx, t.ev.By.Platform, t.ev.By.Workspace, id)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			wrong["person"] = "I don't know this account yet. Please try again in a moment."
		case err != nil:
			return err
		case who.Guest || who.Left:
			wrong["person"] = "This person can't answer for it."
		default:
			is.Owner = who.ID
		}
	case t.ownerAccount(ctx, was) != "": // who was shown has been taken out
		is.Owner = 0
	}
	if len(wrong) > 0 {
		t.answer.Errors = wrong
		return nil
	}
	if is == was {
		return t.private(ctx, "Nothing of "+was.Key+" was changed.")
	}
	if err := t.tx.SaveItem(ctx, was, is, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	t.itemsEdited = true
	t.ev.InCall = false // the form closes, and the words stay
	return t.private(ctx, is.Key+" is changed. An import that says otherwise will ask first.")
}

// relations opens the form for what an item hangs on.
func (t *turn) relations(ctx context.Context) error {
	it, err := t.ownItem(ctx)
	if err != nil {
		return err
	}
	return t.relationsForm(ctx, it, "")
}

func (t *turn) relationsForm(ctx context.Context, it cmdb.Item, said string) error {
	found, err := t.tx.RelationsOf(ctx, it.ID)
	if err != nil {
		return err
	}
	var lines []cards.RelationLine
	for _, r := range found {
		lines = append(lines, cards.RelationLine{Kind: r.Kind, Other: r.Other})
	}
	f := cards.RelationsForm(it, lines, said)
	t.answer.Form = &f
	return nil
}

// relate adds a relation and tells of a circle that it closes.
func (t *turn) relate(ctx context.Context) error {
	it, err := t.ownItem(ctx)
	if err != nil {
		return err
	}
	g, err := t.graph(ctx)
	if err != nil {
		return err
	}
	n, _ := strconv.ParseInt(t.ev.Values.One(cards.ItemField), 10, 64)
	other, ok := g.Item(cmdb.ItemID(n))
	kind := cmdb.Kind(t.ev.Values.One("kind"))
	switch {
	case !ok:
		t.answer.Errors = map[string]string{cards.ItemField: "Please choose an item from the list."}
		return nil
	case other.ID == it.ID:
		t.answer.Errors = map[string]string{cards.ItemField: it.Key + " can't be related to itself."}
		return nil
	case !slices.Contains(cmdb.Kinds, kind):
		t.answer.Errors = map[string]string{"kind": "Please choose one of these."}
		return nil
	}
	circle := g.Circle(cmdb.Relation{From: it.ID, To: other.ID, Kind: kind})
	added, err := t.tx.Relate(ctx, it, other, kind, true, t.who.ID, t.via(), t.at)
	if err != nil {
		return err
	}
	t.itemsEdited = added
	said := fmt.Sprintf("%s %s %s.", it.Key, kind.Words(), other.Key)
	switch {
	case !added:
		said = "That was so already."
	case circle != nil:
		var keys []string
		for _, c := range circle {
			keys = append(keys, c.Key)
		}
		said += " Now these stop each other in a circle: " + strings.Join(keys, " → ") + ". Is that meant?"
	}
	t.ev.InCall = false // as above
	return t.private(ctx, said)
}

// unrelate takes a relation away, within the form.
func (t *turn) unrelate(ctx context.Context) error {
	it, err := t.ownItem(ctx)
	if err != nil {
		return err
	}
	kind, said := cmdb.Kind(t.ev.Args["k"]), ""
	other, err := t.tx.ItemForUpdate(ctx, cmdb.ItemID(t.id("o")))
	if err == nil {
		var gone bool
		gone, err = t.tx.Relate(ctx, it, other, kind, false, t.who.ID, t.via(), t.at)
		t.itemsEdited = gone
		said = fmt.Sprintf("%s no longer %s %s.", it.Key, kind.Words(), other.Key)
	}
	if err = ignoreMissing(err); err != nil {
		return err
	}
	return t.relationsForm(ctx, it, said)
}
