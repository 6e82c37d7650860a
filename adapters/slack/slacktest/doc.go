// Package slacktest is a Slack that behaves: one workspace with one app
// installed in it, kept in memory and served over real HTTP.
//
// It has three sides.
//
//   - The app's side is Slack's Web API. [Workspace.Handler] serves it, so that a
//     client made with slack.OptionAPIURL(url + "/api/") cannot tell the
//     difference. It refuses what Slack refuses, with Slack's error codes.
//   - Slack's side towards the app: signed events, slash commands and
//     interactions, over HTTP or socket mode, redelivered as Slack redelivers.
//     [Workspace.Connect] says where the app listens.
//   - The people's side is Go: [Workspace.Person] returns somebody who can say,
//     edit, react, press, choose, fill in, submit and read. What happens is told
//     by [Workspace.Follow], a numbered stream that any number of browser
//     windows and tests can follow and take up again.
//
// Method names in the imperative (Say, Press) belong to people and return errors.
// [Script] turns them into sentences for tests, in which a failure ends the test
// and prints the whole conversation.
//
// Rules are taken from Slack's reference at docs.slack.dev; the page is named
// beside each rule. What Slack does not publish is marked as unpublished.
package slacktest
