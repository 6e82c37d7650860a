// Package teams brings what people do in one Microsoft Teams tenant to the desk
// as chat.Events, and what the desk says back to them.
//
// Inwards (Adapter.Handler): the token is checked and matched with the activity,
// the activity decoded into the few fields that matter, and the event given to
// the Desk, which stores it before Teams is answered. What Teams waits for, an
// invoke, the Desk answers within the call.
//
// # Whom the desk believes
//
// A token must be signed with RS256, RS384 or RS512, which is fixed before it is
// read, by a key that the OpenID metadata name and that endorses the channel
// msteams; by the issuer that they name; for this app; not expired, give or take
// five minutes; and for the service URL of the very activity that it comes with.
// The activity must be of the configured tenant. Keys are fetched once a day,
// and for an unknown key once in ten seconds, however many ask; at the start, until
// there are any, four times a second at most. The desk calls a service URL only if
// it came in such an activity, and its token goes nowhere else. Another token, for
// Microsoft Graph, goes to the address that is configured for it.
//
// Without tokens, Options.AllowAnonymousLoopback, for an emulator on the same
// machine: the listener, the caller and every service URL must be of this
// machine, and each card, message and line of the log says so.
//
// # What of msbotbuilder-go is used
//
// Its schema gives the shape of activities, accounts, conversations and
// attachments. Where its types can't hold what Teams sends, fields of our own
// stand in their place (see activity), and what goes out has a type of its own,
// since the schema's writes empty times and accounts. The rest of the library
// (v0.2.5) is not used: its token check parses before it decides on the
// algorithm, keeps keys for five days whatever key is asked for, and compares
// neither service URL nor tenant; its client has no time limits, no lock around
// its token and the address of the retired multi-tenant login; it drops the id
// of what it has posted, by which a card is edited, and knows no invoke answers.
// In their place: coreos/go-oidc for the token, with a key set of our own that
// knows endorsements and pace, and some hundred lines for the Bot Connector.
//
// # Keys
//
// A redelivery has the key of the first delivery, and nothing else has:
//
//	m:CHANNEL:ID            a message
//	e:CHANNEL:ID:TIME       an edit of it, or its return after a deletion
//	d:CHANNEL:ID:TIME       its deletion
//	v:ACTIVITY…             reactions, installation, joining and leaving
//	p:ACTIVITY              a press, a command of the message extension
//	s:VIEW:ACTION:VALUES    a form sent: Teams gives a repetition another id and
//	                        another time, so it is known by the dialog and what was
//	                        in it, and its time is that of the dialog
//	w: b: o:                a look at a card, a search, type-ahead: never stored
//
// # Sending
//
// Send, Update and Find are what delivery needs. Each call of the Bot Connector,
// and of Graph, which Find asks, ends in one of chat's errors, so that delivery
// never has to know a code of Teams'. Where people and places are reached is kept in a Book.
package teams
