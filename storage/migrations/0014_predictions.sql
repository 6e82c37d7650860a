-- What the desk guessed that a ticket is about and whose it is, and what
-- became of that.

-- +goose Up
-- +goose StatementBegin

-- What a ticket may be about within its service. The policy says whose it is
-- then; names stay for old tickets.
create table categories (
    service    text not null references services (slug),
    slug       text not null,
    name       text not null check (name <> ''),
    position   int not null,
    retired_at timestamptz,
    primary key (service, slug)
);
alter table tickets
    add column category text,
    add constraint tickets_category_of_service foreign key (service, category) references categories (service, slug),
    add constraint tickets_category_has_service check (category is null or service is not null);

-- The team to which a ticket was handed on because it had come to the wrong
-- one: where the next ones like it shall begin.
alter table evidence add column team_id bigint references teams,
    add constraint evidence_of_team_is_ticket check (team_id is null or ticket_id is not null);
drop trigger evidence_anew on evidence;
create trigger evidence_anew before update of article_id, helped, undone_at, team_id on evidence
    for each row execute function evidence_anew();

create table predictions (
    ticket_id bigint primary key references tickets,
    at        timestamptz not null,
    -- It was filled into a form, to be changed there; else nobody was asked.
    asked     boolean not null,
    service   text references services (slug),
    category  text,
    certainty text not null check (certainty in ('', 'maybe', 'probably')), -- '': by the policy's words alone
    sure      real not null check (sure between 0 and 1),
    alike     int not null check (alike >= 0),
    -- The team that it was sent to, rather than to the one that the policy
    -- names, and how many tickets like it belonged there.
    team_id    bigint references teams,
    team_alike int not null default 0 check (team_alike >= 0),
    -- What was chosen, and what an agent has put right since.
    chosen_service  text references services (slug),
    chosen_category text,
    constraint predictions_say_something check (num_nonnulls(service, team_id) > 0),
    foreign key (service, category) references categories (service, slug),
    foreign key (chosen_service, chosen_category) references categories (service, slug)
);
create index predictions_at on predictions (at);
-- +goose StatementEnd
