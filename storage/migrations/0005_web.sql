-- +goose Up
-- +goose StatementBegin

-- Keys that the desk signs links and sessions with. One signs for a while and
-- goes on verifying until it expires, so that it can be followed by another.
create table secrets (
    id         bigint generated always as identity primary key,
    purpose    text not null,
    key        bytea not null check (length(key) = 32),
    made_at    timestamptz not null,
    expires_at timestamptz not null check (expires_at > made_at)
);
create index secrets_purpose on secrets (purpose, made_at desc);
-- +goose StatementEnd
