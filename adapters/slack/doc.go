// Package slack brings what people do in one Slack workspace to the desk as
// chat.Events, and what the desk says back to them.
//
// Inwards, over HTTP (Adapter.Handler) or socket mode (Adapter.RunSocket): the
// signature is checked, the payload decoded into the few fields that matter,
// and the event given to the Desk, which stores it before Slack is answered.
// What Slack wants to know at once, a form to open or a field to refuse, the
// Desk answers within the call.
//
// # Keys
//
// A redelivery has the key of the first delivery, and nothing else has:
//
//	m:CHANNEL:TS            a message; app_mention and message report the same one
//	e:CHANNEL:TS:EVENT_TS   an edit of it
//	d:CHANNEL:TS            its deletion
//	v:EVENT_ID              reactions, joining and leaving, the Home tab
//	p:TRIGGER_ID            a press, a changed field, a shortcut, a message's menu
//	c:TRIGGER_ID            a slash command
//	s:VIEW:HASH:VALUES      a form sent: twice with the same values is once, so
//	                        that "try again" after a lost answer has no second
//	                        effect. A Desk that answers with Errors must not
//	                        count the key as taken
//	x:VIEW                  a form closed unsent
//	o:VIEW:FIELD:TEXT       type-ahead, which is never stored
//
// # Sending
//
// Send, Update and Find are what delivery needs. Each call of Slack's API ends
// in one of chat's errors, so that delivery never has to know a code of Slack's.
package slack
