-- What people can ask for, and what they asked for.

-- +goose Up
-- +goose StatementBegin

-- The policy says what there is. Indexes keep all that is not retired; what is
-- stays, because tickets refer to it.
create table requestables (
    slug        text primary key,
    name        text not null check (name <> ''),
    words       text[] not null default '{}',
    description text not null default '',
    service     text references services (slug),
    category    text,
    team_id     bigint references teams,
    audience    text[] not null check (cardinality(audience) > 0),
    position    int not null,
    retired_at  timestamptz,
    constraint requestables_category_of_service foreign key (service, category) references categories (service, slug),
    constraint requestables_category_has_service check (category is null or service is not null)
);

-- What a ticket is a request for, if it was opened as one.
create table ticket_requests (
    ticket_id bigint primary key references tickets,
    request   text not null references requestables
);

-- That somebody asked for one of them with such words, or was shown it and wanted
-- something else.
alter table evidence add column request text references requestables,
    drop constraint evidence_of_question_has_article,
    add constraint evidence_of_question_has_one check (question_id is null or num_nonnulls(article_id, request) = 1),
    add constraint evidence_of_request_is_question check (request is null or question_id is not null);
create unique index evidence_request on evidence (question_id, request) where request is not null;
-- +goose StatementEnd
