package kb

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/core/knowledge"
)

func TestFramesAreNotRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ trace, want string }{
		"Java": {"Exception in thread \"main\" java.sql.SQLException: ORA-12154: TNS:could not resolve\n\tat oracle.jdbc.Driver.connect(Driver.java:12)\n\tat org.acme.Foo.baz(Foo.java:42)\n\tat java.base/java.lang.Thread.run(Thread.java:840)\nCaused by: java.net.UnknownHostException: db-3\n\t... 23 more\n",
			"Exception in thread \"main\" java.sql.SQLException: ORA-12154: TNS:could not resolve\nCaused by: java.net.UnknownHostException: db-3\n"},
		".NET": {"System.IO.IOException: The file is in use\r\n   at System.IO.File.Open(String path, FileMode mode)\r\n   at Acme.Save(String p) in C:\\src\\x.cs:line 12\r\n   at Acme.Program.Main(String[] args)\r\n",
			"System.IO.IOException: The file is in use\r\n"},
		"JavaScript": {"TypeError: x is undefined\n    at read (/srv/x.js:1:2)\n    at async Object.<anonymous> (/srv/y.js:10:22)\n    at /srv/z.js:3:4\n", "TypeError: x is undefined\n"},
		"Python": {"Traceback (most recent call last):\n  File \"/srv/x.py\", line 3, in <module>\n    run()\n  File \"/srv/x.py\", line 9, in run\n    open(\"a\")\n  File \"/srv/y.py\", line 1, in z\nPermissionError: [Errno 13] denied\n",
			"Traceback (most recent call last):\nPermissionError: [Errno 13] denied\n"},
		"Go":   {"panic: no such table\n\ngoroutine 1 [running]:\nmain.main()\n\t/tmp/x.go:12 +0x1d\nmain.run(0x1, 0x2)\n\t/tmp/y.go:1\n", "panic: no such table\n\n"},
		"PHP":  {"Fatal error: out of memory\n#0 /srv/x.php(12): read()\n#1 /srv/y.php(1): z()\n#2 {main}\n", "Fatal error: out of memory\n"},
		"Ruby": {"x.rb:1: bad (Bad)\n\tfrom x.rb:2:in 'y'\n\tfrom x.rb:3:in 'z'\n\tfrom x.rb:4:in '<main>'\n", "x.rb:1: bad (Bad)\n"},
		"what people write": {"At the office, at floor 3 (room 12.4) it prints.\nat home (Berlin): nothing\nat 12:30 it stops\n# 1 tried twice\nfrom Monday on: in the evening\n... and so on\n",
			"At the office, at floor 3 (room 12.4) it prints.\nat home (Berlin): nothing\nat 12:30 it stops\n# 1 tried twice\nfrom Monday on: in the evening\n... and so on\n"},
	} {
		if got := withoutFrames(tt.trace); got != tt.want {
			t.Errorf("%s: read is\n%q, want\n%q", name, got, tt.want)
		}
	}
}

// A pasted stack trace finds what its message and its code find by themselves,
// wherever in it they stand.
func TestAPastedStackTrace(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{}, append(slices.Clone(officeArticles),
		knowledge.Article{ID: 700, Title: "ORA-12154 in the order program", Symptom: "The order program says: TNS could not resolve the connect identifier.", Answer: "Install the database client again from the Software Center.",
			Audience: []string{knowledge.Everyone}, Language: "en", State: knowledge.Published},
		knowledge.Article{ID: 701, Title: "Spring cleaning of the web servlet room", Symptom: "What happens to servlets, filters and proxies in spring", Answer: "The filter is invoked by the proxy.", Audience: []string{knowledge.Everyone}, Language: "en", State: knowledge.Published})...)
	var frames strings.Builder
	for i := range 200 {
		fmt.Fprintf(&frames, "\tat org.springframework.web.servlet.filter.Proxy%d.invoke(Proxy%d.java:%d)\n", i, i, 10+i)
	}
	const message = "java.sql.SQLException: ORA-12154: TNS:could not resolve the connect identifier specified\n"
	for name, text := range map[string]string{
		"first":             message + frames.String(),
		"last, as a cause":  "javax.servlet.ServletException: the order program stopped\n" + frames.String() + "Caused by: " + message + frames.String()[:2000] + "\n\t... 180 more",
		"below a sentence":  "hi, the order program does not start, this is what it shows:\n\n" + message + frames.String(),
		"after 12,000 more": "the order program does not start\n" + frames.String() + frames.String()[:2000] + "\n" + message,
	} {
		got := suggest(t, x, Query{Text: text})
		if len(got.Hits) == 0 || got.Hits[0].Article != 700 {
			t.Errorf("%s: found %s %q, sure %.2f", name, got.Confidence, titles(got.Hits), got.Sure)
		}
	}
	lists, entries, _ := work(t, x, Query{Text: message + frames.String()})
	if wantLists, wantEntries, _ := work(t, x, Query{Text: message}); lists != wantLists || entries != wantEntries {
		t.Errorf("with 200 frames it takes %d lists with %d entries, without %d with %d", lists, entries, wantLists, wantEntries)
	}
}
