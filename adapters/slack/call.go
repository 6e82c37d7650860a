package slack

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/bot/chat"
)

// Time limits of one call.
const (
	callTimeout = 10 * time.Second
	fileTimeout = 60 * time.Second
)

// effect says what it means to make a call twice.
type effect int

const (
	repeatable effect = iota // the same again
	creating                 // a second message
)

// call makes one call of Slack's API: within a time limit, measured, and with
// its error in chat's terms.
func (a *Adapter) call(ctx context.Context, method string, what effect, f func(context.Context) error) error {
	limit := callTimeout
	if method == "upload" || method == "download" {
		limit = fileTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	err := translate(f(ctx), what)
	a.metrics.calls.WithLabelValues(method, outcome(err)).Observe(time.Since(start).Seconds())
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*chat.LimitedError](err); ok {
		a.metrics.limited.WithLabelValues(method).Inc()
	}
	return fmt.Errorf("slack: %s: %w", method, err)
}

// codeError is an error code of Slack's that is none of chat's errors.
type codeError string

func (e codeError) Error() string { return string(e) }

// goneError is one that says that something is not there, or not for the desk.
type goneError string

func (e goneError) Error() string { return string(e) }
func (e goneError) Unwrap() error { return chat.ErrGone }

// code is the code that Slack has answered with, if it has.
func code(err error) string {
	if e, ok := errors.AsType[codeError](err); ok {
		return string(e)
	}
	if e, ok := errors.AsType[goneError](err); ok {
		return string(e)
	}
	if e, ok := errors.AsType[*chat.RefusedError](err); ok {
		c, _, _ := strings.Cut(e.Reason, ": ")
		return c
	}
	return ""
}

// translate puts an error of slack-go's, or of the network's, in chat's terms.
func translate(err error, what effect) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return &chat.LimitedError{After: max(e.RetryAfter, time.Second)}
	}
	if e, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return translateCode(e.Err, e.ResponseMetadata.Messages, e.Needed, what)
	}
	if e, ok := errors.AsType[slack.StatusCodeError](err); ok {
		switch {
		case e.Code == http.StatusTooManyRequests:
			return &chat.LimitedError{After: time.Second}
		case e.Code >= 500:
			return unsure(fmt.Errorf("HTTP status %d", e.Code), what)
		}
		return fmt.Errorf("HTTP status %d", e.Code)
	}
	// A URL in an error can be a secret: a response URL, an upload URL.
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return err // it has not left the house
	}
	if errors.Is(err, slack.ErrParametersMissing) || errors.Is(err, slack.ErrBlockIDNotUnique) {
		return &chat.RefusedError{Reason: err.Error()}
	}
	return unsure(err, what)
}

// unsure marks an error after which nobody knows whether Slack has done it.
func unsure(err error, what effect) error {
	if what == creating {
		return fmt.Errorf("%w: %w", chat.ErrUnsure, err)
	}
	return err
}

// gone are the codes that say that a place, a message or a person is not there,
// or not open to the desk. The pages of the methods list them under "Errors".
var gone = map[string]bool{
	"channel_not_found": true, "not_in_channel": true, "is_archived": true, "message_not_found": true,
	"thread_not_found": true, "user_not_found": true, "users_not_found": true, "user_not_visible": true,
	"user_disabled": true, "user_not_in_channel": true, "cannot_dm_bot": true, "file_not_found": true,
	"file_deleted": true, "not_found": true, "restricted_action": true, "restricted_action_read_only_channel": true,
	"restricted_action_thread_only_channel": true, "restricted_action_non_threadable_channel": true,
	"restricted_action_thread_locked": true, "messages_tab_disabled": true, "cannot_reply_to_message": true,
	"method_not_supported_for_channel_type": true, "expired_url": true, "used_url": true,
}

// refused are the codes that say that Slack will never take this call, besides
// all that begin with "invalid_" and are not about the token.
var refused = map[string]bool{
	"msg_too_long": true, "msg_blocks_too_long": true, "too_many_attachments": true, "no_text": true,
	"view_too_large": true, "metadata_too_large": true, "metadata_must_be_sent_from_app": true,
	"cant_update_message": true, "edit_window_closed": true, "bad_timestamp": true, "no_item_specified": true,
	"too_many_emoji": true, "too_many_reactions": true, "push_limit_reached": true, "duplicate_external_id": true,
	"block_mismatch": true, "slack_connect_blocked_file_type": true, "slack_connect_file_upload_sharing_blocked": true,
	"file_upload_size_restricted": true, "as_user_not_supported": true, "not_reactable": true,
}

func translateCode(said string, messages []string, needed string, what effect) error {
	reason := said
	if len(messages) > 0 {
		reason += ": " + strings.Join(messages, "; ")
	}
	switch {
	case said == "ratelimited" || said == "rate_limited":
		return &chat.LimitedError{After: time.Second}
	case gone[said]:
		return goneError(said)
	case said == "invalid_auth":
		return codeError(said)
	case refused[said], strings.HasPrefix(said, "invalid_"):
		return &chat.RefusedError{Reason: reason}
	case said == "internal_error" || said == "fatal_error" || said == "request_timeout" || said == "service_unavailable":
		// "It's possible some aspect of the operation succeeded before the error
		// was raised", as the methods' pages say.
		return unsure(codeError(said), what)
	case said == "missing_scope" && needed != "":
		return fmt.Errorf("%w: the app needs %s; see manifest.yaml", codeError(said), needed)
	}
	return codeError(said)
}

// outcome names how a call ended, for metrics.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	if _, ok := errors.AsType[*chat.LimitedError](err); ok {
		return "limited"
	}
	if _, ok := errors.AsType[*chat.RefusedError](err); ok {
		return "refused"
	}
	switch {
	case errors.Is(err, chat.ErrGone):
		return "gone"
	case errors.Is(err, chat.ErrUnsure):
		return "unsure"
	}
	return cmp.Or(code(err), "failed")
}

// respondTo posts a private message to the response URL of an interaction, which
// Slack takes five times within 30 minutes; after that it is gone.
// See docs.slack.dev/interactivity/handling-user-interaction#message_responses.
func (a *Adapter) respondTo(ctx context.Context, address string, m private) error {
	if !a.slackURL(address) {
		return goneError("expired_url")
	}
	js, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return a.call(ctx, "response_url", repeatable, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(js))
		if err != nil {
			return goneError("expired_url")
		}
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
		resp, err := a.http.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		said, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		switch {
		case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
			return slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
		case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
			return goneError("expired_url")
		case err != nil:
			return err
		}
		// Most errors come as {"ok":false,"error":…}, some as bare text.
		var answer struct {
			OK    *bool  `json:"ok"`
			Error string `json:"error"`
		}
		if json.Unmarshal(said, &answer) == nil && answer.OK != nil && !*answer.OK {
			return slack.SlackErrorResponse{Err: answer.Error}
		}
		if resp.StatusCode >= 400 {
			return &chat.RefusedError{Reason: fmt.Sprintf("HTTP status %d", resp.StatusCode)}
		}
		return nil
	})
}

// slackURL says that an address is Slack's own, or that of the configured API:
// the only ones that may be called with what came in a payload.
func (a *Adapter) slackURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	if api, err := url.Parse(a.apiURL); err == nil && u.Scheme == api.Scheme && strings.EqualFold(u.Host, api.Host) {
		return true
	}
	host := strings.ToLower(u.Hostname())
	for _, domain := range []string{"slack.com", "slack-gov.com"} {
		if u.Scheme == "https" && (host == domain || strings.HasSuffix(host, "."+domain)) {
			return true
		}
	}
	return false
}
