package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

const testSecret = "8f742231b10e8888abcd99yyyzzz85a5"

// sign signs a body as Slack does.
func sign(h http.Header, body string, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(testSecret))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	h.Set("X-Slack-Request-Timestamp", stamp)
	h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
}

// The example is that of docs.slack.dev/authentication/verifying-requests-from-slack.
func TestSignatureOfSlacksOwnExample(t *testing.T) {
	t.Parallel()
	body := "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	h := http.Header{}
	h.Set("X-Slack-Request-Timestamp", "1531420618")
	h.Set("X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503")
	s := signatures{secret: []byte(testSecret)}
	if at, reason := s.check(h, []byte(body), time.Unix(1531420618, 0)); reason != "" || at.Unix() != 1531420618 {
		t.Errorf("check() = %v, %q", at, reason)
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		name   string
		spoil  func(http.Header)
		reason string
	}{
		{"signed a moment ago", func(http.Header) {}, ""},
		{"signed five minutes ago", func(h http.Header) { sign(h, "body", now.Add(-5*time.Minute)) }, ""},
		{"signed a second more ago", func(h http.Header) { sign(h, "body", now.Add(-5*time.Minute-time.Second)) }, "stale"},
		{"signed in the future", func(h http.Header) { sign(h, "body", now.Add(6*time.Minute)) }, "stale"},
		{"a time before all times", func(h http.Header) { h.Set("X-Slack-Request-Timestamp", "-9223372036854775808") }, "stale"},
		{"a time after all times", func(h http.Header) { h.Set("X-Slack-Request-Timestamp", "9223372036854775807") }, "stale"},
		{"a time that is none", func(h http.Header) { h.Set("X-Slack-Request-Timestamp", "now") }, "forged"},
		{"another time than signed", func(h http.Header) { h.Set("X-Slack-Request-Timestamp", "1700000001") }, "forged"},
		{"another body than signed", func(h http.Header) { sign(h, "bode", now) }, "forged"},
		{"no signature", func(h http.Header) { h.Del("X-Slack-Signature") }, "unsigned"},
		{"no time", func(h http.Header) { h.Del("X-Slack-Request-Timestamp") }, "unsigned"},
		{"another version", func(h http.Header) { h.Set("X-Slack-Signature", "v1"+h.Get("X-Slack-Signature")[2:]) }, "forged"},
		{"half a signature", func(h http.Header) { h.Set("X-Slack-Signature", h.Get("X-Slack-Signature")[:40]) }, "forged"},
		{"a signature that is not hexadecimal", func(h http.Header) { h.Set("X-Slack-Signature", "v0="+string(make([]byte, 64))) }, "forged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := signatures{secret: []byte(testSecret)}
			h := http.Header{}
			sign(h, "body", now)
			tt.spoil(h)
			if _, reason := s.check(h, []byte("body"), now); reason != tt.reason {
				t.Errorf("check() = %q, want %q", reason, tt.reason)
			}
		})
	}
	var none signatures
	h := http.Header{}
	sign(h, "body", now)
	if _, reason := none.check(h, []byte("body"), now); reason == "" {
		t.Error("without a secret everybody is Slack")
	}
}

// What this check believes, slack-go's believes too.
func TestSignatureAgreesWithTheLibrary(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	sign(h, "body", time.Now())
	v, err := slack.NewSecretsVerifier(h, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Write([]byte("body")); err != nil {
		t.Fatal(err)
	}
	if err := v.Ensure(); err != nil {
		t.Error(err)
	}
}
