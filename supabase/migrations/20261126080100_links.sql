-- Links to a prototype or a conversation. The owner's alone: anon neither writes nor reads.
--
-- Append-only: a link that is revoked or changed is another row of the same `link_id`, and the
-- highest revision counts. Of the token in its address only a hash is kept.

create table public.links (
    id              uuid primary key,
    n               bigint generated always as identity unique,
    received        timestamptz not null default now(),
    link_id         uuid not null,
    revision        integer not null check (revision >= 1),
    kind            text not null check (kind in ('prototype', 'conversation')),
    token_hash      text not null check (length(token_hash) <= 200),
    prototype       text not null check (length(prototype) <= 200),
    conversation_id uuid,   -- whose words `record` holds, so that erasing it reaches the link
    record          jsonb not null check (octet_length(record::text) <= 8000000),
    created         timestamptz not null
);
create index links_by_link on public.links (link_id, revision desc);
create index links_by_token on public.links (token_hash);
create index links_by_conversation on public.links (conversation_id);

alter table public.links enable row level security;
revoke all on table public.links from public, anon, authenticated, service_role;
grant insert (
    id, link_id, revision, kind, token_hash, prototype, conversation_id, record, created
) on public.links to service_role;
grant select, delete on public.links to service_role;

notify pgrst, 'reload schema';
