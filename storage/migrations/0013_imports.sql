-- Articles from elsewhere: where they came from, and their pictures.

-- +goose Up
-- +goose StatementBegin

-- What an article is called where it came from, so that it is the same article
-- when it comes again.
create table article_imports (
    source      text not null check (source <> ''),
    key         text not null check (key <> ''),
    article_id  bigint not null references articles,
    -- The article as it came last: what has been changed on the desk since is
    -- what differs from it. Null: nobody knows.
    base        jsonb,
    imported_at timestamptz not null,
    primary key (source, key)
);
create index article_imports_article on article_imports (article_id);

-- Pictures in answers, named by what they are: see knowledge.PictureName.
create table article_pictures (
    article_id bigint not null references articles,
    name       text not null check (name ~ '^[0-9a-f]{32}\.(png|jpg|gif|webp|bmp|svg)$'),
    data       bytea not null check (octet_length(data) between 1 and 5242880),
    primary key (article_id, name)
);
-- +goose StatementEnd
