package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Print writes the rows for people: a line each, with its floor below it.
func Print(w io.Writer, rows []Row) error {
	var table strings.Builder
	t := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "\tmeasured\tgoal\t") // a Builder takes everything
	for _, r := range rows {
		met := ""
		if r.Met != nil {
			met = map[bool]string{true: "met", false: "MISSED"}[*r.Met]
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.What, r.Value, r.Goal, met)
		if r.Floor != "" {
			_, _ = fmt.Fprintf(t, "   %s\t%s\t\t\n", r.FloorIs, r.Floor)
		}
		if r.Ratio != "" {
			_, _ = fmt.Fprintf(t, "   ratio\t%s\t\t\n", r.Ratio)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, table.String())
	return err
}

// WriteJSON writes the rows for programs.
func WriteJSON(w io.Writer, rows []Row) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}
