-- Changes and their approvals. That nothing is approved without its quorum, by
-- somebody without a seat or for another text is refused here too.

-- +goose Up
-- +goose StatementBegin

create sequence change_numbers;

create table changes (
    id             bigint generated always as identity primary key,
    number         bigint not null unique default nextval('change_numbers'),
    kind           text not null check (kind in ('standard', 'normal', 'emergency', 'undocumented')),
    rule           text not null default '',
    title          text not null,
    why            text not null default '',
    plan           text not null default '',
    test           text not null default '',
    rollback       text not null default '',
    window_from    timestamptz,
    window_to      timestamptz,
    takes          interval not null default '0',
    exception      text not null default '',
    requester_id   bigint not null references people,
    implementer_id bigint references people,
    team_id        bigint references teams,
    service        text not null default '', -- slug
    risk           text not null default '' check (risk in ('', 'low', 'medium', 'high')),
    because        text not null default '',
    state          text not null check (state in ('draft', 'asked', 'scheduled', 'blocked', 'rejected', 'doing', 'done', 'cancelled')),
    outcome        text not null default '' check (outcome in ('', 'worked', 'rolled_back', 'failed')),
    note           text not null default '',
    caused         bigint[] not null default '{}', -- incidents that come from it
    review         text not null default '',
    opened_at      timestamptz not null,
    started_at     timestamptz,
    ended_at       timestamptz,
    reviewed_at    timestamptz,
    version        int not null default 1,
    constraint changes_done_has_outcome check ((state = 'done') = (outcome <> '')),
    -- No change without a way back, but for what was found out afterwards.
    constraint changes_rollback_plan check (state in ('draft', 'cancelled') or kind = 'undocumented' or btrim(rollback) <> ''),
    constraint changes_undocumented_is_over check (kind <> 'undocumented' or state = 'done'),
    constraint changes_window check (state in ('draft', 'cancelled') or window_from < window_to),
    constraint changes_begun check (state not in ('doing', 'done') or started_at is not null)
);
create index changes_open on changes (window_from) where state in ('asked', 'scheduled', 'doing');
create index changes_requester on changes (requester_id, opened_at desc);

create table change_items (
    change_id bigint not null references changes,
    item_id   bigint not null references items,
    primary key (change_id, item_id)
);
create index change_items_item on change_items (item_id);

create table approvals (
    id          bigint generated always as identity primary key,
    change_id   bigint not null unique references changes,
    hash        text not null,
    own         bigint[] not null, -- whose answers never count
    window_from timestamptz,
    high_risk   boolean not null,
    state       text not null check (state in ('waiting', 'approved', 'rejected', 'changes_requested', 'blocked', 'withdrawn')),
    round       int not null,
    stage       int not null,
    stages      jsonb not null, -- as package approval has them
    asked_by    bigint,
    asked_at    timestamptz not null,
    decided_by  bigint,
    decided_at  timestamptz,
    note        text not null default '',
    begun_at    timestamptz
);

-- The text of each round, and who was asked in it.
create table approval_rounds (
    approval_id bigint not null references approvals,
    round       int not null,
    hash        text not null,
    stages      int not null, -- how many there are
    asked_at    timestamptz not null,
    change      jsonb not null, -- the text itself
    primary key (approval_id, round),
    unique (approval_id, round, hash)
);
create table approval_stages (
    approval_id bigint not null,
    round       int not null,
    stage       int not null check (stage >= 0),
    name        text not null,
    need        int not null check (need >= 1),
    seats       bigint[] not null,
    asked_at    timestamptz not null,
    primary key (approval_id, round, stage),
    foreign key (approval_id, round) references approval_rounds
);

-- A seat has one vote in a stage of a round, for the text of that round.
create table votes (
    approval_id bigint not null,
    round       int not null,
    stage       int not null,
    seat_id     bigint not null references people,
    by_id       bigint not null references people,
    capacity    text not null check (capacity in ('holder', 'delegate', 'deputy')),
    answer      text not null check (answer in ('yes', 'no', 'changes')),
    note        text not null default '',
    hash        text not null,
    at          timestamptz not null,
    primary key (approval_id, round, stage, seat_id),
    foreign key (approval_id, round, stage) references approval_stages,
    foreign key (approval_id, round, hash) references approval_rounds (approval_id, round, hash),
    constraint votes_say_why check (answer = 'yes' or btrim(note) <> ''),
    constraint votes_own_seat check (capacity <> 'holder' or by_id = seat_id)
);
create index votes_by on votes (by_id, at desc);

create function votes_are_lawful() returns trigger language plpgsql as $$
declare
    a approvals;
    s approval_stages;
begin
    select * into strict a from approvals where id = new.approval_id;
    select * into strict s from approval_stages where approval_id = new.approval_id and round = new.round and stage = new.stage;
    if new.by_id = any(a.own) or new.seat_id = any(a.own) then
        raise exception 'nobody approves their own' using errcode = 'check_violation', constraint = 'votes_not_own';
    end if;
    if not new.seat_id = any(s.seats) then
        raise exception 'this person was not asked' using errcode = 'check_violation', constraint = 'votes_have_a_seat';
    end if;
    return new;
end $$;
create trigger votes_are_lawful before insert or update on votes for each row execute function votes_are_lawful();

-- A stage is asked when the one before has its quorum, and approved is what has
-- all of them.
create function has_quorum(wanted bigint, in_round int, at_stage int) returns boolean language sql stable as $$
    select exists (select 1 from approval_stages s where s.approval_id = wanted and s.round = in_round and s.stage = at_stage
        and s.need <= (select count(*) from votes v where v.approval_id = wanted and v.round = in_round and v.stage = at_stage and v.answer = 'yes'))
$$;
create function stages_come_in_order() returns trigger language plpgsql as $$
begin
    if new.stage > 0 and not has_quorum(new.approval_id, new.round, new.stage - 1) then
        raise exception 'the stage before has not ended' using errcode = 'check_violation', constraint = 'approval_stages_in_order';
    end if;
    return new;
end $$;
create function verdict_has_quorum() returns trigger language plpgsql as $$
declare
    n int;
begin
    if new.state <> 'approved' then
        return null;
    end if;
    select stages into strict n from approval_rounds where approval_id = new.id and round = new.round;
    for i in 0 .. n - 1 loop
        if not has_quorum(new.id, new.round, i) then
            raise exception 'approved without its quorum' using errcode = 'check_violation', constraint = 'approvals_quorum';
        end if;
    end loop;
    return null;
end $$;
create trigger stages_come_in_order before insert on approval_stages for each row execute function stages_come_in_order();
create constraint trigger verdict_has_quorum after insert or update on approvals deferrable initially deferred
    for each row execute function verdict_has_quorum();

-- Who answers for whom while somebody is away.
create table delegations (
    id      bigint generated always as identity primary key,
    from_id bigint not null references people,
    to_id   bigint not null references people,
    since   timestamptz not null,
    until   timestamptz not null,
    constraint delegations_to_others check (from_id <> to_id),
    constraint delegations_span check (since < until)
);
create index delegations_from on delegations (from_id, until);
-- +goose StatementEnd
