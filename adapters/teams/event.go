package teams

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"github.com/deskhand/deskhand/bot/chat"
)

// note keeps what an activity says of how people and places are reached.
func (a *Adapter) note(ctx context.Context, act *activity) error {
	channel, _ := splitConversation(act.Conversation.ID)
	kind := conversationType(act.Conversation.ConversationType, channel)
	reach := func(r *reference) {
		r.ServiceURL = act.ServiceURL
		set(&r.Bot, act.Recipient.ID)
	}
	if err := a.book.learn(ctx, tenantKey, reach); err != nil {
		return err
	}
	if act.extension() {
		return a.noteUser(ctx, act, func(*reference) {}) // the desk need not be in that place
	}
	team := act.ChannelData.Team
	if err := a.book.learn(ctx, placeKey(channel), func(r *reference) {
		reach(r)
		r.Type = kind
		set(&r.Team, team.ID)
	}); err != nil {
		return err
	}
	if team.ID != "" {
		if err := a.book.learn(ctx, teamKey(team.ID), func(r *reference) {
			reach(r)
			set(&r.Name, team.Name)
			set(&r.Group, team.Group)
		}); err != nil {
			return err
		}
	}
	return a.noteUser(ctx, act, func(r *reference) {
		switch kind {
		case personalChat:
			r.Chat = channel
		case channelPost:
			r.Seen = cmp.Or(r.Seen, team.ID, channel)
		default:
			r.Seen = cmp.Or(r.Seen, channel)
		}
	})
}

func (a *Adapter) noteUser(ctx context.Context, act *activity, where func(*reference)) error {
	if act.From.id() == "" || act.From.bot() {
		return nil
	}
	if act.From.id() != act.From.ID && act.From.ID != "" {
		if err := a.book.learn(ctx, accountKey(act.From.ID), func(r *reference) { r.User = act.From.id() }); err != nil {
			return err
		}
	}
	return a.book.learn(ctx, userKey(act.From.id()), func(r *reference) {
		r.ServiceURL = act.ServiceURL
		set(&r.Account, act.From.ID)
		for _, e := range act.Entities {
			if e.Type == "clientInfo" {
				set(&r.Zone, e.Zone)
				set(&r.Locale, e.Locale)
			}
		}
		where(r)
	})
}

// who finds the people behind Teams' own ids, as far as they are known.
func (a *Adapter) who(ctx context.Context) func(string) string {
	return func(id string) string {
		ref, _, err := a.book.look(ctx, accountKey(id))
		if err != nil {
			return ""
		}
		return ref.User
	}
}

// installed says that the desk is in a place: it has heard from there, or from
// its team.
func (a *Adapter) installed(ctx context.Context, channel, team string) (bool, error) {
	_, known, err := a.book.look(ctx, placeKey(channel))
	if known || err != nil || team == "" {
		return known, err
	}
	_, known, err = a.book.look(ctx, teamKey(team))
	return known, err
}

// events are what an activity reports that nobody waits for.
func (a *Adapter) events(ctx context.Context, act *activity) ([]chat.Event, error) {
	switch strings.ToLower(string(act.Type)) {
	case "message":
		return one(a.messageEvent(ctx, act))
	case "messageupdate":
		return one(a.editedEvent(ctx, act))
	case "messagedelete":
		return one(a.deletedEvent(act))
	case "messagereaction":
		return a.reactionEvents(act)
	case "installationupdate":
		return one(a.installEvent(act))
	case "conversationupdate":
		return a.memberEvents(ctx, act)
	}
	return nil, errNothing
}

func one(e chat.Event, err error) ([]chat.Event, error) {
	if err != nil {
		return nil, err
	}
	return []chat.Event{e}, nil
}

// base is what all events have. Without a person there is nobody to answer to.
func (a *Adapter) base(act *activity, kind chat.Kind) (chat.Event, error) {
	at, ok := act.at()
	if !ok || act.ID == "" {
		return chat.Event{}, errMalformed
	}
	if act.From.id() == "" || act.From.bot() {
		return chat.Event{}, errNothing
	}
	e := chat.Event{Kind: kind, At: at, By: a.person(act.From.id())}
	e.Place, e.Scope, e.Flat = a.where(act)
	return e, nil
}

func (a *Adapter) messageEvent(ctx context.Context, act *activity) (chat.Event, error) {
	if len(act.Value) > 0 && string(act.Value) != "null" && strings.TrimSpace(act.Text) == "" {
		return a.submitEvent(act)
	}
	e, err := a.base(act, chat.Said)
	if err != nil {
		return chat.Event{}, err
	}
	e.Key, e.Message = key("m", e.Place.Channel, act.ID), act.ID
	if at, ok := stamp(act.ID); ok {
		e.At = at // what is sent again may have another timestamp
	}
	said := readText(act, a.who(ctx))
	e.Text, e.Mentioned, e.Files = said.text, said.mentioned, act.files()
	if e.Flat {
		e.Place.Thread = cmp.Or(said.quoted, act.ReplyToID)
	}
	if e.Text == "" && len(e.Files) == 0 && !e.Mentioned {
		return chat.Event{}, errNothing
	}
	a.recent.add(e)
	return e, nil
}

// editedEvent is a message that was changed, or that was deleted and is back.
func (a *Adapter) editedEvent(ctx context.Context, act *activity) (chat.Event, error) {
	switch act.ChannelData.EventType {
	case "editMessage", "undeleteMessage", "":
	default:
		return chat.Event{}, errNothing
	}
	e, err := a.base(act, chat.Edited)
	if err != nil {
		return chat.Event{}, err
	}
	e.Key, e.Message, e.Author = key("e", e.Place.Channel, act.ID, act.Timestamp), act.ID, e.By
	e.SaidKey = saidKey(e)
	said := readText(act, a.who(ctx))
	e.Text, e.Mentioned, e.Files = said.text, said.mentioned, act.files()
	if e.Flat {
		e.Place.Thread = said.quoted
	}
	a.recent.add(e)
	return e, nil
}

func (a *Adapter) deletedEvent(act *activity) (chat.Event, error) {
	e, err := a.base(act, chat.Deleted)
	if err != nil {
		return chat.Event{}, err
	}
	// It may come back and be deleted again.
	e.Key, e.Message, e.Author = key("d", e.Place.Channel, act.ID, act.Timestamp), act.ID, e.By
	e.SaidKey = saidKey(e)
	a.recent.remove(e.Place.Channel, act.ID)
	return e, nil
}

// saidKey is the key of the event in which the message of an edit was said, if
// that may be on its way still.
func saidKey(e chat.Event) string {
	if said, ok := stamp(e.Message); !ok || e.At.Sub(said) >= chat.Overtaking {
		return ""
	}
	return key("m", e.Place.Channel, e.Message)
}

func (a *Adapter) reactionEvents(act *activity) ([]chat.Event, error) {
	if act.ReplyToID == "" {
		return nil, errMalformed
	}
	var all []chat.Event
	add := func(kind chat.Kind, reactions []schema.MessageReaction) error {
		for i, r := range reactions {
			e, err := a.base(act, kind)
			if err != nil {
				return err
			}
			e.Key, e.Message, e.Emoji = key("v", act.ID, string(kind), strconv.Itoa(i)), act.ReplyToID, emoji(string(r.Type))
			if e.Place.Thread == act.ReplyToID {
				e.Place.Thread = ""
			}
			if said, ok := a.recent.find(e.Place.Channel, act.ReplyToID); ok {
				e.Author = said.By
			}
			if e.Emoji != "" {
				all = append(all, e)
			}
		}
		return nil
	}
	if err := add(chat.Reacted, act.ReactionsAdded); err != nil {
		return nil, err
	}
	if err := add(chat.Unreacted, act.ReactionsRemoved); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errNothing
	}
	return all, nil
}

// reactions are Teams' six old names, and those of the newer ones that are
// called otherwise than elsewhere.
var reactions = map[string]string{
	"like": "+1", "heart": "heart", "laugh": "joy", "surprised": "open_mouth", "sad": "cry", "angry": "rage",
	"plusone": "+1", "thumbsup": "+1", "thumbsdown": "-1", "whiteheavycheckmark": "white_check_mark", "checkmark": "white_check_mark",
	"admissiontickets": "admission_tickets", "noentry": "no_entry", "noentrysign": "no_entry_sign", "prohibited": "no_entry_sign",
}

// emoji is the name of a reaction: "like", or "1f3ab_ticket" for one that is
// told by its code point.
func emoji(kind string) string {
	name := strings.ToLower(kind)
	if code, rest, ok := strings.Cut(name, "_"); ok {
		if _, err := strconv.ParseUint(code, 16, 32); err == nil {
			name = rest
		}
	}
	if len(name) > 80 {
		return ""
	}
	return cmp.Or(reactions[name], name)
}

// installEvent is the desk being installed: by a person for themselves, or into
// a chat or a team. Teams tells of it once more as a new member, which is left
// alone.
func (a *Adapter) installEvent(act *activity) (chat.Event, error) {
	if action := strings.ToLower(act.Action); action != "add" && action != "add-upgrade" {
		return chat.Event{}, errNothing
	}
	e, err := a.base(act, chat.Invited)
	if err != nil {
		return chat.Event{}, err
	}
	if chosen := act.ChannelData.Settings.Selected.ID; e.Scope == chat.Open && chosen != "" && len(chosen) <= maxID {
		e.Place.Channel = chosen
	}
	e.Key = key("v", act.ID)
	return e, nil
}

// memberEvents are people who come and go. Whoever joins a team joins its
// channels, of which Teams names only the first; the others that the desk has
// seen are told too.
func (a *Adapter) memberEvents(ctx context.Context, act *activity) ([]chat.Event, error) {
	var all []chat.Event
	add := func(kind chat.Kind, who []account) error {
		for _, m := range who {
			if m.bot() || m.ID == act.Recipient.ID || m.id() == "" || len(m.id()) > maxID {
				continue
			}
			e, err := a.base(act, kind)
			if err != nil {
				return err
			}
			if e.Scope == chat.Direct {
				continue
			}
			e.By, e.Place.Thread = a.person(m.id()), ""
			channels, err := a.channelsOf(ctx, act, e.Place.Channel)
			if err != nil {
				return err
			}
			for _, c := range channels {
				e.Place.Channel = c
				e.Key = key("v", act.ID, string(kind), m.id(), c)
				all = append(all, e)
			}
		}
		return nil
	}
	if err := add(chat.Joined, act.MembersAdded); err != nil {
		return nil, err
	}
	if err := add(chat.Left, act.MembersRemoved); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errNothing
	}
	return all, nil
}

// channelsOf are the channels of an activity's team that the desk knows, or the
// one place where it happened.
func (a *Adapter) channelsOf(ctx context.Context, act *activity, here string) ([]string, error) {
	team := act.ChannelData.Team.ID
	channels := []string{here}
	if team == "" {
		return channels, nil
	}
	places, err := a.book.all(ctx, placeKey(""))
	if err != nil {
		return nil, err
	}
	for id, ref := range places {
		if ref.Team == team && ref.Type == channelPost && id != here {
			channels = append(channels, id)
		}
	}
	return channels, nil
}

// maxAttached is how many files of one message are told of.
const maxAttached = 10

// attached is where a file is named in the text of a message.
var attached = regexp.MustCompile(`<attachment id="([^"]*)"`)

// files are the files of a message. In channels Teams gives bots only the
// pictures that stand in the text: any other file is one without an address,
// which can't be fetched, so that whoever attached it is told.
// See learn.microsoft.com, "Send and receive files through the bot".
func (act *activity) files() []chat.File {
	var all []chat.File
	for i, at := range act.Attachments {
		id := act.ID + "/" + strconv.Itoa(i)
		switch {
		case at.ContentType == "application/vnd.microsoft.teams.file.download.info":
			content, _ := at.Content.(map[string]any)
			address, _ := content["downloadUrl"].(string)
			unique, _ := content["uniqueId"].(string)
			if !fileAddress(address, act.ServiceURL) {
				continue
			}
			name := fileName(at.Name, "file")
			all = append(all, chat.File{ID: cmp.Or(cleanID(unique), id), Name: name, MIME: mime.TypeByExtension(path.Ext(name)), URL: byLink + address})
		case strings.HasPrefix(at.ContentType, "image/") && sameHost(at.ContentURL, act.ServiceURL):
			kind := at.ContentType
			if kind == "image/*" {
				kind = ""
			}
			all = append(all, chat.File{ID: id, Name: fileName(at.Name, "picture"+extension(kind)), MIME: kind, URL: byToken + at.ContentURL})
		case at.ContentType == "text/html" && conversationType(act.Conversation.ConversationType, act.Conversation.ID) == channelPost:
			content, _ := at.Content.(string)
			for n, m := range attached.FindAllStringSubmatch(content, maxAttached) {
				all = append(all, chat.File{ID: cmp.Or(cleanID(m[1]), id+"/"+strconv.Itoa(n)), Name: "attached file"})
			}
		}
	}
	return all
}

func fileName(name, without string) string {
	name = strings.TrimSpace(chat.StripMarks(strings.ToValidUTF8(name, "")))
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	if name == "" || len(name) > 255 {
		return without
	}
	return name
}

func extension(kind string) string {
	switch kind {
	case "image/jpeg":
		return ".jpg"
	case "image/gif":
		return ".gif"
	}
	return ".png"
}

func cleanID(id string) string {
	if len(id) > maxID {
		return ""
	}
	return id
}

// sameHost says that an address is at the host of a service URL.
func sameHost(address, service string) bool {
	u, err := url.Parse(address)
	s, err2 := url.Parse(service)
	return err == nil && err2 == nil && u.Host != "" && u.User == nil && u.Scheme == s.Scheme && strings.EqualFold(u.Host, s.Host)
}

// recent are the messages of the last while, which Teams does not tell again:
// a reaction names only the id of what it is put on. They stay in memory, for
// they may be between other people, of whom nothing is kept.
type recent struct {
	mu   sync.Mutex
	said map[string]chat.Event
	row  []string // keys, oldest first
}

const mostRecent = 2000

func recentKey(channel, message string) string { return channel + " " + message }

func (r *recent) add(e chat.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.said == nil {
		r.said = map[string]chat.Event{}
	}
	k := recentKey(e.Place.Channel, e.Message)
	if _, known := r.said[k]; !known {
		if r.row = append(r.row, k); len(r.row) > mostRecent {
			delete(r.said, r.row[0])
			r.row = r.row[1:]
		}
	}
	r.said[k] = e
}

func (r *recent) find(channel, message string) (chat.Event, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.said[recentKey(channel, message)]
	return e, ok
}

func (r *recent) remove(channel, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.said, recentKey(channel, message)) // its place in the row goes with time
}

const maxKey = 200 // bytes

// key joins parts to a key; one that would be too long is told by its hash.
func key(parts ...string) string {
	k := strings.Join(parts, ":")
	if len(k) <= maxKey {
		return k
	}
	sum := sha256.Sum256([]byte(k))
	return parts[0] + ":" + hex.EncodeToString(sum[:])
}

// digest tells values apart.
func digest(v any) string {
	js, err := json.Marshal(v) // maps in order of their keys
	if err != nil {
		js = fmt.Append(nil, v)
	}
	sum := sha256.Sum256(js)
	return hex.EncodeToString(sum[:8])
}
