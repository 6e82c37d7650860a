package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

// TicketFacts are what a ticket's cards tell of the record.
type TicketFacts struct {
	Ticket   ticket.Ticket
	People   map[people.PersonID]people.Person // requester, author and owner
	Question Question                          // that the ticket came from; zero if none
	Items    []cmdb.Item                       // that it is about, by key
	Changes  []TicketChange                    // what was said first, then suspects
	Clocks   []Clock                           // response, then resolution
	NewDue   map[sla.Kind]time.Time            // what the requester was told instead of what was missed
	Outage   string                            // what is down, while it is a known outage
	MeToo    int                               // persons who said that it concerns them too
	Waiting  int                               // and others who want to hear when it is fixed
	Guessed  *Prediction                       // what the desk guessed when it was opened; nil: nothing
}

// QuestionFacts are what a question's card tells of the record.
type QuestionFacts struct {
	Question Question
	Open     []ticket.Ticket // of whoever asked, while the question is open: the newest, OpenShown at most
	Became   string          // the reference of its ticket; empty: it has none
}

// OpenShown is how many of the asker's open tickets a question's card has.
const OpenShown = 3

// CardFacts are what cards tell of the record that are drawn at one moment.
type CardFacts struct {
	Tickets    map[ticket.ID]TicketFacts
	Questions  map[QuestionID]QuestionFacts
	Superseded map[PostID]bool
}

// CardSubjects are what CardFacts are wanted of.
type CardSubjects struct {
	Tickets    []ticket.ID
	Questions  []QuestionID
	Superseded []PostID // see Superseded
}

// TicketFacts are those of one ticket.
func (tx *Tx) TicketFacts(ctx context.Context, id ticket.ID) (TicketFacts, error) {
	all, err := tx.CardFacts(ctx, CardSubjects{Tickets: []ticket.ID{id}})
	if err != nil {
		return TicketFacts{}, err
	}
	f, ok := all.Tickets[id]
	if !ok {
		return f, fmt.Errorf("facts of ticket %d: %w", id, ErrNotFound)
	}
	return f, nil
}

// QuestionFacts are those of one question.
func (tx *Tx) QuestionFacts(ctx context.Context, id QuestionID) (QuestionFacts, error) {
	all, err := tx.CardFacts(ctx, CardSubjects{Questions: []QuestionID{id}})
	if err != nil {
		return QuestionFacts{}, err
	}
	f, ok := all.Questions[id]
	if !ok {
		return f, fmt.Errorf("facts of question %d: %w", id, ErrNotFound)
	}
	return f, nil
}

// CardFacts reads them in one trip, or in two if a ticket among them has
// anything out of the ordinary: cards are drawn again at every step. What is not
// on record is left out.
func (tx *Tx) CardFacts(ctx context.Context, of CardSubjects) (f CardFacts, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("facts of cards: %w", err)
		}
	}()
	f = CardFacts{Tickets: make(map[ticket.ID]TicketFacts, len(of.Tickets)), Questions: make(map[QuestionID]QuestionFacts, len(of.Questions)),
		Superseded: make(map[PostID]bool, len(of.Superseded))}
	var more []ticket.ID
	batch := &pgx.Batch{}
	if len(of.Tickets) > 0 {
		f.queueTickets(batch, of.Tickets, &more)
	}
	if len(of.Questions) > 0 {
		f.queueQuestions(batch, of.Questions)
	}
	if len(of.Superseded) > 0 {
		batch.Queue(superseded, of.Superseded).Query(func(rows pgx.Rows) error {
			var id PostID
			_, err := pgx.ForEachRow(rows, []any{&id}, func() error { f.Superseded[id] = true; return nil })
			return err
		})
	}
	if batch.Len() == 0 {
		return f, nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return f, err
	}
	if len(more) == 0 {
		return f, nil
	}
	batch = &pgx.Batch{}
	for _, id := range more {
		f.queueMore(batch, id)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return f, err
	}
	return f, nil
}

// queueTickets asks for what every ticket has, and which have more.
func (f *CardFacts) queueTickets(batch *pgx.Batch, ids []ticket.ID, more *[]ticket.ID) {
	batch.Queue(`
		select `+ticketColumns+`,
			exists (select from ticket_items x where x.ticket_id = t.id) or exists (select from ticket_changes x where x.ticket_id = t.id)
				or exists (select from breaches x where x.ticket_id = t.id and x.ended_at is null and x.new_due is not null)
				or exists (select from known_outages x where x.ticket_id = t.id and x.ended_at is null) or exists (select from affected x where x.ticket_id = t.id) as more
		from tickets t where t.id = any($1)`, ids).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
			ticketRow
			More bool `db:"more"`
		}])
		for _, r := range found {
			f.Tickets[r.ID] = TicketFacts{Ticket: r.ticket()}
			if r.More {
				*more = append(*more, r.ID)
			}
		}
		return err
	})
	// Arrays, because joins are planned without knowing how few these are.
	batch.Queue(`select `+personColumns+` from people p where p.id = any(array(
		select unnest(array[requester_id, author_id, owner_id]) from tickets where id = any($1)))`, ids).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[personRow])
		if err != nil {
			return err
		}
		who := make(map[people.PersonID]people.Person, len(found))
		for _, r := range found {
			who[r.ID] = r.person()
		}
		for id, t := range f.Tickets {
			t.People = make(map[people.PersonID]people.Person, 3)
			for _, p := range []people.PersonID{t.Ticket.Requester, t.Ticket.Author, t.Ticket.Owner} {
				if p != 0 {
					t.People[p] = who[p]
				}
			}
			f.Tickets[id] = t
		}
		return nil
	})
	batch.Queue(`select `+questionColumns+` from questions where ticket_id = any($1) order by id desc`, ids).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Question])
		for _, q := range found { // the first of a ticket's comes last
			t := f.Tickets[q.Ticket]
			t.Question = q
			f.Tickets[q.Ticket] = t
		}
		return err
	})
	batch.Queue(`select ticket_id, `+predictionColumns+` from predictions where ticket_id = any($1)`, ids).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
			Ticket ticket.ID `db:"ticket_id"`
			Prediction
		}])
		for _, p := range found {
			t := f.Tickets[p.Ticket]
			t.Guessed = &p.Prediction
			f.Tickets[p.Ticket] = t
		}
		return err
	})
	batch.Queue(`select `+clockColumns+` from clocks where ticket_id = any($1) order by kind desc`, ids).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, inColumns((*Clock).columns))
		for _, c := range found {
			t := f.Tickets[c.Ticket]
			t.Clocks = append(t.Clocks, c)
			f.Tickets[c.Ticket] = t
		}
		return err
	})
}

// queueMore asks for what few tickets have.
func (f *CardFacts) queueMore(batch *pgx.Batch, id ticket.ID) {
	t := f.Tickets[id]
	batch.Queue(`select `+itemColumns+` from items i join ticket_items x on x.item_id = i.id where x.ticket_id = $1 order by i.key`, id).Query(func(rows pgx.Rows) (err error) {
		t.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[cmdb.Item])
		return err
	})
	batch.Queue(ticketChangesOf, id).Query(func(rows pgx.Rows) (err error) {
		t.Changes, err = pgx.CollectRows(rows, pgx.RowToStructByName[TicketChange])
		return err
	})
	batch.Queue(`select kind, new_due from breaches where ticket_id = $1 and ended_at is null and new_due is not null`, id).Query(func(rows pgx.Rows) error {
		t.NewDue = map[sla.Kind]time.Time{}
		var (
			kind sla.Kind
			due  time.Time
		)
		_, err := pgx.ForEachRow(rows, []any{&kind, &due}, func() error { t.NewDue[kind] = due; return nil })
		return err
	})
	batch.Queue(`select coalesce((select what from known_outages where ticket_id = $1 and ended_at is null), ''),
		count(*) filter (where me_too), count(*) filter (where not me_too) from affected where ticket_id = $1`, id).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&t.Outage, &t.MeToo, &t.Waiting)
		f.Tickets[id] = t
		return err
	})
}

func (f *CardFacts) queueQuestions(batch *pgx.Batch, ids []QuestionID) {
	batch.Queue(`select `+questionColumns+` from questions where id = any($1)`, ids).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Question])
		for _, q := range found {
			f.Questions[q.ID] = QuestionFacts{Question: q}
		}
		return err
	})
	batch.Queue(`
		select `+ticketColumns+`, q.id as question_id, t.became
		from questions q cross join lateral (
			select *, true as became from tickets where id = q.ticket_id
			union all
			(select *, false from tickets where q.outcome = 'open' and requester_id = q.person_id and state <> 'done' order by opened_at desc limit $2)) t
		where q.id = any($1)`, ids, OpenShown).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
			ticketRow
			Question QuestionID `db:"question_id"`
			Became   bool       `db:"became"`
		}])
		for _, r := range found {
			q := f.Questions[r.Question]
			if r.Became {
				q.Became = r.ticket().Ref()
			} else {
				q.Open = append(q.Open, r.ticket())
			}
			f.Questions[r.Question] = q
		}
		return err
	})
}
