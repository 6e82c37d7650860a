package itemfile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/cmd/deskhand/internal/itemfile"
	"github.com/deskhand/deskhand/core/cmdb"
)

var want = []cmdb.Row{
	{Line: 2, Key: "payroll", Name: "Payroll, monthly", Type: cmdb.Service, State: cmdb.Live, Tier: 1, Owner: "kim@acme.example", Users: 40, Downtime: 9000,
		Relations: map[cmdb.Kind][]string{cmdb.DependsOn: {"app-1", "mail"}}},
	{Line: 3, Key: "app-1", Users: -1, Downtime: -1, Relations: map[cmdb.Kind][]string{cmdb.DependsOn: nil}},
}

const asCSV = "\xef\xbb\xbfItem,Name,Type,State,Tier,Owner,Users,Downtime,depends_on\n" +
	"payroll,\"Payroll, monthly\",Service,live,1,kim@acme.example,40,9000,app-1; mail\napp-1,,,,,,,,\n"

const asYAML = `- {item: payroll, name: "Payroll, monthly", type: service, state: live, tier: 1, owner: kim@acme.example, users: 40, downtime: 9000, depends_on: [app-1, mail]}
- item: app-1
  depends_on:
`

func TestBothFormsReadTheSame(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func() ([]cmdb.Row, []cmdb.Problem, error){
		"commas": func() ([]cmdb.Row, []cmdb.Problem, error) { return itemfile.CSV([]byte(asCSV)) },
		"semicolons": func() ([]cmdb.Row, []cmdb.Problem, error) {
			return itemfile.CSV([]byte("item;name;type;state;tier;owner;users;downtime;depends_on\npayroll;Payroll, monthly;service;live;1;kim@acme.example;40;9000;app-1 mail\napp-1;;;;;;;;\n"))
		},
		"YAML": func() ([]cmdb.Row, []cmdb.Problem, error) { return itemfile.YAML([]byte(asYAML)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, wrong, err := read()
			if err != nil || len(wrong) > 0 {
				t.Fatal(wrong, err)
			}
			for i := range rows {
				rows[i].Line = i + 2
			}
			if diff := cmp.Diff(want, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFilesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, csv, yaml, want string }{
		{"nothing", "", "", "its first line names the columns"},
		{"no column for the item", "name,type\na,b\n", "", "line 1: the column item is missing"},
		{"a column of one's own", "item,colour\n", "", `there is no column "colour"`},
		{"a map", "", "item: x\n", "line 1: this is not a list of items"},
		{"broken YAML", "", "- [\n", "sequence end token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := itemfile.CSV([]byte(tt.csv))
			if tt.yaml != "" {
				_, _, err = itemfile.YAML([]byte(tt.yaml))
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("said %v, want …%s…", err, tt.want)
			}
		})
	}
}

func TestLinesThatCantBeRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, csv, yaml string
		want            []string
	}{
		{"a tier in words", "item,tier\na,1\nb,high\nc,2\n", "", []string{`line 3: tier: "high" is not a whole number`}},
		{"too many fields", "item,tier\na,1,2\n", "", []string{"line 2: there are 3 fields and 2 columns"}},
		{"a quote without an end", "item,name\na,\"b\nc,d\n", "", []string{`line 2: extraneous or missing " in quoted-field`}},
		{"a field of one's own", "", "- {item: a}\n- {item: b, colour: red}\n", []string{`line 2: there is no field "colour"; there are `}},
		{"an item that is a word", "", "- a\n", []string{"line 1: this is not an item with its fields"}},
		{"a map where a word belongs", "", "- item: {a: b}\n", []string{"line 1: item: this is not a word or a number"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, wrong, err := itemfile.CSV([]byte(tt.csv))
			if tt.yaml != "" {
				_, wrong, err = itemfile.YAML([]byte(tt.yaml))
			}
			if err != nil || len(wrong) != len(tt.want) {
				t.Fatal(wrong, err)
			}
			for i, w := range wrong {
				if !strings.HasPrefix(w.String(), tt.want[i]) {
					t.Errorf("said %q, want %q", w, tt.want[i])
				}
			}
		})
	}
}

func TestALargeFileKeepsItsLines(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("item,tier\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, "i-%d,%s\n", i, []string{"1", "x"}[i%2])
	}
	rows, wrong, err := itemfile.CSV([]byte(b.String()))
	if err != nil || len(rows) != 5000 || len(wrong) != 5000 || wrong[4999].Line != 10_001 {
		t.Errorf("%d rows, %d problems, %v", len(rows), len(wrong), err)
	}
}

func FuzzFiles(f *testing.F) {
	f.Add([]byte(asCSV))
	f.Add([]byte(asYAML))
	f.Add([]byte("- &a {item: *a}\n- !!binary x\n- ? [a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, read := range map[string]func([]byte) ([]cmdb.Row, []cmdb.Problem, error){"CSV": itemfile.CSV, "YAML": itemfile.YAML} {
			rows, wrong, err := read(data)
			for _, p := range wrong {
				if p.Line < 1 || p.Text == "" {
					t.Errorf("%s: a problem without a place or a word: %+v", name, p)
				}
			}
			if err != nil && len(rows) > 0 {
				t.Errorf("%s: %d rows of a file that can't be read", name, len(rows))
			}
			cmdb.Compare(rows, cmdb.Known{})
		}
	})
}
