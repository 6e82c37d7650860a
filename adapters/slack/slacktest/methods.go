package slacktest

import (
	"context"
	"io"
	"iter"
	"net/http"
	"time"
)

// A Workspace is a Slack workspace with one app installed. It is safe for
// concurrent use. Close it.
type Workspace struct{}

// New makes a workspace and starts what delivers its events.
func New(o Options) (*Workspace, error) { panic("soon") }

// Listen serves the workspace on addr ("127.0.0.1:0" for any free port) until
// Close. Use it or mount Handler and call SetURL.
func (w *Workspace) Listen(addr string) error { panic("soon") }

// URL is where Slack's part is served, without a slash at the end.
// The Web API is under URL() + "/api/".
func (w *Workspace) URL() string { panic("soon") }

// SetURL says where Handler is mounted, so that response URLs, file URLs and the
// socket's URL are right.
func (w *Workspace) SetURL(url string) { panic("soon") }

// Handler serves Slack's part and nothing else: /api/METHOD, /response/…,
// /upload/…, /files/… and /socket.
func (w *Workspace) Handler() http.Handler { panic("soon") }

// Connect says where the app listens: Events at base + "/slack/events", and so on
// for /slack/commands and /slack/interactivity. Until then deliveries fail with
// connection_failed, and are redelivered.
func (w *Workspace) Connect(base string) { panic("soon") }

// ConnectTo is Connect with each URL given.
func (w *Workspace) ConnectTo(e Endpoints) { panic("soon") }

// VerifyURL sends the url_verification challenge to the events URL, as Slack
// does when it is entered on the app's configuration page.
func (w *Workspace) VerifyURL(ctx context.Context) error { panic("soon") }

// Close stops serving and delivering. Events that wait are dropped.
func (w *Workspace) Close() error { panic("soon") }

// App and Team are as New completed them.
func (w *Workspace) App() App { panic("soon") }

// Team is the workspace's own name.
func (w *Workspace) Team() Team { panic("soon") }

// Now is the workspace's clock.
func (w *Workspace) Now() time.Time { panic("soon") }

// AddUser adds a member and completes what is left empty. It fails if the id or
// the name is taken.
func (w *Workspace) AddUser(u User) (User, error) { panic("soon") }

// SetUser replaces a member's profile; the app hears of it as user_change.
func (w *Workspace) SetUser(u User) error { panic("soon") }

// AddChannel adds a conversation, with no events and no "joined" messages. It
// fails if the id or the name is taken or a member is unknown.
func (w *Workspace) AddChannel(c Channel) (Channel, error) { panic("soon") }

// Users are all members, the app's bot user among them, in the order added.
func (w *Workspace) Users() []User { panic("soon") }

// User finds a member by id, or by name with or without "@".
func (w *Workspace) User(idOrName string) (User, bool) { panic("soon") }

// Channels are all conversations, in the order added.
func (w *Workspace) Channels() []Channel { panic("soon") }

// Channel finds a conversation by id, or by name with or without "#".
func (w *Workspace) Channel(idOrName string) (Channel, bool) { panic("soon") }

// Person is somebody who acts. If there is no such member, every method says so.
func (w *Workspace) Person(idOrName string) *Person { panic("soon") }

// Message is the message as the API has it. Ephemeral ones are found too.
func (w *Workspace) Message(channel, ts string) (Message, bool) { panic("soon") }

// Follow gives each change after the one numbered after, as it happens, until ctx
// ends. 0 begins with the oldest that is kept. If changes in between are no
// longer kept, it gives ErrGap once and ends. A slow follower holds nobody up.
func (w *Workspace) Follow(ctx context.Context, after int64) iter.Seq2[Change, error] {
	panic("soon")
}

// Seq is the number of the newest change; read it before reading the state, then
// Follow from it.
func (w *Workspace) Seq() int64 { panic("soon") }

// Wait returns when ok does, looking again after each change; or with ctx's
// error. ok may call any method of the workspace.
func (w *Workspace) Wait(ctx context.Context, ok func() bool) error { panic("soon") }

// Idle waits until no event is under way or waiting for redelivery.
func (w *Workspace) Idle(ctx context.Context) error { panic("soon") }

// OnCall is asked before each call of the Web API what goes wrong with it. Nil
// takes it away. It must not call the workspace.
func (w *Workspace) OnCall(f func(Call) Fault) { panic("soon") }

// FailNext gives the next calls of a method these faults, one each, before OnCall
// is asked. Method "" is any.
func (w *Workspace) FailNext(method string, faults ...Fault) { panic("soon") }

// OnDelivery is asked before each delivery to the app what goes wrong with it.
// Nil takes it away. It must not call the workspace.
func (w *Workspace) OnDelivery(f func(Delivery) DeliveryFault) { panic("soon") }

// SetClock, SetPacing … change an option while running.
func (w *Workspace) SetPacing(p Pacing) { panic("soon") }

// Refresh asks the app's sockets to reconnect, as Slack does every few hours.
func (w *Workspace) Refresh() { panic("soon") }

// Calls are the last calls of the Web API, oldest first, if Options.Record is set.
func (w *Workspace) Calls() []Call { panic("soon") }

// Deliveries are the last deliveries, oldest first, if Options.Record is set.
func (w *Workspace) Deliveries() []Delivery { panic("soon") }

// Stats are the counters.
func (w *Workspace) Stats() Stats { panic("soon") }

// Save writes everything that has to outlive a restart as JSON: people, channels,
// messages, files, Home tabs, response URLs. Not open modals, nor events under way.
func (w *Workspace) Save(to io.Writer) error { panic("soon") }

// Load replaces the workspace's state with what Save wrote.
func (w *Workspace) Load(from io.Reader) error { panic("soon") }

// Transcript is a conversation as text, threads indented under their first
// message; ephemeral messages are shown with their addressee.
func (w *Workspace) Transcript(channel string) string { panic("soon") }

// TranscriptAll is every conversation that has messages, and every open view.
func (w *Workspace) TranscriptAll() string { panic("soon") }

// RenderMessage is a message as text: buttons as [Label], menus as [Label ▾].
func (w *Workspace) RenderMessage(m Message) string { panic("soon") }

// RenderView is a view as text, with what has been entered.
func (w *Workspace) RenderView(v View) string { panic("soon") }

// Person is one member at their client. Methods that reach the app return when it
// has answered or Slack has given up on it; then the error is an [*AppError].
type Person struct{}

// ID is the member's id.
func (p *Person) ID() string { panic("soon") }

// User is the member's profile.
func (p *Person) User() User { panic("soon") }

// DM opens the conversation with the app and returns its id. The app hears of it
// as app_home_opened with tab "messages".
func (p *Person) DM() (string, error) { panic("soon") }

// OpenDM opens the conversation with one other, or a group of others, and returns
// its id.
func (p *Person) OpenDM(with ...string) (string, error) { panic("soon") }

// Say posts a message. The app hears of it later.
func (p *Person) Say(m Post) (Message, error) { panic("soon") }

// Edit changes the text of a message of one's own.
func (p *Person) Edit(channel, ts, text string) error { panic("soon") }

// Delete deletes a message of one's own, or, for an admin, anybody's.
func (p *Person) Delete(channel, ts string) error { panic("soon") }

// Dismiss takes an ephemeral message off the screen. The app does not hear of it.
func (p *Person) Dismiss(channel, ts string) error { panic("soon") }

// React puts an emoji (without colons) under a message.
func (p *Person) React(channel, ts, emoji string) error { panic("soon") }

// Unreact takes it away again.
func (p *Person) Unreact(channel, ts, emoji string) error { panic("soon") }

// Act presses a button or chooses or enters something in an element of a message
// or view, and tells the app as block_actions. In an input block it only enters
// the value, and tells the app if the block has dispatch_action.
func (p *Person) Act(a Act) error { panic("soon") }

// Suggest is the type-ahead list of an external select for what has been typed.
// Fewer characters than min_query_length give nothing.
func (p *Person) Suggest(a Act, typed string) ([]Option, error) { panic("soon") }

// Shortcut runs a global shortcut.
func (p *Person) Shortcut(callbackID string) error { panic("soon") }

// MessageShortcut runs a shortcut from the menu of a message.
func (p *Person) MessageShortcut(callbackID, channel, ts string) error { panic("soon") }

// Command types a slash command in a channel: command "/desk", text "vpn is down".
func (p *Person) Command(channel, command, text string) error { panic("soon") }

// Upload brings in a file for a file input, and returns it.
func (p *Person) Upload(f Upload) (File, error) { panic("soon") }

// Submit sends the top view. If the app refuses fields, it returns their errors by
// block id, which are in the view too.
func (p *Person) Submit(view string) (refused map[string]string, err error) { panic("soon") }

// CloseView closes the top view with its close button; all closes the whole stack
// with the cross.
func (p *Person) CloseView(view string, all bool) error { panic("soon") }

// OpenHome opens the app's Home tab: the app hears app_home_opened with the tab
// "home" and the view as last published.
func (p *Person) OpenHome() error { panic("soon") }

// CreateChannel creates a channel with this person in it.
func (p *Person) CreateChannel(name string, kind Kind) (Channel, error) { panic("soon") }

// Join joins a public channel.
func (p *Person) Join(channel string) error { panic("soon") }

// Leave leaves a channel.
func (p *Person) Leave(channel string) error { panic("soon") }

// Invite adds somebody to a channel that this person is in; the app too.
func (p *Person) Invite(channel, user string) error { panic("soon") }

// Remove takes somebody out of a channel.
func (p *Person) Remove(channel, user string) error { panic("soon") }

// Archive archives a channel.
func (p *Person) Archive(channel string) error { panic("soon") }

// MarkRead says that everything up to ts has been read.
func (p *Person) MarkRead(channel, ts string) error { panic("soon") }

// Conversations are the side bar: every conversation that this person is in, then
// the public ones that they could join.
func (p *Person) Conversations() []Conversation { panic("soon") }

// Messages are what this person sees in a channel, oldest first: at most limit
// messages before the one with ts before (empty: the newest), without thread
// replies that were not broadcast, with ephemerals to this person.
func (p *Person) Messages(channel, before string, limit int) ([]Message, error) { panic("soon") }

// Thread is the first message and all replies, with ephemerals to this person.
func (p *Person) Thread(channel, ts string) ([]Message, error) { panic("soon") }

// Views are the open modals, the one on top last.
func (p *Person) Views() []View { panic("soon") }

// Home is the Home tab as last published.
func (p *Person) Home() (View, bool) { panic("soon") }

// Follow is [Workspace.Follow] with only what this person's client would show.
func (p *Person) Follow(ctx context.Context, after int64) iter.Seq2[Change, error] { panic("soon") }

// Validate says what Slack would refuse in a JSON array of blocks, in reading
// order; nothing if it would take them.
func Validate(s Surface, blocks []byte) []error { panic("soon") }

// ValidateView is Validate for a whole view as given to views.open and
// views.publish.
func ValidateView(view []byte) []error { panic("soon") }

// A TB is the part of testing.TB that a Script needs.
type TB interface {
	Helper()
	Context() context.Context
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A Script runs a test's conversation: each line is done at once and must succeed,
// and each expectation waits for the change stream until Patience has passed.
// When one fails it prints the transcript of everything.
type Script struct {
	// Patience is how long an expectation waits. 0 is 5 s.
	Patience time.Duration
}

// Script begins a conversation.
func (w *Workspace) Script(t TB) *Script { panic("soon") }

// Person is a member by name or id, at first in their DM with the app.
func (s *Script) Person(name string) *Actor { panic("soon") }

// Channel is a conversation by name or id, seen from above.
func (s *Script) Channel(name string) *Place { panic("soon") }

// An Actor is somebody with their client open at one place: their DM with the app,
// unless In or InThread has gone elsewhere.
type Actor struct{}

// In is the actor at a channel.
func (a *Actor) In(channel string) *Actor { panic("soon") }

// InThread is the actor in the thread under the newest message here that contains
// the text.
func (a *Actor) InThread(text string) *Actor { panic("soon") }

// Says posts a message here.
func (a *Actor) Says(text string, files ...Upload) *Actor { panic("soon") }

// Replies posts in the thread of the newest message here.
func (a *Actor) Replies(text string, files ...Upload) *Actor { panic("soon") }

// Runs types a slash command here: "/desk vpn is down".
func (a *Actor) Runs(command string) *Actor { panic("soon") }

// Sees waits until all these words are on one message here (replies and ephemerals
// to this person included), in the open view, or, after OpensHome, on the Home tab.
func (a *Actor) Sees(words ...string) *Actor { panic("soon") }

// SeesNot fails if a message here has all these words, after the app has gone
// idle.
func (a *Actor) SeesNot(words ...string) *Actor { panic("soon") }

// SeesForm waits until the open view has these words.
func (a *Actor) SeesForm(words ...string) *Actor { panic("soon") }

// Press waits for a button with this label and presses the newest one, in the open
// view if there is one.
func (a *Actor) Press(label string) *Actor { panic("soon") }

// PressOn presses a button on the newest message that contains the text.
func (a *Actor) PressOn(text, label string) *Actor { panic("soon") }

// Choose chooses an option by its label, in an overflow menu, select, radio group
// or checkbox group, wherever it is newest.
func (a *Actor) Choose(option string) *Actor { panic("soon") }

// Fill enters a value in the field with this label of the open view: the text, the
// label of an option or several, a person's name, a date.
func (a *Actor) Fill(label string, values ...string) *Actor { panic("soon") }

// Submits submits the open view, which must be taken.
func (a *Actor) Submits() *Actor { panic("soon") }

// SubmitRefused submits the open view, which must be refused with these words.
func (a *Actor) SubmitRefused(words ...string) *Actor { panic("soon") }

// Closes closes the open view.
func (a *Actor) Closes() *Actor { panic("soon") }

// Reacts puts an emoji on the newest message here that contains the text.
func (a *Actor) Reacts(text, emoji string) *Actor { panic("soon") }

// Edits changes the newest message of one's own that contains the text.
func (a *Actor) Edits(text, to string) *Actor { panic("soon") }

// Deletes deletes the newest message of one's own that contains the text.
func (a *Actor) Deletes(text string) *Actor { panic("soon") }

// Uses runs a message shortcut by its name on the newest message that contains the
// text; with an empty text, a global shortcut.
func (a *Actor) Uses(shortcut, text string) *Actor { panic("soon") }

// OpensHome opens the Home tab.
func (a *Actor) OpensHome() *Actor { panic("soon") }

// A Place is a conversation seen from above: everything in it but ephemerals.
type Place struct{}

// Sees waits until all these words are on one message there.
func (p *Place) Sees(words ...string) *Place { panic("soon") }

// SeesNot fails if a message there has all these words, after the app has gone
// idle.
func (p *Place) SeesNot(words ...string) *Place { panic("soon") }
