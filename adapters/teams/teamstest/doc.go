// Package teamstest is a Microsoft Teams that behaves: one tenant with one app,
// kept in memory and served over real HTTP.
//
// It has three sides.
//
//   - The app's side is the Bot Connector, under [Tenant.ServiceURL], with the
//     login that gives the app its tokens ([Tenant.TokenURL]) and the metadata of
//     who signs what the app is sent ([Tenant.OpenIDURL]). It refuses what Teams
//     refuses, with Teams' status codes and errors, and what Teams would take and
//     show to nobody: [CheckCard] judges every card. Beside it is the little of
//     Microsoft Graph that shows the app what stands in a channel or a group chat
//     ([Tenant.GraphURL]).
//   - Teams' side towards the app: signed activities, sent again if they are not
//     answered, and invokes, which are answered at once or never.
//     [Tenant.Connect] says where the app listens.
//   - The people's side is Go: [Tenant.Person] returns somebody who can say, quote,
//     edit, react, press, fill in, submit, search and read. Cards are theirs: each
//     person may have another view of the same one. What happens is told by
//     [Tenant.Follow], a numbered stream that any number of browser windows and
//     tests can follow and take up again.
//
// Method names in the imperative (Say, Press) belong to people and return errors.
// [Script] turns them into sentences for tests, in which a failure ends the test
// and prints the whole conversation.
//
// What is sent has the keys that Microsoft's own emulator sends (recorded in
// testdata). Rules are taken from Microsoft's documentation; the page is named
// beside each. What Microsoft does not publish is marked as unpublished.
package teamstest
