package teams

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"github.com/deskhand/deskhand/bot/chat"
)

// channelID is Teams among the channels of the Bot Framework.
const channelID = "msteams"

const (
	maxNesting = 64  // Teams' own payloads have about ten levels
	maxID      = 400 // bytes of an id; Teams' longest have about 200
)

var (
	errMalformed = errors.New("malformed")
	// errNothing says that there is nothing in it for the desk.
	errNothing = errors.New("nothing for the desk")
	// errUnknown says that it is an invoke of a kind that the desk does not know.
	errUnknown = errors.New("unknown invoke")
)

// activity is what Teams sends. The fields here take the place of those of the
// same name in the schema, which can't hold them: it has no room for what an
// entity says, wants every value and channelData to be an object, and refuses
// the whole activity for a time that is not written as RFC 3339.
type activity struct {
	schema.Activity
	Timestamp      string          `json:"timestamp"`
	LocalTimestamp json.RawMessage `json:"localTimestamp"`
	Expiration     json.RawMessage `json:"expiration"`
	From           account         `json:"from"`
	MembersAdded   []account       `json:"membersAdded"`
	MembersRemoved []account       `json:"membersRemoved"`
	Entities       []entity        `json:"entities"`
	ChannelData    channelData     `json:"channelData"`
	Value          json.RawMessage `json:"value"`
	// Never of use here, and of varying shape.
	SuggestedActions json.RawMessage `json:"suggestedActions"`
	RelatesTo        json.RawMessage `json:"relatesTo"`
	SemanticAction   json.RawMessage `json:"semanticAction"`
	TextHighlights   json.RawMessage `json:"textHighlights"`
	ListenFor        json.RawMessage `json:"listenFor"`
}

// account is a person or a bot. Some lists say objectId for aadObjectId.
type account struct {
	schema.ChannelAccount
	ObjectID string `json:"objectId"`
	TenantID string `json:"tenantId"`
}

// id is how the desk knows an account: by its object id in Entra, which is the
// same for every bot and in every place.
func (a account) id() string {
	if a.AadObjectID != "" {
		return a.AadObjectID
	}
	if a.ObjectID != "" {
		return a.ObjectID
	}
	return a.ID
}

func (a account) bot() bool { return strings.HasPrefix(a.ID, "28:") }

// entity is a mention, what is known of the client, or a quoted message.
type entity struct {
	Type      string  `json:"type"`
	Text      string  `json:"text"`
	Mentioned account `json:"mentioned"`
	Locale    string  `json:"locale"`
	Zone      string  `json:"timezone"`
	Quoted    struct {
		Message string `json:"messageId"`
	} `json:"quotedReply"`
}

// channelData is what Teams adds.
// See learn.microsoft.com, "Messages in bot conversations", Teams channel data.
type channelData struct {
	Tenant struct {
		ID string `json:"id"`
	} `json:"tenant"`
	Team struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Group string `json:"aadGroupId"`
	} `json:"team"`
	Channel struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"channel"`
	EventType string `json:"eventType"`
	Settings  struct {
		Selected struct {
			ID string `json:"id"`
		} `json:"selectedChannel"`
	} `json:"settings"`
}

// decodeActivity reads a body. What is not an activity, or has a value of the
// wrong type where it matters, is errMalformed.
func decodeActivity(body []byte) (*activity, error) {
	if !shallow(body) {
		return nil, errMalformed
	}
	act := new(activity)
	if err := json.Unmarshal(body, act); err != nil {
		return nil, errMalformed
	}
	// Message extensions are used outside of any conversation too.
	if act.Type == "" || act.ServiceURL == "" || act.Conversation.ID == "" && !act.extension() {
		return nil, errMalformed
	}
	for _, id := range []string{act.ID, act.Conversation.ID, act.ReplyToID, act.From.ID, act.From.id(), act.Recipient.ID,
		act.ChannelData.Team.ID, act.ChannelData.Team.Group, act.ChannelData.Channel.ID} {
		if len(id) > maxID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r == '\uFFFD' }) {
			return nil, errMalformed
		}
	}
	return act, nil
}

// extension says that it is of a message extension, which people use wherever
// they are, whether the desk is there or not.
func (act *activity) extension() bool {
	return act.Type == schema.Invoke && strings.HasPrefix(act.Name, "composeExtension/")
}

// shallow says that JSON is not nested deeper than anything that Teams sends.
func shallow(body []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted:
			if c == '\\' {
				i++
			} else if c == '"' {
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > maxNesting {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}

// at is when it happened, the same in every redelivery.
func (act *activity) at() (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339Nano, act.Timestamp); err == nil && at.Unix() > 0 {
		return at.UTC(), true
	}
	return stamp(act.ID)
}

// stamp reads Teams' message ids, which are the milliseconds of their making.
func stamp(id string) (time.Time, bool) {
	ms, err := strconv.ParseInt(id, 10, 64)
	if err != nil || ms < 1e12 || ms > 1e14 {
		return time.Time{}, false
	}
	return time.UnixMilli(ms).UTC(), true
}

// Conversation types.
const (
	personalChat = "personal"
	groupChat    = "groupChat"
	channelPost  = "channel"
)

// conversationType is the kind of a conversation, from what Teams says or, for
// the few activities where it does not, from the form of the id.
func conversationType(said, id string) string {
	switch said {
	case personalChat, groupChat, channelPost:
		return said
	}
	switch {
	case strings.Contains(id, "@thread.tacv2"), strings.Contains(id, "@thread.skype"):
		return channelPost
	case strings.Contains(id, "@thread.v2"), strings.Contains(id, "@unq.gbl.spaces"):
		return groupChat
	}
	return personalChat
}

// where is the place of an activity, and who listens there. The id of a channel
// conversation names its thread: "19:…@thread.tacv2;messageid=1795227394790".
func (a *Adapter) where(act *activity) (p chat.Place, s chat.Scope, flat bool) {
	channel, thread := splitConversation(act.Conversation.ID)
	if channel == "" {
		return a.place("", ""), "", false
	}
	switch conversationType(act.Conversation.ConversationType, channel) {
	case personalChat:
		return a.place(channel, ""), chat.Direct, true
	case groupChat:
		return a.place(channel, ""), chat.Group, true
	}
	if thread == act.ID {
		thread = "" // the first message of its thread
	}
	return a.place(channel, thread), chat.Open, false
}

func splitConversation(id string) (channel, thread string) {
	channel, thread, _ = strings.Cut(id, ";messageid=")
	return channel, thread
}

// conversation is the id under which Teams knows a place.
func conversation(channel, thread string) string {
	if thread == "" {
		return channel
	}
	return channel + ";messageid=" + thread
}

// object reads a part of an activity that must be an object where it matters.
func object(raw json.RawMessage, into any) error {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return errNothing
	}
	if json.Unmarshal(raw, into) != nil {
		return errMalformed
	}
	return nil
}
