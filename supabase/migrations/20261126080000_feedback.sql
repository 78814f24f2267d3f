-- Answers, and what people thought of them, as Thumbprint delivers them.
--
-- Apply with `supabase link` and `supabase db push --remote` (versions before 3 of Supabase's
-- command line: `supabase db push`), or paste into the SQL editor of the project: each file of
-- this folder once, in the order of the names.
--
-- Who may do what:
--   anon          (the publishable key, or a legacy anon key) inserts, and nothing else.
--   service_role  (a secret key: the owner's servers only) inserts, reads and deletes.
--   authenticated nothing.
-- Nothing is ever updated: of an answer's feedback, and of a pair's preferences, the highest
-- revision counts. An id is a random UUID that is made before delivery, so that a second
-- delivery of a row is refused by the primary key, and recognised by that.
--
-- `n` and `received` are the server's. They are in no grant, so no client sets them: `n`
-- orders the rows for the owner's copies, and `received` is a time that no one else's clock
-- has touched.

create table public.answers (
    id              uuid primary key,
    n               bigint generated always as identity unique,
    received        timestamptz not null default now(),
    conversation_id uuid,               -- opens nothing: a conversation is opened by its browser's secret
    replaces        uuid,               -- the answer that this one was regenerated from
    prototype       text not null check (length(prototype) <= 200),
    question        text not null check (length(question) <= 20000),
    text            text not null check (length(text) <= 400000),
    confidence      double precision not null check (confidence between 0 and 1),
    abstained       boolean not null,
    generator       text not null check (length(generator) <= 400),
    settings        text not null check (length(settings) <= 100),     -- a fingerprint
    settings_values jsonb check (octet_length(settings_values::text) <= 100000),
    index_version   text not null check (length(index_version) <= 100),
    prompt_version  text not null check (length(prompt_version) <= 400),
    system_prompt   text check (length(system_prompt) <= 100000),   -- null: quoted, or not known
    link            text check (length(link) <= 200),
    origin          text not null check (length(origin) <= 40),
    seconds         double precision,   -- in all
    cost            double precision,   -- US dollars
    created         timestamptz not null,
    -- The whole answer as it was shown: passages, citations, verdicts.
    record          jsonb not null check (octet_length(record::text) <= 4000000)
);
create index answers_by_conversation on public.answers (conversation_id);
create index answers_by_time on public.answers (created);
create index answers_by_prototype on public.answers (prototype, created);

create table public.feedback (
    id              uuid primary key,
    n               bigint generated always as identity unique,
    received        timestamptz not null default now(),
    answer_id       uuid not null references public.answers (id) on delete cascade,
    revision        integer not null check (revision >= 1),
    rating          text check (rating in ('up', 'down')),  -- null: taken back
    reasons         jsonb not null default '[]'
        check (jsonb_typeof(reasons) = 'array' and octet_length(reasons::text) <= 20000),
    comment         text not null default '' check (length(comment) <= 5000),
    correction      text not null default '' check (length(correction) <= 20000),
    passage         jsonb check (octet_length(passage::text) <= 200000),    -- what should have been cited
    reported        jsonb not null default '[]'                             -- numbers of bad citations
        check (jsonb_typeof(reported) = 'array' and octet_length(reported::text) <= 5000),
    origin          text not null check (length(origin) <= 40),
    created         timestamptz not null
);
create index feedback_by_answer on public.feedback (answer_id, revision desc);

create table public.preferences (
    id              uuid primary key,
    n               bigint generated always as identity unique,
    received        timestamptz not null default now(),
    pair            text not null check (length(pair) <= 100),
    revision        integer not null check (revision >= 1),
    prototype       text not null check (length(prototype) <= 200),
    question        text not null check (length(question) <= 20000),
    left_answer     uuid not null references public.answers (id) on delete cascade,
    right_answer    uuid not null references public.answers (id) on delete cascade,
    left_settings   text not null check (length(left_settings) <= 100),
    right_settings  text not null check (length(right_settings) <= 100),
    choice          text check (choice in ('left', 'right', 'tie', 'neither')),  -- null: taken back
    reason          text not null default '' check (length(reason) <= 5000),
    created         timestamptz not null
);
create index preferences_by_pair on public.preferences (pair, revision desc);
create index preferences_by_left on public.preferences (left_answer);
create index preferences_by_right on public.preferences (right_answer);

-- What was erased, so that a copy elsewhere is erased too, and nothing comes back.
create table public.erased (
    conversation_id uuid primary key,   -- or the id of an answer that belongs to no conversation
    n               bigint generated always as identity unique,
    received        timestamptz not null default now()
);

-- A row that was on its way while its conversation was erased must not arrive after all.
-- The function reads what anon may not read, so it runs as its owner; only the trigger calls it.
create function public.refuse_erased_answer() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if exists (select from public.erased e where e.conversation_id in (new.conversation_id, new.id)) then
        raise exception 'this conversation was erased' using errcode = 'P0001';
    end if;
    return new;
end
$$;
revoke all on function public.refuse_erased_answer() from public, anon, authenticated, service_role;
create trigger refuse_erased before insert on public.answers
    for each row execute function public.refuse_erased_answer();

alter table public.answers enable row level security;
alter table public.feedback enable row level security;
alter table public.preferences enable row level security;
alter table public.erased enable row level security;

-- A project may give new tables to every role by default, or to none: neither is relied on.
revoke all on table public.answers, public.feedback, public.preferences, public.erased
    from public, anon, authenticated, service_role;

grant insert (
    id, conversation_id, replaces, prototype, question, text, confidence, abstained, generator, settings,
    settings_values, index_version, prompt_version, system_prompt, link, origin, seconds, cost, created, record
) on public.answers to anon, service_role;
grant insert (
    id, answer_id, revision, rating, reasons, comment, correction, passage, reported, origin, created
) on public.feedback to anon, service_role;
grant insert (
    id, pair, revision, prototype, question, left_answer, right_answer, left_settings, right_settings,
    choice, reason, created
) on public.preferences to anon, service_role;
grant insert (conversation_id) on public.erased to service_role;
grant select, delete on public.answers, public.feedback, public.preferences to service_role;
grant select on public.erased to service_role;

-- What makes a row a good one is said by the checks above; who may insert, here.
create policy "anyone may deliver" on public.answers for insert to anon with check (true);
create policy "anyone may deliver" on public.feedback for insert to anon with check (true);
create policy "anyone may deliver" on public.preferences for insert to anon with check (true);

-- The columns of the first prototype, for what still reads them. Where its table is there, it
-- is kept as `response_before`, closed to everyone but the owner, and shown by the view too.
do $$
declare
    before text := '';
begin
    if exists (
        select from pg_catalog.pg_class
        where oid = to_regclass('public.response') and relkind in ('r', 'p')
    ) then
        alter table public.response rename to response_before;
        alter table public.response_before enable row level security;
        revoke all on table public.response_before from public, anon, authenticated, service_role;
        grant select, delete on table public.response_before to service_role;
        before := 'select b.system_prompt::text, b.user_prompt::text, b.response::text, b.prototype::text,
            b.reaction::text from public.response_before b union all ';
    end if;
    execute 'create view public.response with (security_invoker = true) as ' || before || '
        select coalesce(a.system_prompt, '''') as system_prompt, a.question as user_prompt, a.text as response, a.prototype,
            (select f.rating from public.feedback f where f.answer_id = a.id
             order by f.revision desc, f.n desc limit 1) as reaction
        from public.answers a';
end
$$;
revoke all on public.response from public, anon, authenticated, service_role;
grant select on public.response to service_role;

notify pgrst, 'reload schema';
