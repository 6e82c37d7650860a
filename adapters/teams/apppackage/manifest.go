package apppackage

import "strings"

const (
	schema      = "https://developer.microsoft.com/json-schemas/teams/v1.25/MicrosoftTeams.schema.json"
	version     = "1.25"
	colorIcon   = "color.png"
	outlineIcon = "outline.png"
	accent      = "#0E7D6D"
)

// What the message extension's commands are called in the invokes.
const (
	FindCommand = "desk.find"
	// OpenCommand is the message menu's action, the same as in Slack.
	OpenCommand = "ticket.from_message"
)

type manifest struct {
	Schema          string          `json:"$schema"`
	ManifestVersion string          `json:"manifestVersion"`
	Version         string          `json:"version"`
	ID              string          `json:"id"`
	Developer       developer       `json:"developer"`
	Name            names           `json:"name"`
	Description     names           `json:"description"`
	Icons           icons           `json:"icons"`
	Accent          string          `json:"accentColor"`
	Bots            []bot           `json:"bots"`
	Extensions      []extension     `json:"composeExtensions"`
	Tabs            []tab           `json:"staticTabs"`
	Domains         []string        `json:"validDomains"`
	WebApp          webApplication  `json:"webApplicationInfo"`
	Authorization   authorization   `json:"authorization"`
	Permissions     []string        `json:"permissions"`
	Install         string          `json:"defaultInstallScope"`
	Group           groupCapability `json:"defaultGroupCapability"`
	Channels        string          `json:"supportsChannelFeatures"`
}

type developer struct {
	Name    string `json:"name"`
	Website string `json:"websiteUrl"`
	Privacy string `json:"privacyUrl"`
	Terms   string `json:"termsOfUseUrl"`
}

type names struct {
	Short string `json:"short"`
	Full  string `json:"full"`
}

type icons struct {
	Color   string `json:"color"`
	Outline string `json:"outline"`
}

type bot struct {
	ID           string        `json:"botId"`
	Scopes       []string      `json:"scopes"`
	Files        bool          `json:"supportsFiles"`
	Notify       bool          `json:"isNotificationOnly"`
	CommandLists []commandList `json:"commandLists"`
}

type commandList struct {
	Scopes   []string  `json:"scopes"`
	Commands []command `json:"commands"`
}

type command struct {
	Title       string `json:"title"`
	Description string `json:"description"`
}

type extension struct {
	BotID    string             `json:"botId"`
	Commands []extensionCommand `json:"commands"`
}

type extensionCommand struct {
	ID          string      `json:"id"`
	Type        string      `json:"type"`
	Title       string      `json:"title"`
	Description string      `json:"description"`
	Context     []string    `json:"context"`
	InitialRun  bool        `json:"initialRun,omitempty"`
	FetchTask   bool        `json:"fetchTask,omitempty"`
	Parameters  []parameter `json:"parameters,omitempty"`
}

type parameter struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Input       string `json:"inputType"`
}

type tab struct {
	ID      string   `json:"entityId"`
	Name    string   `json:"name,omitempty"`
	Content string   `json:"contentUrl,omitempty"`
	Website string   `json:"websiteUrl,omitempty"`
	Scopes  []string `json:"scopes"`
}

type webApplication struct {
	ID       string `json:"id"`
	Resource string `json:"resource"`
}

type authorization struct {
	Permissions struct {
		ResourceSpecific []permission `json:"resourceSpecific"`
	} `json:"permissions"`
}

type permission struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type groupCapability struct {
	Team  string `json:"team"`
	Group string `json:"groupchat"`
}

func newManifest(o Options) (manifest, error) {
	at, err := o.check()
	if err != nil {
		return manifest{}, err
	}
	base := strings.TrimRight(o.URL, "/")
	site := o.Website
	if site == "" {
		site = base
	}
	everyday := []command{
		{"my tickets", "See how your tickets stand"},
		{"new", "Open a ticket"},
		{"help", "What you can do here"},
	}
	m := manifest{
		Schema: schema, ManifestVersion: version, Version: o.Version, ID: o.AppID,
		Developer: developer{Name: o.Company, Website: site, Privacy: site, Terms: site},
		Name:      names{"Deskhand", "Deskhand, the service desk"},
		Description: names{
			"Ask for help, and get an answer or a person",
			"Write to Deskhand, or mention it in a channel, when something is broken or you need something. " +
				"It answers with the article that helps, if there is one. If not, it opens a ticket, and the people who can help " +
				"take it from there; you go on talking in the same place, and see how it stands. It runs on your company's own computers.",
		},
		Icons: icons{colorIcon, outlineIcon}, Accent: accent,
		Bots: []bot{{
			ID: o.AppID, Scopes: []string{"personal", "team", "groupChat"},
			Files: true, // or people could not send it a screenshot's file
			CommandLists: []commandList{
				{[]string{"personal", "groupChat"}, everyday},
				{[]string{"team"}, append(everyday[:len(everyday):len(everyday)], command{"triage", "Send tickets to this channel (admins only)"})},
			},
		}},
		Extensions: []extension{{BotID: o.AppID, Commands: []extensionCommand{
			{
				ID: FindCommand, Type: "query", Title: "Find", Description: "Find an article, or one of your tickets, and put it into a message",
				Context: []string{"compose", "commandBox"}, InitialRun: true,
				Parameters: []parameter{{"text", "Search", "A word or two", "text"}},
			},
			{
				ID: OpenCommand, Type: "action", Title: "Open a ticket", Description: "Turn this message into a ticket",
				Context: []string{"message"}, FetchTask: true,
			},
		}}},
		Tabs: []tab{
			{ID: "conversations", Scopes: []string{"personal"}},
			{ID: "tickets", Name: "My tickets", Content: base + "/tab?host=teams", Website: base + "/tab", Scopes: []string{"personal"}},
			{ID: "about", Scopes: []string{"personal"}},
		},
		Domains: []string{at.Hostname()},
		// The form of a resource that Entra takes for a bot with a tab that signs in.
		WebApp:      webApplication{o.AppID, "api://" + at.Host + "/botid-" + o.AppID},
		Permissions: []string{"identity", "messageTeamMembers"},
		Install:     "personal",
		Group:       groupCapability{"bot", "bot"},
		Channels:    "tier1",
	}
	// Whoever installs the desk in a team or a chat agrees to these for that team
	// or chat, and to nothing else. They let the bot hear what does not mention it,
	// and read in Graph whether a message of its own has arrived.
	m.Authorization.Permissions.ResourceSpecific = []permission{
		{"ChannelMessage.Read.Group", "Application"}, // replies in a ticket's thread, and questions in a help channel, without a mention
		{"ChatMessage.Read.Chat", "Application"},     // the same in a group chat
	}
	return m, nil
}
