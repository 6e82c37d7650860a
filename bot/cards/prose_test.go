package cards

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot/chat"
)

func TestPicturesStandAfterTheirSteps(t *testing.T) {
	t.Parallel()
	const a, b = "0123456789abcdef0123456789abcdef.png", "1123456789abcdef0123456789abcdef.png"
	blocks := prose("Before ![one](images/" + a + ")\n\n1. Open it.\n2. See ![the window](images/" + b + ").\n3. Press.\n\n![alone](images/" + a + ")\n\nAfter ![far](https://evil.example/x.png)")
	link := func(name string) string { return "https://desk.example/" + name }
	got := Pictures(blocks, link)
	want := []chat.Block{
		chat.Section{Text: chat.Join(chat.T("Before "), chat.T("one"))},
		chat.Picture{URL: "https://desk.example/" + a, Alt: "one"},
		chat.List{Ordered: true, Items: []chat.Rich{chat.T("Open it."), chat.Join(chat.T("See "), chat.T("the window"), chat.T(".")), chat.T("Press.")}},
		chat.Picture{URL: "https://desk.example/" + b, Alt: "the window"},
		chat.Picture{URL: "https://desk.example/" + a, Alt: "alone"},
		chat.Section{Text: chat.T("After far")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Pictures() (-want +got):\n%s", diff)
	}
	if p := Pictures(blocks, nil)[1]; p != (chat.Picture{Alt: "one"}) {
		t.Errorf("without a link a picture is %+v", p)
	}
}
