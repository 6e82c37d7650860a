package articlefile

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"

	"github.com/deskhand/deskhand/core/knowledge"
)

// The XML export of a Confluence space is a zip file with entities.xml,
// exportDescriptor.properties and attachments/PAGE/ATTACHMENT[/VERSION]; the
// version is there since Confluence 8.1 and in exports of spaces before
// (Atlassian, "Retrieving File Attachments from a Backup").
//
// entities.xml is a dump of Confluence's objects in no order that one could rely
// on (XWiki, "Confluence XML Format"):
//
//	<hibernate-generic datetime="2026-09-01 12:13:50">
//	<object class="Page" package="com.atlassian.confluence.pages">
//	<id name="id">4711</id>
//	<property name="title"><![CDATA[VPN]]></property>
//	<property name="parent" class="Page" package="…"><id name="id">4700</id></property>
//	<collection name="bodyContents" class="java.util.Collection"><element class="BodyContent" package="…"><id name="id">4712</id></element></collection>
//	</object>
//
// What counts here of it:
//
//	Space                 key, name, spaceStatus
//	Page                  title, space, parent, contentStatus ("current", "draft", "deleted"), originalVersion (of an old version)
//	BodyContent           content (its page), body, bodyType: 2 is the storage format, 0 the wiki markup of before 4.0
//	Attachment            title, before 5.4 fileName; containerContent, before content; version, before attachmentVersion;
//	                      originalVersion or originalVersionId (of an old version); contentStatus
//	Label, Labelling      name; label, content
//	ContentPermissionSet  type ("View", "Edit"), owningContent
//	ContentPermission     owningSet, groupName, userSubject or userName
//	SpacePermission       space, type ("VIEWSPACE"), group, userSubject or userName, allUsersSubject; without any of these: everybody
//
// A page is for those who may view the space and are in the View set of the page
// and in that of each page above it (Atlassian, "Page Restrictions").

// object is one of entities.xml.
type object struct {
	class string
	id    string
	text  map[string]string // properties that are texts, and ids of what the others refer to
}

// confluence is what is known of the space after the first pass.
type confluence struct {
	spaces      map[string]object
	pages       map[string]object
	labels      map[string]string   // id to name
	labelled    map[string][]string // page to ids of labels
	attachments map[string]map[string]attachment
	sets        map[string]object // view restrictions
	members     map[string][]string
	viewers     map[string][]string // space to groups; everyEmployee is one of them
	blogs       int
}

type attachment struct {
	id, version string
	number      int
}

// everyEmployee stands for whoever may sign in.
const everyEmployee = "\x00everybody"

// eachObject calls each with the objects of entities.xml. skip names a
// property whose text is not wanted.
func (r *reader) eachObject(skip string, each func(object)) error {
	f, err := r.fs.Open("entities.xml")
	if err != nil {
		return fmt.Errorf("read articles: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	if err := objects(f, skip, each); err != nil {
		return fmt.Errorf("entities.xml can't be read: %w; make the export anew", err)
	}
	return nil
}

// objects reads a dump as it comes: it may be larger than memory.
func objects(in io.Reader, skip string, each func(object)) error {
	// Confluence writes characters that XML does not have, so they go first.
	clean := transform.NewReader(in, transform.Chain(runes.ReplaceIllFormed(), runes.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' || c == 0xfffe || c == 0xffff {
			return ' '
		}
		return c
	})))
	d := xml.NewDecoder(clean)
	d.Strict = false
	d.Entity = xml.HTMLEntity
	var o *object
	var property string // whose text or id is being read
	var text strings.Builder
	var depth, inObject int
	inID, inCollection := false, false
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if depth > 0 {
				return errors.New("it ends in the middle")
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			switch name := t.Name.Local; {
			case name == "object" && o == nil:
				o, inObject = &object{class: xmlAttr(t, "class"), text: map[string]string{}}, depth
			case o == nil:
			case name == "property" && depth == inObject+1:
				property = xmlAttr(t, "name")
				text.Reset()
			case name == "collection" && depth == inObject+1:
				inCollection = true
			case name == "id" && !inCollection:
				inID = true
				text.Reset()
			}
		case xml.CharData:
			if o != nil && !inCollection && (inID || property != "" && property != skip) && text.Len()+len(t) <= largestBody+1 {
				text.Write(t)
			}
		case xml.EndElement:
			switch name := t.Name.Local; {
			case o == nil:
			case name == "id" && inID:
				inID = false
				if id := strings.TrimSpace(text.String()); property != "" {
					o.text[property] = id
				} else if depth == inObject+1 {
					o.id = id
				}
			case name == "property" && depth == inObject+1:
				if _, ref := o.text[property]; !ref && property != "" {
					o.text[property] = text.String()
				}
				property = ""
			case name == "collection" && depth == inObject+1:
				inCollection = false
			case name == "object" && depth == inObject:
				each(*o)
				o, property, inID, inCollection = nil, "", false, false
			}
			depth--
		}
	}
}

func xmlAttr(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (r *reader) confluenceXML() error {
	c := &confluence{spaces: map[string]object{}, pages: map[string]object{}, labels: map[string]string{}, labelled: map[string][]string{},
		attachments: map[string]map[string]attachment{}, sets: map[string]object{}, members: map[string][]string{}, viewers: map[string][]string{}}
	r.Progress("reading what there is in the space")
	if err := r.eachObject("body", c.take); err != nil {
		return err
	}
	if len(c.pages) == 0 {
		return errors.New("entities.xml has no pages; export the space with its content")
	}
	if len(c.pages) > mostArticles {
		return fmt.Errorf("there are more than %d pages; export the spaces one by one", mostArticles)
	}
	r.Progress(fmt.Sprintf("reading the text of %d pages", len(c.pages)))
	bodies := map[string]object{}
	if err := r.eachObject("", func(o object) {
		if id := o.text["content"]; o.class == "BodyContent" && c.pages[id].id != "" {
			bodies[id] = o
		}
	}); err != nil {
		return err
	}
	if c.blogs > 0 {
		r.problem(Problem{Kind: Remark, File: "entities.xml", Text: fmt.Sprintf("%d blog posts are left out; only pages become articles", c.blogs)})
	}
	for _, id := range sortedKeys(c.pages) {
		if _, said := c.viewers[c.pages[id].text["space"]]; !said {
			r.unsaid = true
		}
		r.pages = append(r.pages, r.confluencePage(c, c.pages[id], bodies[id]))
	}
	return nil
}

// current tells that an object is no old version, draft or waste.
func (o object) current() bool {
	s := o.text["contentStatus"]
	return o.text["originalVersion"] == "" && o.text["originalVersionId"] == "" && (s == "" || s == "current")
}

func (c *confluence) take(o object) {
	switch o.class {
	case "Space":
		c.spaces[o.id] = o
	case "Page":
		if o.current() && o.id != "" {
			c.pages[o.id] = o
		}
	case "BlogPost":
		if o.current() {
			c.blogs++
		}
	case "Attachment":
		if !o.current() {
			return
		}
		owner := cmp.Or(o.text["containerContent"], o.text["content"])
		name := cmp.Or(o.text["title"], o.text["fileName"])
		if c.attachments[owner] == nil {
			c.attachments[owner] = map[string]attachment{}
		}
		a := attachment{id: o.id, version: cmp.Or(o.text["version"], o.text["attachmentVersion"], "1")}
		_, _ = fmt.Sscan(a.version, &a.number) // 0 is as good as none
		if had, ok := c.attachments[owner][name]; !ok || had.number <= a.number {
			c.attachments[owner][name] = a
		}
	case "Label":
		c.labels[o.id] = o.text["name"]
	case "Labelling":
		if page := o.text["content"]; page != "" {
			c.labelled[page] = append(c.labelled[page], o.text["label"])
		}
	case "ContentPermissionSet":
		// Whatever is not about editing or sharing keeps readers out.
		if t := strings.ToLower(strings.TrimSpace(o.text["type"])); t != "edit" && t != "share" {
			c.sets[o.id] = o
		}
	case "ContentPermission":
		c.members[o.text["owningSet"]] = append(c.members[o.text["owningSet"]], who(o.text["groupName"], o))
	case "SpacePermission":
		if o.text["type"] == "VIEWSPACE" {
			space := o.text["space"]
			c.viewers[space] = append(c.viewers[space], cmp.Or(who(o.text["group"], o), everyEmployee))
		}
	}
}

// who is whom a permission names. The group confluence-users is everybody
// (Atlassian, "Confluence Groups for Administrators"); in the cloud it has the
// site's name after it.
func who(group string, o object) string {
	switch user := cmp.Or(o.text["userSubject"], o.text["userName"]); {
	case group == "confluence-users", strings.HasPrefix(group, "confluence-users-"), o.text["allUsersSubject"] != "":
		return everyEmployee
	case group != "":
		return group
	case user != "":
		return "user:" + user
	}
	return ""
}

func (r *reader) confluencePage(c *confluence, o, body object) *page {
	space := c.spaces[o.text["space"]]
	p := &page{
		Article: Article{
			Article: knowledge.Article{Title: oneLine(o.text["title"]), State: knowledge.Published, Language: r.Language},
			Origin:  Origin{"confluence:" + cmp.Or(space.text["key"], "space"), o.id}, File: "entities.xml",
		},
		markup: inStorage, body: strings.ReplaceAll(body.text["body"], "]] >", "]]>"), // as Confluence writes a CDATA section within another
		aliases:    []string{"id:" + o.id, "page:" + space.text["key"] + "/" + o.text["title"]},
		space:      space.text["key"],
		attachment: map[string]string{},
	}
	if space.text["spaceStatus"] == "ARCHIVED" {
		p.State = knowledge.Retired
	}
	for _, l := range c.labelled[o.id] {
		if name := oneLine(c.labels[l]); name != "" && !slices.Contains(p.Tags, name) {
			p.Tags = append(p.Tags, name)
		}
	}
	slices.Sort(p.Tags)
	for name, a := range c.attachments[o.id] {
		at := path.Join("attachments", o.id, a.id)
		if s, err := fs.Stat(r.fs, at); err == nil && s.IsDir() {
			at = path.Join(at, a.version)
		}
		p.attachment[name] = at
	}
	p.readers = c.readers(o)
	switch {
	case p.Title == "":
		p.bad = append(p.bad, p.about(LeftOut, "the page %s has no title", o.id))
	case len(body.text["body"]) > largestBody:
		p.bad = append(p.bad, p.about(LeftOut, "it is larger than %d MB; split it", largestBody>>20))
	case body.text["bodyType"] == "0" || body.text["bodyType"] == "1":
		p.bad = append(p.bad, p.about(LeftOut, "it is in the wiki markup of Confluence 3; open and save it in Confluence, then export again"))
	case strings.TrimSpace(p.body) == "":
		p.bad = append(p.bad, p.about(LeftOut, "it says nothing"))
	case !utf8.ValidString(p.Title):
		p.bad = append(p.bad, p.about(Remark, "some characters of it can't be read; look for �"))
	}
	return p
}

// readers are the conditions that a reader of a page meets.
func (c *confluence) readers(o object) [][]string {
	var all [][]string
	add := func(groups []string) {
		if !slices.Contains(groups, everyEmployee) {
			groups = slices.DeleteFunc(slices.Clone(groups), func(g string) bool { return g == "" })
			slices.Sort(groups)
			all = append(all, slices.Compact(groups))
		}
	}
	if viewers, ok := c.viewers[o.text["space"]]; ok {
		add(viewers)
	}
	above := map[string]bool{}
	for id := o.id; id != "" && !above[id]; id = c.pages[id].text["parent"] {
		above[id] = true
	}
	for _, id := range sortedKeys(c.sets) {
		if above[c.sets[id].text["owningContent"]] {
			add(c.members[id])
		}
	}
	return all
}
