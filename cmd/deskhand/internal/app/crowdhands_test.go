package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// press presses a button of a message until the message has the words.
func (t *talk) press(at scene, who, label string, on func(said) bool, until string) error {
	done := func(m said) bool { return on(m) && strings.Contains(m.shown, until) }
	m, err := t.sees("a button “"+label+"”", func(m said) bool { return on(m) && (at.offers(m, label) || done(m)) })
	if err != nil {
		return err
	}
	if !done(m) {
		if err := t.act(at, who, label, on, m); err != nil {
			return err
		}
	}
	_, err = t.sees("“"+until+"” after pressing “"+label+"”", done)
	return err
}

// act presses until the platform takes it, or the button is gone.
func (t *talk) act(at scene, who, label string, on func(said) bool, m said) error {
	failures := 0
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.failed[label] += failures
	}()
	for late := time.Now().Add(t.patience); ; {
		if !at.offers(m, label) {
			return nil // it has had its effect
		}
		err := at.press(who, m, label)
		switch {
		case errors.Is(err, errFailed) && time.Now().Before(late):
			failures++
		case errors.Is(err, errGone):
			// The card was drawn anew this moment.
		default:
			return err
		}
		if err := t.pause(200 * time.Millisecond); err != nil {
			return err
		}
		if now, ok := t.find(on); ok {
			m = now
		}
	}
}

// opens waits for a form that has the words.
func (t *talk) opens(at scene, who, words string) bool {
	ctx, cancel := context.WithTimeout(t.ctx, formPatience)
	defer cancel()
	return at.wait(ctx, func() bool { return strings.Contains(at.form(who), words) }) == nil
}

// form presses a button until its form is open.
func (t *talk) form(at scene, who, label string, on func(said) bool, words string) error {
	m, err := t.sees("a button “"+label+"”", func(m said) bool { return on(m) && at.offers(m, label) })
	if err != nil {
		return err
	}
	for late := time.Now().Add(t.patience); time.Now().Before(late) && t.ctx.Err() == nil; {
		if err := t.act(at, who, label, on, m); err != nil {
			return err
		}
		if t.opens(at, who, words) {
			return nil
		}
		at.shut(who) // what an earlier press has opened, or half of it
	}
	return fmt.Errorf("“%s” opens no form with “%s”", label, words)
}

// turnPage presses a button of the open form until it has the words. It returns
// errGone if the desk has put words in the form's place that lead no further.
func (t *talk) turnPage(at scene, who, label, words string) error {
	for late := time.Now().Add(t.patience); time.Now().Before(late) && t.ctx.Err() == nil; {
		err := at.pressIn(who, label)
		if errors.Is(err, errGone) {
			err = at.pressIn(who, "It is different")
		}
		if err != nil && !errors.Is(err, errFailed) && !errors.Is(err, errGone) {
			return err
		}
		if t.opens(at, who, words) {
			return nil
		}
		if errors.Is(err, errGone) {
			return errGone
		}
	}
	return fmt.Errorf("“%s” does not lead to “%s”", label, words)
}

// send fills in the open form and sends it until it is taken. No platform
// delivers a form again.
func (t *talk) send(at scene, who string, values map[string]string) error {
	for label, value := range values {
		if err := at.fill(who, label, value); err != nil {
			return fmt.Errorf("fill in “%s”: %w", label, err)
		}
	}
	return t.again("send", func() error { return at.submit(who) })
}
