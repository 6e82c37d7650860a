// Package simulator gives the platforms' doubles a face: a web page in which a
// person uses the desk as in Slack, as in Microsoft Teams, or in both side by
// side, as two people at one time. It adds nothing of its own to what happens.
// Every click is carried out by a [slacktest.Person] or a [teamstest.Person], and
// every window follows the platform's stream of changes, so two people in two windows see each other
// at once, and the desk hears of them with real signatures over real HTTP.
//
// Who one is belongs to the window: it is in the address (#as=U…, and tas=29:…
// in Teams) and is kept for that window only; so is what it shows
// (show=slack,teams).
//
// # What a browser test can rely on
//
// The page marks what it draws with attributes that stay as they are:
//
//	#you                            the switcher of who I am; data-user is the user id
//	.person [data-user=ID]          a person in the list that it opens
//	[data-place=ID]                 a conversation in the side bar, data-name its title;
//	                                the app's is "app" until its DM has been opened
//	[data-tab=home|messages]        the app's tabs; [data-home] is the Home tab's content
//	textarea[data-composer=CHANNEL] the writing field; in a thread "CHANNEL TS"
//	.room, .thread                  the conversation, and the thread beside it
//	article[data-ts]                a message, with data-channel, data-user, and data-thread-ts
//	                                in threads; data-ephemeral if only this person sees it
//	[data-do=shortcuts]             the menu of global shortcuts, in the heading
//	[data-do=side]                  opens the side bar in a narrow window
//	[data-do=…] in a message        react, thread, more, edit, delete, dismiss, copy; those in
//	                                the menu exist while it is open
//	[data-shortcut=CALLBACK]        a shortcut in the menu that data-do=more opens
//	[data-emoji=NAME]               a reaction, or an emoji in the picker
//	[data-block-id=ID]              a block, with data-block-type
//	[data-action-id=ID]             an interactive element, with data-type; a button's value and
//	                                an option's are in data-value
//	[role=dialog].modal             the open modal, with data-view-id and data-callback-id;
//	                                [data-do=submit], [data-do=back] and [data-do=close] in it
//	[data-confirm=yes]              the yes of a question
//	.busy, [aria-busy=true]         a control that waits for the app
//	.trouble                        words about an app that failed to answer
//	.field-error                    words beside a field that was refused
//	.toast                          a note at the foot of the page
//	[data-show=slack|teams|…]       which platforms the window shows
//
// In Teams the pane is [data-pane=teams], with the same names where they fit:
//
//	#you-teams                      the switcher of who I am there
//	[data-teams-place=ID]           a conversation in the side bar
//	.teams-room                     the conversation; .post a post with its answers,
//	                                [data-do=reply] the button under it
//	article[data-id]                a message, with data-channel, data-user, data-thread
//	.ac                             an Adaptive Card; [data-verb=ACTION] a button of it,
//	                                [data-do=overflow] the menu behind the buttons
//	[data-input=ID]                 an input, in a card or in [role=dialog].teams-dialog
//	.notice                         what the app tells this person alone
//	[data-command=ID]               a command of the app, in a menu or beside the heading
//	[data-found=TITLE]              a result of its search
//
// A toolbar appears when the pointer is over its message or the focus is in it; a
// test moves there first. A window that is hidden looks for news every few
// seconds instead of at once.
package simulator
