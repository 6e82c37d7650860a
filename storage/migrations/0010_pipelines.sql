-- Delivery pipelines that ask for changes, and calendars of changes.

-- +goose Up
-- +goose StatementBegin

create table tokens (
    id         bigint generated always as identity primary key,
    name       text not null check (name ~ '^[a-z0-9][a-z0-9._-]{0,59}$'),
    hash       bytea not null unique check (length(hash) = 32), -- SHA-256 of the token, which is kept nowhere
    secret     bytea not null check (length(secret) = 32), -- signs what is sent to callbacks
    owner_id   bigint not null references people, -- whose changes they are
    scopes     text[] not null check (scopes <@ array['raise', 'read'] and cardinality(scopes) > 0),
    made_at    timestamptz not null,
    expires_at timestamptz check (expires_at > made_at),
    revoked_at timestamptz,
    used_at    timestamptz
);
create unique index tokens_name on tokens (name) where revoked_at is null;

-- The run that asked for a change. The same key of a token is the same change.
create table pipeline_runs (
    change_id  bigint primary key references changes,
    token_id   bigint not null references tokens,
    key        text not null check (length(key) between 1 and 200),
    digest     bytea not null check (length(digest) = 32), -- of what was asked, so that a key is not used for two things
    repository text not null default '',
    run        text not null default '',
    url        text not null default '',
    commits    jsonb not null default '[]' check (jsonb_typeof(commits) = 'array'),
    callback   text not null default '',
    constraint pipeline_runs_once unique (token_id, key)
);

-- What a pipeline is to be told, as it is sent. What is not told yet gives way
-- to what is newer.
create table callbacks (
    id        bigint generated always as identity primary key,
    change_id bigint not null references pipeline_runs,
    body      bytea not null,
    state     text not null default 'waiting' check (state in ('waiting', 'delivered', 'given_up', 'superseded')),
    made_at   timestamptz not null,
    try_at    timestamptz not null,
    attempts  int not null default 0,
    ended_at  timestamptz,
    constraint callbacks_end check ((state = 'waiting') = (ended_at is null))
);
create index callbacks_due on callbacks (try_at) where state = 'waiting';
create unique index callbacks_newest on callbacks (change_id) where state = 'waiting';

-- Every attempt. One without an answer and an error was cut short by a crash.
create table callback_attempts (
    callback_id bigint not null references callbacks,
    attempt     int not null check (attempt > 0),
    at          timestamptz not null,
    status      int, -- of HTTP
    error       text,
    primary key (callback_id, attempt)
);

-- A team's changes for somebody's calendar. The link is signed with the key and
-- good until it is revoked.
create table calendar_links (
    id         bigint generated always as identity primary key,
    team_id    bigint not null references teams,
    person_id  bigint not null references people,
    key        bytea not null check (length(key) = 32),
    made_at    timestamptz not null,
    revoked_at timestamptz
);
create unique index calendar_links_of on calendar_links (team_id, person_id) where revoked_at is null;
create index changes_team on changes (team_id, window_from);
-- +goose StatementEnd
