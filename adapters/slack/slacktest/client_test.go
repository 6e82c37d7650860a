package slacktest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

// What slack-go reads of people and channels is what is there.
func TestClientReadsPeopleAndChannels(t *testing.T) {
	t.Parallel()
	tw := newTown(t)
	ctx := t.Context()
	who, err := tw.AuthTestContext(ctx)
	if err != nil || who.UserID != "U0DESK" || who.BotID != "B0DESK" || who.TeamID != "T0SLACKTEST" || who.User != "desk" {
		t.Errorf("auth.test = %+v, %v", who, err)
	}
	if bot, err := tw.GetBotInfoContext(ctx, slack.GetBotInfoParameters{Bot: who.BotID}); err != nil || bot.AppID != "A0DESK" || bot.UserID != "U0DESK" {
		t.Errorf("bots.info = %+v, %v", bot, err)
	}
	if team, err := tw.GetTeamInfoContext(ctx); err != nil || team.Name != "Acme" || team.Domain != "acme" {
		t.Errorf("team.info = %+v, %v", team, err)
	}
	u, err := tw.GetUserInfoContext(ctx, "Uana")
	if err != nil || u.Name != "ana" || u.Profile.Email != "ana@acme.test" || !u.IsEmailConfirmed || u.TZ != "Europe/Oslo" || u.TZOffset == 0 || u.IsBot || u.TeamID != "T0SLACKTEST" {
		t.Errorf("users.info = %+v, %v", u, err)
	}
	if u, err := tw.GetUserByEmailContext(ctx, "BEN@acme.test"); err != nil || u.ID != "Uben" {
		t.Errorf("users.lookupByEmail = %+v, %v", u, err)
	}
	if p, err := tw.GetUserProfileContext(ctx, &slack.GetUserProfileParameters{UserID: "Uben"}); err != nil || p.RealName != "ben" {
		t.Errorf("users.profile.get = %+v, %v", p, err)
	}
	users, err := tw.GetUsersContext(ctx, slack.GetUsersOptionLimit(1))
	var names []string
	for _, u := range users {
		names = append(names, u.Name)
	}
	if err != nil || !slices.Equal(names, []string{"desk", "ana", "ben"}) || !users[0].IsBot || users[0].Profile.BotID != "B0DESK" {
		t.Errorf("users.list one at a time = %v, %v", names, err)
	}
	seen := func(types ...string) (ids []string) {
		cursor := ""
		for {
			list, next, err := tw.GetConversationsContext(ctx, &slack.GetConversationsParameters{Types: types, Limit: 2, Cursor: cursor, ExcludeArchived: len(types) > 1})
			if err != nil {
				t.Fatalf("conversations.list: %v", err)
			}
			for _, c := range list {
				ids = append(ids, c.ID)
			}
			if cursor = next; next == "" {
				return ids
			}
		}
	}
	if diff := cmp.Diff([]string{"Chelp", "Cpublic", "Cold"}, seen("public_channel")); diff != "" {
		t.Errorf("public channels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Chelp", "Cpublic", "Cours"}, seen("public_channel", "private_channel")); diff != "" {
		t.Errorf("channels that are not archived (-want +got):\n%s", diff)
	}
	mine, _, err := tw.GetConversationsForUserContext(ctx, &slack.GetConversationsForUserParameters{Types: []string{"public_channel", "private_channel"}})
	if err != nil || len(mine) != 3 {
		t.Errorf("users.conversations = %v, %v", mine, err)
	}
	c, err := tw.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: "Chelp", IncludeNumMembers: true})
	if err != nil || c.Name != "help" || !c.IsChannel || !c.IsMember || c.IsPrivate || c.NumMembers != 3 {
		t.Errorf("conversations.info = %+v, %v", c, err)
	}
	if c, err := tw.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: "Cours"}); err != nil || !c.IsPrivate || !c.IsGroup {
		t.Errorf("conversations.info of a private channel = %+v, %v", c, err)
	}
	members, next, err := tw.GetUsersInConversationContext(ctx, &slack.GetUsersInConversationParameters{ChannelID: "Chelp", Limit: 2})
	if err != nil || !slices.Equal(members, []string{"Uana", "Uben"}) || next == "" {
		t.Errorf("conversations.members = %v, %q, %v", members, next, err)
	}
}

func TestClientActs(t *testing.T) {
	t.Parallel()
	tw := newTown(t)
	ctx := t.Context()
	dm, _, already, err := tw.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{"Uana"}, ReturnIM: true})
	if err != nil || already || !dm.IsIM || dm.User != "Uana" {
		t.Fatalf("conversations.open = %+v, %v, %v", dm, already, err)
	}
	again, _, already, err := tw.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{"Uana"}})
	if err != nil || !already || again.ID != dm.ID {
		t.Errorf("a second time = %+v, %v, %v", again, already, err)
	}
	if _, _, already, err = tw.OpenConversationContext(ctx, &slack.OpenConversationParameters{ChannelID: dm.ID}); err != nil || !already {
		t.Errorf("by its id: %v, %v", already, err)
	}
	group, _, _, err := tw.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{"Uana", "Uben"}, ReturnIM: true})
	if err != nil || !group.IsMpIM || !strings.HasPrefix(group.Name, "mpdm-ana--ben--desk") {
		t.Errorf("a group = %+v, %v", group, err)
	}
	if c, _, _, err := tw.JoinConversationContext(ctx, "Cpublic"); err != nil || !c.IsMember {
		t.Errorf("conversations.join = %+v, %v", c, err)
	}
	if _, _, warnings, err := tw.JoinConversationContext(ctx, "Cpublic"); err != nil || !slices.Contains(warnings, "already_in_channel") {
		t.Errorf("a second time: %v, %v", warnings, err)
	}
	if _, err := tw.InviteUsersToConversationContext(ctx, "Cpublic", "Uben"); err != nil {
		t.Errorf("conversations.invite: %v", err)
	}
	if notIn, err := tw.LeaveConversationContext(ctx, "Cpublic"); err != nil || notIn {
		t.Errorf("conversations.leave = %v, %v", notIn, err)
	}
	if notIn, err := tw.LeaveConversationContext(ctx, "Cpublic"); err != nil || !notIn {
		t.Errorf("a second time = %v, %v", notIn, err)
	}
	made, err := tw.CreateConversationContext(ctx, slack.CreateConversationParams{ChannelName: "inc-1", IsPrivate: true})
	if err != nil || made.Name != "inc-1" || !made.IsPrivate || made.Creator != "U0DESK" {
		t.Errorf("conversations.create = %+v, %v", made, err)
	}
	ref := slack.NewRefToMessage("Chelp", tw.byAna)
	if err := tw.AddReactionContext(ctx, "eyes", ref); err != nil {
		t.Errorf("reactions.add: %v", err)
	}
	if err := tw.AddReactionContext(ctx, "eyes", ref); err == nil || err.Error() != "already_reacted" {
		t.Errorf("a second time: %v", err)
	}
	if got, err := tw.GetReactionsContext(ctx, ref, slack.GetReactionsParameters{}); err != nil || len(got.Reactions) != 1 || got.Reactions[0].Name != "eyes" || got.Reactions[0].Count != 1 {
		t.Errorf("reactions.get = %+v, %v", got, err)
	}
	if err := tw.RemoveReactionContext(ctx, "eyes", ref); err != nil {
		t.Errorf("reactions.remove: %v", err)
	}
	link, err := tw.GetPermalinkContext(ctx, &slack.PermalinkParameters{Channel: "Chelp", Ts: tw.reply})
	want := "https://acme.slack.com/archives/Chelp/p" + strings.Replace(tw.reply, ".", "", 1) + "?thread_ts=" + tw.byAna + "&cid=Chelp"
	if err != nil || link != want {
		t.Errorf("chat.getPermalink = %q, %v; want %q", link, err, want)
	}
	ts, err := tw.PostEphemeralContext(ctx, "Chelp", "Uana", slack.MsgOptionText("psst", false), slack.MsgOptionTS(tw.byAna))
	if m, ok := tw.w.Message("help", ts); err != nil || !ok || m.To != "Uana" || m.ThreadTS != tw.byAna {
		t.Errorf("chat.postEphemeral = %q, %v: %+v", ts, err, m)
	}
	channel, _, text, err := tw.UpdateMessageContext(ctx, "Chelp", tw.byBot, slack.MsgOptionText("new", false))
	if err != nil || channel != "Chelp" || text != "new" {
		t.Errorf("chat.update = %q, %q, %v", channel, text, err)
	}
	if _, _, err := tw.DeleteMessageContext(ctx, "Chelp", tw.byBot); err != nil {
		t.Errorf("chat.delete: %v", err)
	}
	var refused slack.SlackErrorResponse
	_, _, err = tw.PostMessageContext(ctx, "Chelp", slack.MsgOptionBlocks(slack.NewHeaderBlock(slack.NewTextBlockObject("plain_text", strings.Repeat("x", 151), false, false))))
	if !errors.As(err, &refused) || refused.Err != "invalid_blocks" || !slices.Equal(refused.ResponseMetadata.Messages, []string{"[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"}) {
		t.Errorf("a long header: %+v", err)
	}
}

func TestClientOpensViews(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	plain := func(s string) *slack.TextBlockObject { return slack.NewTextBlockObject("plain_text", s, false, false) }
	view := slack.ModalViewRequest{
		Type: slack.VTModal, Title: plain("T"), Submit: plain("Send"), ExternalID: "ext",
		Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewInputBlock("", plain("Where"), nil, &slack.SelectBlockElement{Type: slack.OptTypeConversations, ActionID: "to", ResponseURLEnabled: true}),
		}},
	}
	opened, err := a.OpenView(a.trigger(), view)
	if err != nil || opened.Hash == "" || opened.RootViewID != opened.ID || opened.ExternalID != "ext" {
		t.Fatalf("views.open = %+v, %v", opened, err)
	}
	block := opened.Blocks.BlockSet[0].(*slack.InputBlock).BlockID
	if block == "" {
		t.Error("the block has no id")
	}
	ana := a.w.Person("ana")
	if err := ana.Act(slacktest.Act{View: opened.ID, Action: "to", Values: []string{"Chelp"}}); err != nil {
		t.Fatal(err)
	}
	if updated, err := a.UpdateView(view, "ext", opened.Hash, ""); err != nil || updated.ID != opened.ID {
		t.Errorf("views.update by external id = %+v, %v", updated, err)
	}
	// The block had no id of its own, so that the new one is another block and
	// what was chosen is gone.
	if refused, err := ana.Submit(opened.ID); err != nil || len(refused) != 1 {
		t.Errorf("Submit() = %v, %v; want the empty field refused", refused, err)
	}
	if err := ana.Act(slacktest.Act{View: opened.ID, Action: "to", Values: []string{"Chelp"}}); err != nil {
		t.Fatal(err)
	}
	if refused, err := ana.Submit(opened.ID); err != nil || len(refused) != 0 {
		t.Fatalf("Submit() = %v, %v", refused, err)
	}
	sent := a.one(ofType("view_submission"))
	if len(sent.ResponseURLs) != 1 || sent.ResponseURLs[0].ChannelID != "Chelp" {
		t.Fatalf("response_urls = %+v", sent.ResponseURLs)
	}
	if _, _, err := a.PostMessage("", slack.MsgOptionResponseURL(sent.ResponseURLs[0].ResponseURL, slack.ResponseTypeInChannel), slack.MsgOptionText("done", false)); err != nil {
		t.Errorf("through the response URL: %v", err)
	}
	list := must(a.w.Person("ben").Messages("help", "", 10))
	if got := list[len(list)-1].Text; got != "done" {
		t.Errorf("#help ends with %q", got)
	}
	home, err := a.PublishView("Uana", slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}}, "")
	if v, ok := ana.Home(); err != nil || !ok || v.ID != home.ID {
		t.Errorf("views.publish = %+v, %v; ana has %+v", home, err, v)
	}
	if updated, err := a.UpdateView(slack.ModalViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}}, "", home.Hash, home.ID); err != nil || updated.Type != slack.VTHomeTab {
		t.Errorf("views.update of a Home tab = %+v, %v", updated, err)
	}
}

func TestGuestsSeeOnlyTheirChannels(t *testing.T) {
	t.Parallel()
	tw := newTown(t)
	must(tw.w.AddUser(slacktest.User{Name: "gus", Guest: true}))
	gus := tw.w.Person("gus")
	if err := tw.w.Person("ana").Invite("help", "gus"); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range gus.Conversations() {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"help"}) {
		t.Errorf("gus sees %v", names)
	}
	if _, err := gus.Messages("general", "", 1); !errors.Is(err, slacktest.ErrRefused) {
		t.Errorf("gus reading #general: %v", err)
	}
	if err := gus.Join("general"); !errors.Is(err, slacktest.ErrRefused) {
		t.Errorf("gus joining #general: %v", err)
	}
	ben := tw.w.Person("ben")
	if err := ben.Join("general"); err != nil {
		t.Errorf("ben joining #general: %v", err)
	}
	if err := ben.Leave("general"); err != nil {
		t.Errorf("ben leaving #general: %v", err)
	}
	if err := ben.Leave("general"); !errors.Is(err, slacktest.ErrRefused) {
		t.Errorf("ben leaving twice: %v", err)
	}
}
