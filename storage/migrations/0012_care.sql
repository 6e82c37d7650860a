-- What looks after what the desk knows, and what came of its answers.

-- +goose Up
-- +goose StatementBegin

-- Questions that found nothing, put together by what they are about.
create table gaps (
    id         bigint generated always as identity primary key,
    name       text not null check (name <> ''),
    opened_at  timestamptz not null,
    -- open, or what was done about it.
    outcome    text not null default 'open' check (outcome in ('open', 'article', 'synonym', 'not_it')),
    article_id bigint references articles,
    synonym    text not null default '',
    person_id  bigint references people,
    ended_at   timestamptz,
    version    int not null default 1,
    constraint gaps_end check ((outcome = 'open') = (ended_at is null)),
    constraint gaps_ended_by check (outcome = 'open' or person_id is not null),
    constraint gaps_article check ((outcome = 'article') = (article_id is not null)),
    constraint gaps_synonym check ((outcome = 'synonym') = (synonym <> ''))
);
-- A question belongs to one, once and for all.
create table gap_questions (
    question_id bigint primary key references questions,
    gap_id      bigint not null references gaps
);
create index gap_questions_gap on gap_questions (gap_id);

-- What was told of them, as it was counted then.
create table gap_reports (
    id         bigint generated always as identity primary key,
    at         timestamptz not null,
    since      timestamptz not null,
    asked      int not null,
    unanswered int not null,
    constraint gap_reports_count check (unanswered between 0 and asked)
);
create table gap_report_lines (
    report_id bigint not null references gap_reports,
    gap_id    bigint not null references gaps,
    questions int not null check (questions > 0),
    primary key (report_id, gap_id)
);
create index gap_report_lines_gap on gap_report_lines (gap_id);

-- Where an article that was written here comes from, and who wrote it last.
create table article_sources (
    article_id bigint primary key references articles,
    author_id  bigint not null references people,
    ticket_id  bigint references tickets,
    gap_id     bigint references gaps,
    written_at timestamptz not null
);
create unique index article_sources_ticket on article_sources (ticket_id) where ticket_id is not null;

-- What an article would have done for the questions of the past: the newest
-- trial of the newest text.
create table trials (
    article_id  bigint primary key references articles,
    article_seq bigint not null,
    at          timestamptz not null,
    unanswered  int not null, -- questions that found nothing
    would       int not null, -- to which it would have been shown
    answered    int not null, -- questions that another article solved
    worse       bigint[] not null, -- those of them to which that article would be shown later, or not at all
    constraint trials_count check (would between 0 and unanswered and cardinality(worse) <= answered)
);

-- Two words that somebody wants to mean the same, tried like an article.
create table proposals (
    id         bigint generated always as identity primary key,
    gap_id     bigint references gaps,
    term       text not null check (term <> ''), -- as articles have it
    synonym    text not null check (synonym <> ''), -- as people say
    person_id  bigint not null references people,
    at         timestamptz not null,
    tried_at   timestamptz,
    unanswered int not null default 0,
    would      int not null default 0,
    answered   int not null default 0,
    worse      bigint[] not null default '{}',
    outcome    text not null default 'open' check (outcome in ('open', 'added', 'dropped')),
    ended_at   timestamptz,
    ended_by   bigint references people,
    constraint proposals_end check ((outcome = 'open') = (ended_at is null) and (ended_at is null) = (ended_by is null)),
    constraint proposals_count check (would between 0 and unanswered and cardinality(worse) <= answered)
);

-- "Wrong or old?"
create table flags (
    id          bigint generated always as identity primary key,
    article_id  bigint not null references articles,
    question_id bigint not null references questions,
    person_id   bigint not null references people,
    reason      text not null default '',
    at          timestamptz not null,
    ended_at    timestamptz,
    ended_by    bigint references people,
    fixed       boolean, -- or it was right as it stood
    unique (article_id, question_id, person_id),
    constraint flags_end check ((ended_at is null) = (fixed is null) and (ended_at is null) = (ended_by is null))
);
create index flags_article on flags (article_id, at);

-- That the owner was asked whether an article is still right, and what came of
-- it. A day of review that is imported again does not undo an answer.
create table article_reviews (
    article_id  bigint primary key references articles,
    asked_at    timestamptz,
    right_until timestamptz,
    right_by    bigint references people,
    constraint article_reviews_said_by check ((right_until is null) = (right_by is null))
);

-- A solved question whose asker came back with the same.
create table question_returns (
    question_id bigint primary key references questions,
    again_id    bigint references questions,
    ticket_id   bigint references tickets,
    at          timestamptz not null,
    constraint question_returns_with_one check (num_nonnulls(again_id, ticket_id) = 1)
);

-- Tickets that are known outages.
create table known_outages (
    ticket_id  bigint primary key references tickets,
    what       text not null check (what <> ''),
    since      timestamptz not null,
    flagged_by bigint not null references people,
    flagged_at timestamptz not null,
    ended_at   timestamptz
);
create index known_outages_open on known_outages (ticket_id) where ended_at is null;
-- Whom a ticket concerns besides its requester.
create table affected (
    ticket_id   bigint not null references tickets,
    person_id   bigint not null references people,
    me_too      boolean not null, -- or only wants to hear of it
    question_id bigint references questions,
    at          timestamptz not null,
    told_at     timestamptz,
    primary key (ticket_id, person_id)
);
create index affected_person on affected (person_id);
-- The outage that was the first answer to a question.
create table question_outages (
    question_id bigint primary key references questions,
    ticket_id   bigint not null references known_outages
);
create index question_outages_ticket on question_outages (ticket_id);

-- How many of the newest questions the articles would answer.
create table coverage (
    at        timestamptz primary key,
    questions int not null check (questions > 0),
    shown     int not null, -- for which there is something to show
    covered   int not null, -- that it would answer, as far as the index can tell
    constraint coverage_count check (covered between 0 and shown and shown <= questions)
);
-- +goose StatementEnd
