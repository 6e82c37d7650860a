-- How people and places are reached on a platform that does not say so when it
-- is asked: without these rows nobody could be written to who has not spoken
-- since the last restart. Adapters keep them; nothing else reads them.

-- +goose Up
-- +goose StatementBegin

create table references_kept (
    platform text not null,
    key      text not null, -- the adapter's own: a place, a person
    value    jsonb not null,
    kept_at  timestamptz not null,
    primary key (platform, key)
);
-- +goose StatementEnd
