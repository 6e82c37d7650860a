package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

type tokenCmd struct {
	Add    tokenAddCmd    `cmd:"" help:"Make a token. It is shown once."`
	List   tokenListCmd   `cmd:"" help:"List the tokens: whose, for what, and when they were used."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token at once."`
}

type tokenAddCmd struct {
	storeFlags
	Name    string        `arg:"" help:"What it is for: deploy-shop."`
	Owner   string        `required:"" help:"Mail address of the person for whom it acts. They can't approve what it asks for." placeholder:"MAIL"`
	Scope   []string      `default:"raise" help:"raise: raise changes, see and report on these. read: see every change." placeholder:"SCOPE"`
	Expires time.Duration `default:"8760h" help:"How long it is good; 0 for ever." placeholder:"TIME"`
}

var tokenName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,59}$`)

func (c *tokenAddCmd) Run(ctx context.Context, e *env) (err error) {
	if !tokenName.MatchString(c.Name) {
		return fmt.Errorf("%q is not a name for a token: small letters, digits, dots, hyphens and underscores, at most 60", c.Name)
	}
	slices.Sort(c.Scope)
	t := storage.Token{Name: c.Name, Scopes: slices.Compact(c.Scope)}
	for _, s := range t.Scopes {
		if s != storage.ScopeRaise && s != storage.ScopeRead {
			return fmt.Errorf("there is no scope %q; there are raise and read", s)
		}
	}
	now := time.Now()
	if c.Expires < 0 {
		return errors.New("a token that has expired already is of no use")
	}
	if c.Expires > 0 {
		ends := now.Add(c.Expires)
		t.ExpiresAt = &ends
	}
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	var bearer string
	err = db.InTx(ctx, func(tx *storage.Tx) error {
		if t.Owner, err = tx.PersonByMail(ctx, c.Owner); errors.Is(err, storage.ErrNotFound) {
			return fmt.Errorf("nobody is known with the address %s; it is in the policy file, or of somebody who has written to the desk", c.Owner)
		}
		if err != nil {
			return err
		}
		t, bearer, err = tx.MakeToken(ctx, t, "deskhand token", now)
		if errors.Is(err, storage.ErrConflict) {
			return fmt.Errorf("there is a token %s already; revoke it first, or choose another name", c.Name)
		}
		return err
	})
	if err != nil {
		return err
	}
	e.say("Token, to be sent as Authorization: Bearer …\n  %s\nSecret that callbacks are signed with (standardwebhooks.com):\n  whsec_%s\nNeither is shown again.",
		bearer, base64.StdEncoding.EncodeToString(t.Secret))
	return nil
}

type tokenListCmd struct{ storeFlags }

func (c *tokenListCmd) Run(ctx context.Context, e *env) (err error) {
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return db.View(ctx, func(tx *storage.Tx) error {
		all, err := tx.Tokens(ctx)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			e.say("There are no tokens.")
		}
		ids := make([]people.PersonID, len(all))
		for i, t := range all {
			ids[i] = t.Owner
		}
		names, err := tx.People(ctx, ids...)
		now := time.Now()
		for _, t := range all {
			state := "in force"
			switch {
			case t.RevokedAt != nil:
				state = "revoked " + t.RevokedAt.Format(time.DateOnly)
			case t.ExpiresAt != nil && !t.ExpiresAt.After(now):
				state = "expired " + t.ExpiresAt.Format(time.DateOnly)
			case t.ExpiresAt != nil:
				state = "until " + t.ExpiresAt.Format(time.DateOnly)
			}
			used := "never used"
			if t.UsedAt != nil {
				used = "last used " + t.UsedAt.Format("2006-01-02 15:04")
			}
			e.say("%s  %s, for %s, %s, %s", t.Name, state, names[t.Owner].Name, strings.Join(t.Scopes, " and "), used)
		}
		return err
	})
}

type tokenRevokeCmd struct {
	storeFlags
	Name string `arg:"" help:"Its name."`
}

func (c *tokenRevokeCmd) Run(ctx context.Context, e *env) (err error) {
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	err = db.InTx(ctx, func(tx *storage.Tx) error { return tx.RevokeToken(ctx, c.Name, "deskhand token", time.Now()) })
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("there is no token %q in force; see deskhand token list", c.Name)
	}
	if err == nil {
		e.say("%s opens nothing any more.", c.Name)
	}
	return err
}
