// Package chat is the desk's neutral model of a conversation: what happened
// (Event), what the desk says (Post with a Card), what it asks (Form) and what
// it answers within a call (Answer). Adapters translate it to and from a
// platform; nothing in it belongs to one.
//
// Text that people wrote travels as plain text and is never interpreted:
// renderers escape it. Only the desk's own words carry marks, as Spans.
package chat
