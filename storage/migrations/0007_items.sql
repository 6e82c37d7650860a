-- Configuration items and how they hang together.

-- +goose Up
-- +goose StatementBegin

create table items (
    id         bigint generated always as identity primary key,
    key        text not null unique check (key ~ '^[a-z0-9][a-z0-9._-]{0,59}$'),
    name       text not null,
    type       text not null check (type in ('service', 'application', 'database', 'server', 'network', 'storage', 'device', 'other')),
    state      text not null check (state in ('planned', 'live', 'retired')),
    tier       int not null check (tier between 1 and 4),
    owner_id   bigint references people,
    team_id    bigint references teams,
    service    text not null default '', -- slug
    users      int not null default 0 check (users >= 0),
    downtime   bigint not null default 0 check (downtime >= 0), -- what an hour costs
    description text not null default '' check (length(description) <= 2000),
    by_hand    boolean not null default false, -- changed by a person since the last import
    version    int not null default 1
);
create index items_team on items (team_id) where team_id is not null;

create table relations (
    from_id bigint not null references items,
    to_id   bigint not null references items,
    kind    text not null check (kind in ('depends_on', 'runs_on', 'part_of', 'connects_to')),
    primary key (from_id, to_id, kind),
    constraint relations_not_with_itself check (from_id <> to_id)
);
create index relations_to on relations (to_id);

-- Moves with every change of the two, so that a process knows whether what it
-- holds in memory is still so.
create table items_version (one boolean primary key default true check (one), version bigint not null);
insert into items_version values (true, 1);

-- Which items a ticket is about.
create table ticket_items (
    ticket_id bigint not null references tickets,
    item_id   bigint not null references items,
    primary key (ticket_id, item_id)
);
create index ticket_items_item on ticket_items (item_id);
-- +goose StatementEnd
