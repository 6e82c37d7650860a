-- Words that mean the same to this company.

-- +goose Up
-- +goose StatementBegin

-- Indexes read articles with what is here; a row that was taken out stays.
create table synonyms (
    id         bigint generated always as identity primary key,
    term       text not null check (term = btrim(term) and term <> ''),
    synonym    text not null check (synonym = btrim(synonym) and synonym <> ''),
    language   text not null default '', -- whose words they are: BCP 47, '' for any
    policy     boolean not null, -- the policy says so, and takes it out again; else a person
    person_id  bigint references people,
    added_at   timestamptz not null,
    removed_at timestamptz,
    removed_by bigint references people,
    constraint synonyms_two check (lower(term) <> lower(synonym)),
    constraint synonyms_removed_by check (removed_by is null or removed_at is not null)
);
create unique index synonyms_once on synonyms (policy, least(lower(term), lower(synonym)), greatest(lower(term), lower(synonym)), language)
    where removed_at is null;


-- That an agent has answered a ticket with an article.
create table article_uses (
    ticket_id  bigint not null references tickets,
    article_id bigint not null references articles,
    person_id  bigint not null references people,
    at         timestamptz not null,
    primary key (ticket_id, article_id) -- a second press counts once
);
create index article_uses_article on article_uses (article_id, at);
-- +goose StatementEnd
