-- Service levels: what was promised for a ticket, how it stands, and who has
-- been told that it is late.

-- +goose Up
-- +goose StatementBegin

-- What happened to a ticket, as far as its clocks care. A deadline is a pure
-- function of these rows and of the policies that they name.
create table ledger (
    ticket_id bigint not null references tickets,
    at        timestamptz not null,
    policy_id bigint references policies, -- whose service level it is from here on
    team_id   bigint references teams,
    seq       int not null,
    priority  int check (priority between 1 and 4), -- as the ticket then had it, like the team
    step      text not null check (step in ('opened', 'changed', 'waited', 'woken', 'replied', 'resolved', 'reopened')),
    level     text, -- its slug; null: nothing is promised
    reason    text check (reason in ('requester', 'supplier', 'change', 'part')),
    why       text not null default '',
    primary key (ticket_id, seq),
    constraint ledger_terms check ((step in ('opened', 'changed')) = (num_nulls(policy_id, priority, team_id) = 0)),
    constraint ledger_reason check ((step = 'waited') = (reason is not null))
);
create trigger ledger_is_forever before update or delete on ledger
    for each row execute function audit_is_forever();

-- How each clock stands: what the ledger gives, kept so that it can be found
-- and drawn. Written only by whoever has locked the ticket.
create table clocks (
    ticket_id bigint not null references tickets,
    since     timestamptz not null, -- the state is as it is
    due_at    timestamptz,  -- null while it is paused in time
    left_ns   bigint not null, -- of open time, as of since
    -- The last mark of the ladder that has been seen to in this round.
    beyond_ns bigint not null default 0,
    percent   int not null default 0,
    round     int not null, -- grows when another promise takes the place of the last
    -- When to look at it next; null: it needs no look as things stand.
    look_at   timestamptz,
    late      boolean not null, -- ended too late
    kind      text not null check (kind in ('response', 'resolution')),
    state     text not null check (state in ('running', 'paused', 'ended')),
    level     text not null,
    primary key (ticket_id, kind),
    constraint clocks_look_while_running check (look_at is null or state = 'running')
-- Each look leaves a dead entry at the low end of clocks_look, where every look
-- begins: they must go soon, however large the table is.
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.05);
create index clocks_look on clocks (look_at) where look_at is not null;

-- A promise that was missed.
create table breaches (
    id         bigint generated always as identity primary key,
    ticket_id  bigint not null references tickets,
    kind       text not null check (kind in ('response', 'resolution')),
    round      int not null,
    due_at     timestamptz not null,
    noticed_at timestamptz not null,
    taken_by   bigint references people, -- whoever has said that she sees to it
    taken_at   timestamptz,
    told_at    timestamptz, -- the requester
    new_due    timestamptz, -- what she has been told instead
    pressed_at timestamptz, -- she has asked for somebody higher up
    ended_at   timestamptz, -- it was kept after all, or another promise has taken its place
    ended_by   bigint references people, -- whoever did so; null: nobody did, or it was not seen
    constraint breaches_once unique (ticket_id, kind, round),
    constraint breaches_taken check ((taken_by is null) = (taken_at is null)),
    constraint breaches_told check (new_due is null or told_at is not null),
    constraint breaches_ended check (ended_by is null or ended_at is not null)
);
create index breaches_running on breaches (ticket_id) where ended_at is null;

-- Each mark of a clock's ladder is told once in a round, whoever watches and
-- however often: this is the row that says so.
create table alerts (
    id        bigint generated always as identity primary key,
    ticket_id bigint not null, -- which is locked by whoever writes it: looking it up once more takes as long as the rest
    kind      text not null,
    round     int not null,
    percent   int not null,
    beyond_ns bigint not null,
    due_at    timestamptz not null, -- to be told
    at        timestamptz not null, -- it was seen to
    outcome   text not null check (outcome in ('told', 'overtaken')), -- by a later mark that was due too
    late      text not null default '', -- why it was seen to late, in words
    -- When to tell it: of many that fall due together all are put on record
    -- first. Null: it has been told.
    tell_at   timestamptz,
    constraint alerts_once unique (ticket_id, kind, round, percent, beyond_ns),
    constraint alerts_tell_last check (tell_at is null or outcome = 'told')
);
create index alerts_to_tell on alerts (tell_at) where tell_at is not null;

-- Many alerts for one place in a short time are one message that keeps itself
-- current.
create table digests (
    id        bigint generated always as identity primary key,
    place     text not null,
    opened_at timestamptz not null,
    last_at   timestamptz not null, -- an alert has joined
    closed_at timestamptz
);
create unique index digests_open on digests (place) where closed_at is null;

-- Where an alert was told, and when the platform had taken it.
create table tellings (
    id          bigint generated always as identity primary key,
    alert_id    bigint not null references alerts,
    ticket_id   bigint not null,
    place       text not null,
    due_at      timestamptz not null,
    at          timestamptz not null,
    post_id     bigint not null references posts,
    digest_id   bigint references digests, -- null: in a message of its own
    accepted_at timestamptz,
    constraint tellings_once unique (alert_id, place)
);
create index tellings_place on tellings (place, at);
create index tellings_at on tellings (at);
create index tellings_post on tellings (post_id);
create index tellings_accepted on tellings (accepted_at) where accepted_at is not null;
create index tellings_ticket on tellings (ticket_id) where digest_id is not null;
create index tellings_digest on tellings (digest_id) where digest_id is not null;

-- When somebody last looked for what falls due, and when nobody did: it
-- explains why an alert is late.
create table watching (
    the_only  boolean primary key default true check (the_only),
    looked_at timestamptz not null
);
create table outages (
    from_at  timestamptz primary key,
    until_at timestamptz not null,
    why      text not null
);

-- Channels in which it is told that something is late.
alter table desk_channels drop constraint desk_channels_purpose_check;
alter table desk_channels add constraint desk_channels_purpose_check check (purpose in ('triage', 'help', 'alerts'));

-- Tickets that are open already get the promises of the policy in force, from
-- now on.
insert into due (kind, subject, due_at, try_at)
select 'levels.apply', 0, now(), now() where exists (select from tickets where state <> 'done');
-- +goose StatementEnd
