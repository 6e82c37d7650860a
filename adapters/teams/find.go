package teams

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/deskhand/deskhand/adapters/teams/adaptive"
	"github.com/deskhand/deskhand/bot/chat"
)

const (
	// findPage and findPages are how far back is looked. 50 is the most that Graph
	// gives at a time.
	findPage  = 50
	findPages = 10
	// findTime bounds one search, lookTime one call in it. Delivery gives the search
	// and the call that may follow 12 s together.
	findTime = 7 * time.Second
	lookTime = 3 * time.Second
	// findTries is how often a call is made that fails: the search would have to
	// begin anew, and what waits behind the post with it.
	findTries = 3
	// findLag is what a message is given to appear in Graph before it is taken not
	// to be there. Microsoft promises no time.
	findLag = 3 * time.Second
	// findPatience is for how long a post waits for a Graph that is away. To stand
	// there twice is bad, since nobody hears what is said under the copy; not to be
	// said at all would be worse.
	findPatience = 5 * time.Minute
	maxWaiting   = 1000
)

// graph is Microsoft Graph, where the desk may see what stands in the teams and
// group chats that it is installed in.
type graph struct {
	url    string // without a slash at the end
	tokens *tokens
	lag    time.Duration

	mu      sync.Mutex
	waiting map[string]time.Time // since when a post can't be looked for
}

func newGraph(address string, t *tokens) *graph {
	return &graph{url: address, tokens: t, lag: findLag, waiting: map[string]time.Time{}}
}

// address is that of the newest n messages.
func (g *graph) address(path []string, n int) string {
	return g.url + escapePath(path) + "?" + url.Values{"$top": {strconv.Itoa(n)}}.Encode()
}

// away notes that a post can't be looked for just now, and says whether to wait
// for that any longer. If not, the next time counts anew.
func (g *graph) away(post string, now time.Time) (wait bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	since, known := g.waiting[post]
	if !known {
		if len(g.waiting) >= maxWaiting {
			clear(g.waiting) // whose post was dropped; the others wait a little longer
		}
		g.waiting[post] = now
		return true
	}
	if now.Sub(since) < findPatience {
		return true
	}
	delete(g.waiting, post)
	return false
}

func (g *graph) there(post string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.waiting, post)
}

// mark is what the card of a post is known by: the post's own name, behind that
// of the record. Another desk, or this one begun anew with an empty record, counts
// its posts from 1 as well.
func (a *Adapter) mark(p chat.Post) string {
	if a.record == nil || p.ID == "" {
		return ""
	}
	record := a.record()
	if record == "" {
		return ""
	}
	return "deskhand." + record + "." + p.ID
}

// Find looks for a Message that may have been delivered, by the mark on its card.
//
// The Bot Connector gives bots no history, and knows no key by which a second
// message would be seen to be the same. Graph shows the messages of a team's
// channels to an app that has the permission ChannelMessage.Read.Group, and those
// of a group chat to one that has ChatMessage.Read.Chat. Both are resource
// specific: whoever installs the desk there gives them, for that team or that
// chat. Where they were not given, nothing is found, and the message may come to
// stand there twice; so in people's own chats with the desk, for which there is no
// such permission. While Graph is away the post waits, for findPatience.
//
// See learn.microsoft.com, "List channel messages", "List replies", "List messages
// in a chat" and "Resource-specific consent for your Teams app".
func (a *Adapter) Find(ctx context.Context, p chat.Post) (chat.Ref, bool, error) {
	channel, _ := splitConversation(p.Place.Channel)
	if p.Kind != chat.Message || channel == "" || a.anonymous {
		return chat.Ref{}, false, nil
	}
	ref, err := a.reach(ctx, channel)
	if err != nil {
		return chat.Ref{}, false, err
	}
	mark := a.mark(p)
	if ref.Type == personalChat || mark == "" {
		return chat.Ref{}, false, nil
	}
	search, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	id, err := a.seek(search, channel, p, ref, mark)
	switch {
	case err == nil:
		a.graph.there(p.ID)
		return chat.Ref{Channel: channel, Message: id}, id != "", nil
	case shut(err):
		a.graph.there(p.ID)
		a.log.LogAttrs(ctx, slog.LevelWarn, "Teams does not let the desk see whether a message has arrived: it may stand there twice; deskhand doctor says more", slog.Any("err", err))
		return chat.Ref{}, false, nil
	case ctx.Err() == nil && !a.graph.away(p.ID, a.now()):
		a.log.LogAttrs(ctx, slog.LevelWarn, "it could not be seen for long whether a message has arrived: it may stand there twice", slog.Any("err", err))
		return chat.Ref{}, false, nil
	}
	return chat.Ref{}, false, err
}

// shut says that an answer will be the same however often one asks: it is not
// allowed, or there is nothing.
func shut(err error) bool {
	_, refused := errors.AsType[*chat.RefusedError](err)
	_, token := errors.AsType[*tokenError](err)
	return refused || token || errors.Is(err, chat.ErrGone)
}

// seek returns the id of the marked message, "" if it is not there.
func (a *Adapter) seek(ctx context.Context, channel string, p chat.Post, ref reference, mark string) (string, error) {
	path, err := a.history(ctx, channel, p.Place.Thread, ref)
	if err != nil {
		return "", err
	}
	since := p.Queued.Add(-maxSkew) // by Microsoft's clock
	if p.Place.Thread != "" {
		since = time.Time{} // answers are few, and come in an order that is shown and not promised
	}
	if id, err := a.sight(ctx, path, findPages, mark, since); err != nil || id != "" {
		return id, err
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(a.graph.lag):
	}
	return a.sight(ctx, path, 1, mark, since) // what has come since is the newest
}

// history is where Graph has what stands in a group chat, in a thread, or at the
// top of a channel.
func (a *Adapter) history(ctx context.Context, channel, thread string, ref reference) ([]string, error) {
	if ref.Type == groupChat {
		return []string{"v1.0", "chats", channel, "messages"}, nil
	}
	group, err := a.group(ctx, ref.Team)
	if err != nil {
		return nil, err
	}
	path := []string{"v1.0", "teams", group, "channels", channel, "messages"}
	if thread != "" {
		path = append(path, thread, "replies")
	}
	return path, nil
}

// group is the id in Entra of a team, which only some activities tell.
// See learn.microsoft.com, "Get Teams specific context for your bot".
func (a *Adapter) group(ctx context.Context, team string) (string, error) {
	ref, known, err := a.book.look(ctx, teamKey(team))
	if err != nil || ref.Group != "" {
		return ref.Group, err
	}
	if !known || team == "" {
		return "", goneError("TeamNotKnown")
	}
	var about struct {
		Group string `json:"aadGroupId"`
	}
	if err := a.call(ctx, ref.ServiceURL, request{name: "team", method: http.MethodGet, path: []string{"v3", "teams", team}}, &about); err != nil {
		return "", err
	}
	if about.Group == "" || len(about.Group) > maxID {
		return "", goneError("TeamWithoutGroup")
	}
	return about.Group, a.book.learn(ctx, teamKey(team), func(r *reference) { r.Group = about.Group })
}

// told is a message as Graph gives it: a bot's has the app's id, and its card as
// JSON in a string.
// See learn.microsoft.com, "chatMessage resource type" and "Working with Microsoft
// Teams messaging APIs in Microsoft Graph".
type told struct {
	ID      string `json:"id"`
	Changed string `json:"lastModifiedDateTime"`
	From    struct {
		Application struct {
			ID string `json:"id"`
		} `json:"application"`
	} `json:"from"`
	Attachments []struct {
		ContentType string `json:"contentType"`
		Content     string `json:"content"`
	} `json:"attachments"`
}

// is says that it is the desk's own with this mark. Somebody who forwards a card
// makes a message of their own with it.
func (m told) is(app, mark string) bool {
	if !strings.EqualFold(m.From.Application.ID, app) {
		return false
	}
	for _, x := range m.Attachments {
		if x.ContentType == adaptive.ContentType && adaptive.Marked([]byte(x.Content), mark) {
			return true
		}
	}
	return false
}

// within says that it was made or changed after that.
func (m told) within(since time.Time) bool {
	at, err := time.Parse(time.RFC3339, m.Changed)
	return err != nil || at.After(since)
}

// sight goes through what stands in a place once, the last changed first, which
// is how Graph gives it, to what was changed last before since.
func (a *Adapter) sight(ctx context.Context, path []string, pages int, mark string, since time.Time) (string, error) {
	address := a.graph.address(path, findPage)
	for range pages {
		page, next, err := a.messages(ctx, address)
		if err != nil {
			return "", err
		}
		for _, m := range page {
			if m.is(a.app, mark) {
				return m.ID, nil
			}
		}
		recent := len(page) == 0 || slices.ContainsFunc(page, func(m told) bool { return m.within(since) })
		if next == "" || !recent || !trustworthy(next) || !sameHost(next, a.graph.url) { // the token goes with it
			return "", nil
		}
		address = next
	}
	return "", nil
}

// messages is one page of Graph's, and the address of the next.
func (a *Adapter) messages(ctx context.Context, address string) (page []told, next string, err error) {
	var answer struct {
		Value []told `json:"value"`
		Next  string `json:"@odata.nextLink"`
	}
	for try := range findTries {
		err = a.measured(ctx, "look", lookTime, func(ctx context.Context) error {
			return a.graph.tokens.authorize(ctx, func(token string) (int, error) {
				return a.once(ctx, address, token, nil, request{name: "look", method: http.MethodGet}, &answer)
			})
		})
		if err == nil || shut(err) || try == findTries-1 {
			break
		}
		wait := a.graph.lag / 10 << try
		if limited, ok := errors.AsType[*chat.LimitedError](err); ok {
			wait = limited.After
		}
		if ends, ok := ctx.Deadline(); ok && time.Until(ends) < wait {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return answer.Value, answer.Next, err
}
