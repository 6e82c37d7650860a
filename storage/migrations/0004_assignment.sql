-- Who a ticket is given to, by whom, and through how many hands it has gone.

-- +goose Up
-- +goose StatementBegin

alter table tickets
    -- How often it went from one team to another.
    add column moves int not null default 0 check (moves >= 0),
    -- Why the desk chose the owner, while nobody else has had a say in it. A
    -- release that does not know the column leaves it behind when it frees a
    -- ticket, so it counts only while there is an owner.
    add column chosen text not null default '';
update tickets t set moves = m.n
    from (select subject_id, count(*) as n from audit where subject = 'ticket' and action = 'moved' group by 1) m
    where t.id = m.subject_id;

-- Who has said "not me": nobody is asked twice for the same ticket.
create table declined (
    ticket_id bigint not null references tickets,
    person_id bigint not null references people,
    at        timestamptz not null,
    primary key (ticket_id, person_id)
);

-- Who is away, or will be: one absence a person. It ends with a due row.
create table agents_away (
    person_id bigint primary key references people,
    since     timestamptz not null,
    until     timestamptz not null,
    set_by    bigint not null references people,
    constraint agents_away_take_time check (until > since)
);
-- +goose StatementEnd
