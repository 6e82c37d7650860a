package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/deskhand/deskhand/adapters/teams/apppackage"
)

type teamsCmd struct {
	Package teamsPackageCmd `cmd:"" help:"Write the app package that a Microsoft Teams tenant takes: manifest and icons."`
}

type teamsPackageCmd struct {
	URL        string `name:"url" help:"The desk's public address, such as https://desk.example.com. Its host is where the personal tab is." required:"" placeholder:"URL"`
	AppID      string `name:"app-id" help:"Azure Bot → Configuration → Microsoft App ID." required:"" env:"DESKHAND_TEAMS_APP_ID" placeholder:"ID"`
	Out        string `help:"File to write." type:"path" default:"deskhand-teams.zip" placeholder:"FILE.zip"`
	Company    string `help:"Who runs the desk, as people see it." default:"Your IT team" placeholder:"NAME"`
	Website    string `help:"A page about the desk, its privacy and its terms. By default the desk's own address." placeholder:"URL"`
	AppVersion string `help:"Make it higher when you upload a changed package." default:"1.0.0" placeholder:"VERSION"`
}

func (c *teamsPackageCmd) Run(e *env) error {
	var b bytes.Buffer
	if err := apppackage.Write(&b, apppackage.Options{URL: c.URL, AppID: c.AppID, Version: c.AppVersion, Company: c.Company, Website: c.Website}); err != nil {
		return fmt.Errorf("no package: %w", err)
	}
	if err := os.WriteFile(c.Out, b.Bytes(), 0o644); err != nil {
		return err
	}
	e.say("%s is written. Upload it in the Teams admin centre: Teams apps → Manage apps → Actions → Upload new app.", c.Out)
	return nil
}
