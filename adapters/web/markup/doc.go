// Package markup draws chat.Card and chat.Form as HTML.
//
// What people wrote is text and stays text: html/template escapes it where it
// stands. The markup works without script. A press or a form is a plain POST;
// times are UTC until the page's script puts them into the reader's zone.
//
// Its conditions come from WCAG 2.2: every control has a name, errors stand at
// their field and are tied to it, and the order of the document is the order of
// reading.
package markup
