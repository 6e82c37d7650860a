package articlefile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
)

// dump is an entities.xml. An object is written as
// "Page 100 title=VPN space>1": texts after =, references after >.
func dump(objects ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<hibernate-generic datetime="2026-09-01 12:13:50">` + "\n")
	for _, o := range objects {
		f := strings.SplitN(o, " ", 3)
		fmt.Fprintf(&b, `<object class="%s" package="com.atlassian.confluence"><id name="id">%s</id>`+"\n", f[0], f[1])
		for field := range strings.SplitSeq(f[2], "|") {
			if name, value, ok := strings.Cut(field, "="); ok && !strings.Contains(name, ">") {
				fmt.Fprintf(&b, `<property name="%s"><![CDATA[%s]]></property>`, name, strings.ReplaceAll(value, "]]>", "]] >"))
			} else if name, id, ok := strings.Cut(field, ">"); ok {
				fmt.Fprintf(&b, `<property name="%s" class="X" package="y"><id name="id">%s</id>`+"\n</property>", name, id)
			} else {
				fmt.Fprintf(&b, `<property name="%s"/>`, field)
			}
		}
		b.WriteString(`<collection name="things" class="java.util.Collection"><element class="Page" package="z"><id name="id">999</id></element></collection></object>` + "\n")
	}
	return b.String() + "</hibernate-generic>\n"
}

func body(page, text string) string {
	return "BodyContent b" + page + " content>" + page + "|bodyType=2|body=" + text
}

var openSpace = []string{"Space 1 key=IT|name=IT desk", "SpacePermission 2 space>1|type=VIEWSPACE|group=confluence-users|userSubject"}

func TestReadsAConfluenceSpace(t *testing.T) {
	t.Parallel()
	macros := `<p>Do&nbsp;this:</p><ol><li>Open <strong>Settings</strong>.</li><li><ac:image ac:alt="The window"><ri:attachment ri:filename="window.png" /></ac:image></li></ol>` +
		`<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">bash</ac:parameter><ac:plain-text-body><![CDATA[echo "<ok>" && exit]]></ac:plain-text-body></ac:structured-macro>` +
		`<ac:structured-macro ac:name="info"><ac:parameter ac:name="title">Mind</ac:parameter><ac:rich-text-body><p>A minute.</p></ac:rich-text-body></ac:structured-macro>` +
		`<ac:structured-macro ac:name="toc" /><ac:structured-macro ac:name="drawio"><ac:parameter ac:name="x">1</ac:parameter></ac:structured-macro>` +
		`<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>incomplete</ac:task-status><ac:task-body>Tick it</ac:task-body></ac:task></ac:task-list>` +
		`<ac:layout><ac:layout-section><ac:layout-cell><p><ac:link><ri:page ri:content-title="Wi-Fi: 50% &amp; more?" /><ac:plain-text-link-body><![CDATA[Wi-Fi]]></ac:plain-text-link-body></ac:link>, ` +
		`<ac:link><ri:page ri:space-key="HR" ri:content-title="Pay" /></ac:link>, <a href="https://wiki.example.com/pages/viewpage.action?pageId=101">by number</a>, ` +
		`<ac:link><ri:user ri:userkey="u1" /></ac:link><ac:link><ri:attachment ri:filename="a.pdf" /></ac:link><script>alert(1)</script></p></ac:layout-cell></ac:layout-section></ac:layout>`
	objects := slices.Concat([]string{body("100", macros)}, openSpace, []string{
		"Page 100 title=Keep the VPN|space>1|contentStatus=current",
		"Page 90 title=Keep the VPN (old)|space>1|originalVersion>100",
		"Page 91 title=Waste|space>1|contentStatus=deleted",
		"Page 101 title=Wi-Fi: 50% & more?|space>1|contentStatus=current", body("101", "<p>Ask \x08for a code.</p>"),
		"Page 102 title=|space>1", body("102", "<p>x</p>"),
		"Page 103 title=Old|space>1", "BodyContent b103 content>103|bodyType=0|body=h1. Old",
		"Page 104 title=Empty|space>1",
		"Page 105 title=Broken|space>1", body("105", "<p>cut < off"),
		"BlogPost 106 title=News|space>1", body("90", "<p>old</p>"),
		"Attachment 200 title=window.png|containerContent>100|version=1", "Attachment 201 title=window.png|containerContent>100|version=2", "Attachment 202 title=window.png|containerContent>100|version=3|contentStatus=deleted",
		"Label 300 name=network", "Labelling 301 label>300|content>100",
	})
	for _, layout := range []string{"attachments/100/201/2", "attachments/100/201"} {
		b := read(t, dirOf(map[string]string{"IT/entities.xml": dump(objects...), "IT/" + layout: dot(4), "IT/exportDescriptor.properties": "spaceKey=IT"}), Options{})
		a := b.bySlug(t, "keep-the-vpn")
		if len(a.Pictures) != 1 || b.Format != "confluence-xml" {
			t.Fatalf("read %d pictures of %s; problems %v", len(a.Pictures), b.Format, b.Problems)
		}
		want := "Do this:\n\n1. Open **Settings**.\n2. ![The window](images/" + a.Pictures[0].Name + ")\n\n```bash\necho \"<ok>\" && exit\n```\n\n> **Mind**\n> \n> A minute.\n\n- Tick it\n\n" +
			"[Wi-Fi](wi-fi-50-more.md), Pay, [by number](wi-fi-50-more.md), a.pdf"
		if diff := cmp.Diff(strings.ReplaceAll(want, "> \n", ">\n"), a.Answer); diff != "" {
			t.Errorf("the answer (-want +got):\n%s", diff)
		}
		if a.Origin != (Origin{"confluence:IT", "100"}) || !slices.Equal(a.Tags, []string{"network"}) || !slices.Equal(a.Audience, []string{"everyone"}) {
			t.Errorf("the article is %+v", a)
		}
		if w := b.bySlug(t, "wi-fi-50-more"); w.Answer != "Ask for a code." {
			t.Errorf("the other page says %q", w.Answer)
		}
		wantProblems(t, b,
			"0 entities.xml “Broken”: its text is damaged", "0 entities.xml “Empty”: it says nothing", "0 entities.xml “Old”: it is in the wiki markup of Confluence 3", "0 entities.xml: the page 102 has no title",
			"1 entities.xml “Keep the VPN”: the page “HR/Pay” that it links to is not here",
			"3 entities.xml “Keep the VPN”: the file “a.pdf” that it links to does not come along", "3 entities.xml “Keep the VPN”: the macro “drawio” is left out", "3 entities.xml: 1 blog posts are left out")
	}
}

// What is for a few in Confluence is never for more here.
func TestRestrictedPagesStayRestricted(t *testing.T) {
	t.Parallel()
	pages := func(extra ...string) map[string]string {
		return map[string]string{"entities.xml": dump(slices.Concat([]string{
			"Page 100 title=Top|space>1", body("100", "<p>text</p>"),
			"Page 101 title=Below|space>1|parent>100", body("101", "<p>text</p>"),
			"Page 102 title=Beside|space>1", body("102", "<p>text</p>"),
		}, extra)...)}
	}
	set := func(id, page, kind string, members ...string) []string {
		out := []string{"ContentPermissionSet " + id + " type=" + kind + "|owningContent>" + page}
		for i, m := range members {
			out = append(out, fmt.Sprintf("ContentPermission %s%d owningSet>%s|%s", id, i, id, m))
		}
		return out
	}
	tests := []struct {
		name     string
		extra    []string
		audience map[string][]string
		want     map[string]string // slug to audience; "" if left out
	}{
		{"an open space", openSpace, nil, map[string]string{"top": "everyone", "below": "everyone", "beside": "everyone"}},
		{"anonymous readers", []string{"Space 1 key=IT", "SpacePermission 2 space>1|type=VIEWSPACE|group|userSubject"}, nil, map[string]string{"top": "everyone", "below": "everyone", "beside": "everyone"}},
		{"everybody who is signed in", []string{"Space 1 key=IT", "SpacePermission 2 space>1|type=VIEWSPACE|allUsersSubject=authenticated-users"}, nil, map[string]string{"top": "everyone", "below": "everyone", "beside": "everyone"}},
		{"a set holds for the pages below it", slices.Concat(openSpace, set("5", "100", "View", "groupName=hr-staff|userSubject")), nil, map[string]string{"top": "", "below": "", "beside": "everyone"}},
		{"with the group known here", slices.Concat(openSpace, set("5", "100", "View", "groupName=hr-staff|userSubject")), map[string][]string{"hr-staff": {"hr"}}, map[string]string{"top": "hr", "below": "hr", "beside": "everyone"}},
		{"a set below narrows that above", slices.Concat(openSpace, set("5", "100", "View", "groupName=a", "groupName=b"), set("6", "101", "View", "groupName=b")), map[string][]string{"a": {"hr"}, "b": {"legal"}},
			map[string]string{"top": "hr,legal", "below": "legal", "beside": "everyone"}},
		{"nobody is in both", slices.Concat(openSpace, set("5", "100", "View", "groupName=a"), set("6", "101", "View", "groupName=b")), map[string][]string{"a": {"hr"}, "b": {"legal"}}, map[string]string{"top": "hr", "below": "", "beside": "everyone"}},
		{"a person is no group", slices.Concat(openSpace, set("5", "102", "View", "userSubject>u1|groupName")), nil, map[string]string{"top": "everyone", "below": "everyone", "beside": ""}},
		{"a person beside a group", slices.Concat(openSpace, set("5", "102", "View", "userSubject>u1|groupName", "groupName=a")), map[string][]string{"a": {"hr"}}, map[string]string{"top": "everyone", "below": "everyone", "beside": "hr"}},
		{"a set without members", slices.Concat(openSpace, set("5", "102", "View")), map[string][]string{"*": {"it"}}, map[string]string{"top": "everyone", "below": "everyone", "beside": ""}},
		{"any other group", slices.Concat(openSpace, set("5", "102", "View", "groupName=z")), map[string][]string{"*": {"it"}}, map[string]string{"top": "everyone", "below": "everyone", "beside": "it"}},
		{"who may edit says nothing of readers", slices.Concat(openSpace, set("5", "102", "Edit", "groupName=z")), nil, map[string]string{"top": "everyone", "below": "everyone", "beside": "everyone"}},
		{"a kind that nobody knows keeps readers out", slices.Concat(openSpace, set("5", "102", "Peek", "groupName=z")), nil, map[string]string{"top": "everyone", "below": "everyone", "beside": ""}},
		{"a space for a group", []string{"Space 1 key=IT", "SpacePermission 2 space>1|type=VIEWSPACE|group=admins", "SpacePermission 3 space>1|type=EDITSPACE|group=confluence-users"}, nil, map[string]string{"top": "", "below": "", "beside": ""}},
		{"parents in a circle", slices.Concat(openSpace, []string{"Page 103 title=Circle|space>1|parent>103", body("103", "<p>text</p>")}), nil, map[string]string{"top": "everyone", "below": "everyone", "beside": "everyone", "circle": "everyone"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := read(t, dirOf(pages(tt.extra...)), Options{Audience: tt.audience})
			got := map[string]string{}
			for slug := range tt.want {
				got[slug] = ""
			}
			for _, a := range b.Articles {
				got[a.Slug] = strings.Join(a.Audience, ",")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("who may read (-want +got):\n%s\n%v", diff, b.Problems)
			}
		})
	}
	t.Run("a space that does not say who may view it", func(t *testing.T) {
		t.Parallel()
		if _, err := Read(dirOf(pages("Space 1 key=IT")), Options{}); err == nil || !strings.Contains(err.Error(), "--for") {
			t.Errorf("Read() = %v, want to be asked", err)
		}
	})
}

func TestReadsConfluencesHTML(t *testing.T) {
	t.Parallel()
	htmlPage := func(title, text string) string {
		return `<!DOCTYPE html><html><head><title>IT desk : ` + title + `</title></head><body class="theme-default aui-theme-default"><div id="page"><div id="main" class="aui-page-panel"><div id="main-header"><div id="breadcrumb-section"><ol id="breadcrumbs"><li><a href="index.html">IT desk</a></li></ol></div><h1 id="title-heading" class="pagetitle"><span id="title-text">
			IT desk : ` + title + `
			</span></h1></div><div id="content" class="view"><div class="page-metadata">Created by <span class='author'> Ana</span></div><div id="main-content" class="wiki-content group">` + text + `</div><div class="pageSection group"><h2 id="attachments">Attachments:</h2></div></div></div></div></body></html>`
	}
	files := dirOf(map[string]string{
		"IT/index.html": `<html><body><div class="aui-page-panel"><h2>Space Details:</h2><table class="confluenceTable"><tr><th class="confluenceTh">Key</th><td class="confluenceTd">IT</td></tr></table><h2>Available Pages:</h2><ul><li><a href="VPN_100.html">VPN</a></li></ul></div></body></html>`,
		"IT/VPN_100.html": htmlPage("VPN : drops", `<div class="toc-macro"><a href="#x">Contents</a></div><p>Turn it off. <a href="101.html">Wi-Fi</a> <a href="Gone_5.html">gone</a></p>
			<p><span class="confluence-embedded-file-wrapper"><img class="confluence-embedded-image" src="attachments/100/200.png" data-image-src="attachments/100/200.png"></span></p>`),
		"IT/101.html":                htmlPage("Wi-Fi", "<p>Ask.</p>"),
		"IT/attachments/100/200.png": dot(5), "IT/styles/site.css": "",
	})
	if _, err := Read(files, Options{}); err == nil || !strings.Contains(err.Error(), "--for") {
		t.Errorf("Read() = %v, want to be asked who may read it", err)
	}
	b := read(t, files, Options{For: []string{knowledge.Everyone}})
	a := b.bySlug(t, "vpn-drops")
	if want := "Turn it off. [Wi-Fi](wi-fi.md) gone\n\n![Picture](images/" + a.Pictures[0].Name + ")"; a.Answer != want || a.Title != "VPN : drops" || a.Origin != (Origin{"confluence:IT", "100"}) || b.Format != "confluence-html" {
		t.Errorf("the article is %+v, want the answer %q", a, want)
	}
	wantProblems(t, b, `1 VPN_100.html “VPN : drops”: the link to "Gone_5.html" leads nowhere`)
}
