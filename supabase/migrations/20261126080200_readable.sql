-- JSON that every program reads back.
--
-- JSON holds numbers of any length, nested as deep as one likes; what reads it does not. A single
-- row that cannot be read would end every copying of its table, and anyone with the publishable key
-- may insert, so the tables take none. A row that is there already and is refused here was made by
-- hand: delete it, and apply this file again.

alter table public.answers add constraint answers_readable check (
    not jsonb_path_exists(record, 'strict $.** ? (@ > 1e300 || @ < -1e300)')
    and not jsonb_path_exists(record, 'strict $.**{100 to last}')
    and not jsonb_path_exists(settings_values, 'strict $.** ? (@ > 1e300 || @ < -1e300)')
    and not jsonb_path_exists(settings_values, 'strict $.**{100 to last}')
);

alter table public.feedback add constraint feedback_readable check (
    not jsonb_path_exists(reasons, 'strict $.** ? (@ > 1e300 || @ < -1e300)')
    and not jsonb_path_exists(reasons, 'strict $.**{100 to last}')
    and not jsonb_path_exists(passage, 'strict $.** ? (@ > 1e300 || @ < -1e300)')
    and not jsonb_path_exists(passage, 'strict $.**{100 to last}')
    and not jsonb_path_exists(reported, 'strict $.** ? (@ > 1e300 || @ < -1e300)')
    and not jsonb_path_exists(reported, 'strict $.**{100 to last}')
);
