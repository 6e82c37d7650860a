-- The desk's record. Rules that must never be broken are constraints here, so
-- that no program, this one included, can break them.

-- +goose Up
-- +goose StatementBegin

-- Which migrations made this schema, and by which program: what two builds call
-- by the same number may differ while neither is released.
create table schema_files (
    version bigint primary key,
    sum     text not null,
    program text not null,
    run_at  timestamptz not null
);

-- People and accounts ------------------------------------------------------

create table people (
    id          bigint generated always as identity primary key,
    name        text not null,
    mail        text unique check (mail = lower(mail)),
    title       text not null default '',
    department  text not null default '',
    site        text not null default '',
    timezone    text not null default '',
    manager_id  bigint references people,
    admin       boolean not null default false,
    guest       boolean not null default false,
    left_at     timestamptz,
    -- Somebody without a verified mail address is a guest.
    constraint people_mail_or_guest check (guest or mail is not null)
);

-- An account is a person on one platform. The mail address that links the two
-- is one that the platform vouches for.
create table accounts (
    platform    text not null,
    workspace   text not null,
    user_id     text not null,
    person_id   bigint not null references people,
    name        text not null default '',
    avatar      text not null default '',
    checked_at  timestamptz not null,
    greeted_at  timestamptz,
    primary key (platform, workspace, user_id)
);
create index accounts_person on accounts (person_id);

create table teams (
    id         bigint generated always as identity primary key,
    slug       text not null unique,
    name       text not null,
    tier       int not null check (tier between 1 and 5),
    lead_id    bigint references people,
    retired_at timestamptz
);

-- Both the policy and the triage channel make agents; leaving one does not
-- undo the other.
create table team_members (
    team_id   bigint not null references teams,
    person_id bigint not null references people,
    source    text not null check (source in ('policy', 'channel')),
    primary key (team_id, person_id, source)
);
create index team_members_person on team_members (person_id);

-- Channels with a purpose. A policy names them; the platform's id is filled in
-- once the desk has seen the channel.
create table desk_channels (
    id        bigint generated always as identity primary key,
    purpose   text not null check (purpose in ('triage', 'help')),
    team_id   bigint references teams,
    platform  text not null,
    workspace text not null default '',
    name      text not null,
    channel   text not null default '',
    constraint desk_channels_triage_has_team check ((purpose = 'triage') = (team_id is not null)),
    unique (purpose, platform, name)
);
create unique index desk_channels_place on desk_channels (platform, workspace, channel) where channel <> '';

-- Every policy that was ever in force; the newest is.
create table policies (
    id         bigint generated always as identity primary key,
    applied_at timestamptz not null,
    applied_by text not null,
    document   jsonb not null
);

-- Where rows are many, columns of eight bytes come first, then those of four,
-- then the rest: Postgres pads each to where it may begin. Where an index is
-- asked for equal values only, what grows with time comes first in it, so that
-- it fills page after page.

-- Tickets ------------------------------------------------------------------

-- One team's tickets of one kind.
create table queues (
    id      bigint generated always as identity primary key,
    team_id bigint not null references teams,
    kind    text not null check (kind in ('incident', 'request')),
    unique (team_id, kind),
    unique (id, kind)
);

-- Incidents and requests of a service go to queues of their own kind: the
-- constant columns are there for the foreign keys to say so.
create table services (
    slug           text primary key,
    name           text not null,
    position       int not null default 0,
    owner_id       bigint references people,
    words          text[] not null default '{}',
    incident_queue bigint not null,
    incident_kind  text not null generated always as ('incident') stored,
    request_queue  bigint not null,
    request_kind   text not null generated always as ('request') stored,
    retired_at     timestamptz,
    foreign key (incident_queue, incident_kind) references queues (id, kind),
    foreign key (request_queue, request_kind) references queues (id, kind)
);

create table articles (
    id          bigint generated always as identity primary key,
    slug        text not null unique,
    title       text not null,
    symptom     text not null default '',
    environment text not null default '',
    answer      text not null default '',
    cause       text not null default '',
    audience    text[] not null check (cardinality(audience) > 0),
    language    text not null,
    tags        text[] not null default '{}',
    owner       text not null default '',
    review_by   timestamptz,
    state       text not null check (state in ('draft', 'reviewed', 'published', 'stale', 'retired')),
    known_error boolean not null default false,
    updated_at  timestamptz not null,
    -- Indexes follow this number; see article_seq.
    seq         bigint not null
);
create index articles_seq on articles (seq);
-- One row, updated with every change of an article: its lock makes numbers
-- visible in the order in which they were given, so that a reader who has seen
-- n has seen everything up to n.
create table article_seq (
    the_only boolean primary key default true check (the_only),
    seq      bigint not null,
    -- Names this record among all, so that an index kept on disk is not taken
    -- for that of another database.
    record   uuid not null default gen_random_uuid()
);
insert into article_seq (seq) values (0);

create table tickets (
    id          bigint generated always as identity primary key,
    number      bigint not null,
    requester_id bigint not null references people,
    author_id   bigint not null references people,
    owner_id    bigint references people,
    queue_id    bigint not null,
    article_id  bigint references articles,
    follows_id  bigint references tickets,
    opened_at   timestamptz not null,
    claimed_at  timestamptz,
    resolved_at timestamptz,
    closed_at   timestamptz,
    version     int not null,
    priority    int not null check (priority between 1 and 4),
    reopened    int not null default 0,
    rating      int check (rating between 1 and 5),
    kind        text not null check (kind in ('incident', 'request')),
    state       text not null check (state in ('new', 'in_progress', 'waiting', 'done')),
    impact      text not null check (impact in ('me', 'team', 'site', 'customers')),
    urgency     text not null check (urgency in ('later', 'week', 'today', 'now')),
    because     text not null,
    service     text references services (slug),
    title       text not null check (title <> ''),
    detail      text not null default '',
    waits_for   text check (waits_for in ('requester', 'supplier', 'change', 'part')),
    wait_note   text not null default '',
    resolution  text not null default '',
    comment     text not null default '',
    unique (kind, number),
    -- A ticket is in a queue of its own kind.
    constraint tickets_queue_of_kind foreign key (queue_id, kind) references queues (id, kind),
    constraint tickets_waiting_has_reason check ((state = 'waiting') = (waits_for is not null)),
    constraint tickets_done_is_resolved check ((state = 'done') = (resolved_at is not null)),
    constraint tickets_resolution_is_said check (state <> 'done' or resolution <> ''),
    -- Resolved is not closed, but closed is resolved.
    constraint tickets_closed_is_done check (closed_at is null or state = 'done'),
    constraint tickets_owner_since check ((owner_id is null) = (claimed_at is null)),
    constraint tickets_new_is_unowned check (state <> 'new' or owner_id is null)
) with (fillfactor = 85);
create index tickets_requester on tickets (requester_id, opened_at desc);
create index tickets_owner on tickets (owner_id, priority, opened_at) where state <> 'done';
create index tickets_queue on tickets (queue_id, priority, opened_at) where state <> 'done';
create index tickets_wide on tickets (opened_at) where kind = 'incident' and state <> 'done' and impact in ('site', 'customers');

-- With what a ticket was opened it stays, so that the audit record need not
-- repeat it.
create function tickets_stay() returns trigger language plpgsql as $$
begin
    raise exception 'with what ticket % was opened never changes', old.id;
end $$;
-- After, not before: that would lock each row once more that is changed at all.
create trigger tickets_stay after update of kind, number, title, detail, requester_id, author_id, opened_at, follows_id on tickets
    for each row when ((old.kind, old.number, old.title, old.detail, old.requester_id, old.author_id, old.opened_at, old.follows_id)
        is distinct from (new.kind, new.number, new.title, new.detail, new.requester_id, new.author_id, new.opened_at, new.follows_id))
    execute function tickets_stay();

-- Numbers without gaps of meaning: one sequence for each kind.
create sequence incident_numbers;
create sequence request_numbers;

-- What was said on a ticket, from either side.
create table messages (
    id         bigint generated always as identity primary key,
    ticket_id  bigint references tickets, -- null: said before there was one, with files to take along
    thread_id  bigint,
    author_id  bigint not null references people,
    said_at    timestamptz not null,
    edited_at  timestamptz,
    deleted_at timestamptz,
    internal   boolean not null default false,
    side       text not null check (side in ('requester', 'team')),
    platform   text not null,
    workspace  text not null,
    channel    text not null,
    external   text not null, -- the platform's id of the message
    body       text not null
);
create index messages_ticket on messages (ticket_id);
create index messages_before on messages (thread_id) where ticket_id is null;
create unique index messages_external on messages (external, channel, platform, workspace);

-- How a message read before it was edited or deleted.
create table message_versions (
    message_id bigint not null references messages,
    body       text not null,
    until      timestamptz not null
);
create index message_versions_message on message_versions (message_id);

-- Files are kept whole: the platform's copy may go.
create table files (
    id         bigint generated always as identity primary key,
    message_id bigint not null references messages,
    name       text not null,
    mime       text not null default '',
    size       bigint not null,
    source     jsonb not null, -- where the adapter finds it
    state      text not null check (state in ('wanted', 'kept', 'too_big', 'lost')),
    data       bytea,
    constraint files_kept_has_data check ((state = 'kept') = (data is not null))
);
create index files_message on files (message_id);
create index files_wanted on files (id) where state = 'wanted';

-- Conversations ------------------------------------------------------------

-- A thread on a platform and what it is about. Its root is null until the
-- desk's own first message in it has been delivered.
create table threads (
    id         bigint generated always as identity primary key,
    ticket_id  bigint references tickets,
    platform   text not null,
    workspace  text not null,
    channel    text not null default '', -- '': the user's direct messages, not opened yet
    user_id    text not null default '', -- whose direct messages
    root       text,
    scope      text not null check (scope in ('direct', 'group', 'open')),
    side       text not null check (side in ('requester', 'team'))
);
create unique index threads_root on threads (root, channel, platform, workspace) where root is not null;
create index threads_rootless on threads (platform, workspace, channel) where root is null;
create index threads_ticket on threads (ticket_id) where ticket_id is not null;
alter table messages add foreign key (thread_id) references threads;

-- Where a chat has no threads: which of them is being talked in, in somebody's
-- direct messages (channel '') or with somebody in a group.
create table talks (
    platform  text not null,
    workspace text not null,
    channel   text not null default '',
    user_id   text not null,
    thread_id bigint not null references threads,
    at        timestamptz not null,
    by_team   boolean not null, -- the team or the desk spoke last
    primary key (platform, workspace, channel, user_id)
);

create table questions (
    id         bigint generated always as identity primary key,
    person_id  bigint not null references people,
    thread_id  bigint references threads,
    article_id bigint references articles,
    ticket_id  bigint references tickets,
    asked_at   timestamptz not null,
    ended_at   timestamptz,
    version    int not null default 1,
    -- open, then one end. solved is a confirmed deflection; silent is not.
    outcome    text not null default 'open' check (outcome in ('open', 'solved', 'ticket', 'person', 'silent')),
    confidence text not null check (confidence in ('none', 'low', 'high', 'later')),
    text       text not null,
    shown      bigint[] not null default '{}', -- articles, best first
    hits       jsonb not null default '[]', -- the same as it was shown
    constraint questions_end check ((outcome = 'open') = (ended_at is null)),
    constraint questions_solved_by_article check (outcome <> 'solved' or article_id is not null),
    constraint questions_ticket check (outcome not in ('ticket', 'person') or ticket_id is not null)
);
create index questions_thread on questions (thread_id);
create index questions_ticket on questions (ticket_id) where ticket_id is not null;
create index questions_person on questions (person_id, asked_at desc);
create index questions_unanswered on questions (asked_at) where shown = '{}';

-- Delivery -----------------------------------------------------------------

-- A message of the desk's. A living card has a name and a subject and is drawn
-- when it is delivered, from the record as it then is; anything else has a body.
create table posts (
    id         bigint generated always as identity primary key,
    thread_id  bigint references threads,
    subject    bigint,
    message_id bigint references messages, -- which it passes on
    created_at timestamptz not null,
    sent_at    timestamptz,
    root       boolean not null default false, -- it opens its thread
    unsought   boolean not null default false, -- nobody will ask which post it is that stands there
    kind       text not null check (kind in ('message', 'whisper', 'home', 'react', 'unreact')),
    platform   text not null,
    workspace  text not null,
    channel    text not null default '',
    user_id    text not null default '',
    card       text not null default '',
    -- Where it came to stand.
    sent_channel text not null default '',
    external   text, -- the platform's id of it
    -- The same again, unless it is unsought: a column with an index that changes
    -- when a post is sent makes a new entry in each of the others.
    sought_as  text,
    failed     text, -- why it never will be sent
    body       json,
    constraint posts_card_or_body check ((card <> '') = (body is null)),
    constraint posts_root_has_thread check (not root or thread_id is not null),
    constraint posts_unsought check (not unsought or sought_as is null)
) with (fillfactor = 80); -- each grows once, when it is sent
create index posts_card on posts (subject) where card <> ''; -- few share one
create index posts_message on posts (message_id) where message_id is not null;
create unique index posts_one_home on posts (platform, workspace, user_id) where kind = 'home';
create unique index posts_one_root on posts (thread_id) where root and failed is null;
create index posts_passing on posts (created_at) where kind in ('whisper', 'react', 'unreact');
create index posts_sought on posts (sought_as) where sought_as is not null;

-- What waits to be delivered: one row a post, however often it has changed.
-- The row goes when the platform has taken the newest.
create table outbox (
    post_id      bigint primary key references posts,
    seq          bigint generated always as identity,
    conversation text not null,
    lane         int not null, -- 0 breach, 1 approval, 2 reply, 3 digest
    wanted       int not null default 1, -- grows with every change while it waits
    due_at       timestamptz not null,
    leased_until timestamptz, -- some process is at it
    attempts     int not null default 0,
    unsure       boolean not null default false, -- it may have been sent: look before sending
    error        text not null default '',
    enqueued_at  timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create index outbox_order on outbox (conversation, lane, seq);
create index outbox_due on outbox (lane, seq);

-- What has come in and is not handled yet. Rows go when they are handled.
create table inbox (
    id           bigint generated always as identity primary key,
    key          text not null,
    conversation text not null,
    event        jsonb not null,
    received_at  timestamptz not null,
    due_at       timestamptz not null,
    attempts     int not null default 0,
    error        text not null default ''
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create index inbox_order on inbox (conversation, id);

-- What could not be handled or delivered, kept for a person to look at.
create table dead_letters (
    id       bigint generated always as identity primary key,
    source   text not null check (source in ('inbox', 'outbox')),
    key      text not null,
    content  jsonb not null,
    error    text not null,
    died_at  timestamptz not null
);

-- Keys of all events of the last days: an event counts once. Partitioned by
-- the event's own time, which is equal in every redelivery.
create table seen (
    key    text not null,
    at     timestamptz not null,
    answer bytea, -- what was answered, if a repetition is to be answered alike
    primary key (key, at)
) partition by range (at);
create table seen_rest partition of seen default;

-- What falls due, one row a thing and reason.
create table due (
    kind     text not null,
    subject  bigint not null,
    due_at   timestamptz not null,
    try_at   timestamptz not null, -- due_at, or later after failures
    attempts int not null default 0,
    primary key (kind, subject)
);
create index due_order on due (try_at);

-- Audit --------------------------------------------------------------------

-- Who did what, when, from where, before and after. Written in the same
-- transaction as the change; never updated, never deleted.
create table audit (
    id        bigint generated always as identity,
    at        timestamptz not null,
    person_id bigint, -- null: the desk itself
    subject_id bigint not null,
    subject   text not null check (subject in ('ticket', 'question', 'article', 'person', 'policy', 'message', 'channel', 'item', 'change', 'gap', 'proposal', 'token', 'synonym', 'letter')),
    action    text not null,
    via       text not null, -- platform and place, or the command
    note      text not null default '', -- empty too if a ticket's resolution, or why it waits, is the same
    before    json, -- what was not empty of what has changed
    after     json  -- what it is now; "at" is the time of the entry
) partition by range (at);
create index audit_subject on audit (subject_id, subject);
create table audit_rest partition of audit default;

create function audit_is_forever() returns trigger language plpgsql as $$
begin
    raise exception 'the audit record is never changed';
end $$;
create trigger audit_is_forever before update or delete on audit
    for each row execute function audit_is_forever();
create trigger audit_is_not_emptied before truncate on audit
    for each statement execute function audit_is_forever();
create trigger audit_is_not_emptied before truncate on audit_rest
    for each statement execute function audit_is_forever();

-- Makes the partitions of a day (seen) and a month (audit) ahead of time and
-- drops keys of events that no platform will deliver again.
create function keep_partitions(now timestamptz) returns void language plpgsql as $$
declare
    day date;
    name text;
    old record;
begin
    perform pg_advisory_xact_lock(hashtext('deskhand.keep_partitions'));
    for i in -1..3 loop
        day := (now at time zone 'UTC')::date + i;
        name := 'seen_' || to_char(day, 'YYYYMMDD');
        if to_regclass(name) is null and not exists (
            select 1 from seen_rest where at >= day::timestamp at time zone 'UTC' and at < (day + 1)::timestamp at time zone 'UTC') then
            execute format('create table %I partition of seen for values from (%L) to (%L)', name,
                day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
        end if;
    end loop;
    for i in 0..2 loop
        day := (date_trunc('month', now at time zone 'UTC') + make_interval(months => i))::date;
        name := 'audit_' || to_char(day, 'YYYYMM');
        if to_regclass(name) is null and not exists (
            select 1 from audit_rest where at >= day::timestamp at time zone 'UTC'
                and at < (day + interval '1 month')::timestamp at time zone 'UTC') then
            execute format('create table %I partition of audit for values from (%L) to (%L)', name,
                day::timestamp at time zone 'UTC', (day + interval '1 month')::timestamp at time zone 'UTC');
            -- Row triggers come with a partition, those of statements do not.
            execute format('create trigger audit_is_not_emptied before truncate on %I
                for each statement execute function audit_is_forever()', name);
        end if;
    end loop;
    for old in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'seen'::regclass and c.relname ~ '^seen_\d{8}$'
            and to_date(substr(c.relname, 6), 'YYYYMMDD') < (now at time zone 'UTC')::date - 3
    loop
        execute format('drop table %I', old.relname);
    end loop;
    delete from seen_rest where at < now - interval '4 days';
end $$;
select keep_partitions(now());
-- +goose StatementEnd
