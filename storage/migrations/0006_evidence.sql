-- What came of answers, for indexes to learn from.

-- +goose Up
-- +goose StatementBegin

-- That an article helped with a question or a ticket, or did not; or, without
-- an article, that a ticket was solved. What was asked is not repeated here.
create table evidence (
    id          bigint generated always as identity primary key,
    -- Indexes follow this number. Null: it has not been given yet.
    seq         bigint,
    question_id bigint references questions,
    ticket_id   bigint references tickets,
    article_id  bigint references articles,
    helped      boolean not null,
    at          timestamptz not null,
    undone_at   timestamptz, -- it does not count any more: the trouble came back, or an admin took it out
    undone_by   bigint references people,
    constraint evidence_of_one check (num_nonnulls(question_id, ticket_id) = 1),
    constraint evidence_of_question_has_article check (question_id is null or article_id is not null)
);
-- A second press counts once.
create unique index evidence_question on evidence (question_id, article_id) where question_id is not null;
create unique index evidence_ticket on evidence (ticket_id) where ticket_id is not null;
create index evidence_order on evidence (seq);
create index evidence_article on evidence (article_id, at desc) where article_id is not null and undone_at is null;

-- As article_seq: its lock makes numbers visible in the order in which they
-- were given. It is taken by whoever is about to read, for all that has been
-- committed since the last time: those who write don't wait for each other.
create table evidence_seq (
    the_only boolean primary key default true check (the_only),
    seq      bigint not null
);
insert into evidence_seq (seq) values (0);

-- What has changed is to be read again.
create function evidence_anew() returns trigger language plpgsql as $$
begin
    new.seq := null;
    return new;
end $$;
create trigger evidence_anew before update of article_id, helped, undone_at on evidence
    for each row execute function evidence_anew();

insert into evidence (question_id, article_id, helped, at)
    select id, article_id, true, ended_at from questions where outcome = 'solved' order by ended_at;
insert into evidence (ticket_id, article_id, helped, at)
    select id, article_id, true, resolved_at from tickets where state = 'done' order by resolved_at;
-- +goose StatementEnd
