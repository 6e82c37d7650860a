-- Where changes are announced, and which incidents they have to do with.

-- +goose Up
-- +goose StatementBegin

alter table desk_channels drop constraint desk_channels_purpose_check;
alter table desk_channels add constraint desk_channels_purpose_check check (purpose in ('triage', 'help', 'alerts', 'changes'));

-- A change is announced once in a channel, whoever sees to it and however often;
-- from then on the message is edited.
create table announcements (
    change_id bigint not null references changes,
    platform  text not null,
    workspace text not null,
    channel   text not null check (channel <> ''),
    post_id   bigint not null unique references posts,
    at        timestamptz not null,
    constraint announcements_once primary key (change_id, platform, workspace, channel)
);

-- What a ticket has to do with a change.
create table ticket_changes (
    ticket_id bigint not null references tickets,
    change_id bigint not null references changes,
    link      text not null check (link in ('suspect', 'cleared', 'caused', 'made')), -- made: while it was resolved
    item_id   bigint references items, -- that the suspicion comes from; null: the service, or a person
    by_id     bigint references people, -- who has said so; null: the desk found it
    at        timestamptz not null,
    primary key (ticket_id, change_id),
    constraint ticket_changes_said check (link = 'suspect' or by_id is not null)
);
create index ticket_changes_change on ticket_changes (change_id);

-- What was done lately is looked through for every new incident.
create index changes_lately on changes (coalesce(ended_at, 'infinity')) where started_at is not null;
-- +goose StatementEnd
