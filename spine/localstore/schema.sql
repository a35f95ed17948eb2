-- The local store's own tables. Safe to run at every start.

-- Everything that reached the store, one line a request, in the order in which it was decided.
-- One process writes, so `sequence` has no gaps and a reader that asks for "after n" misses nothing.
CREATE TABLE IF NOT EXISTS ledger (
    sequence       bigint PRIMARY KEY,
    received_at    timestamptz NOT NULL,
    accepted_at    timestamptz,
    kind           text NOT NULL,
    outcome        text NOT NULL,
    request_id     uuid NOT NULL,
    correlation_id uuid NOT NULL,
    nhs_number     text,
    composition_id text,
    replaced_id    text,
    body_sha256    bytea,
    is_blank       boolean,
    section_codes  text[],
    permission     text,
    http_status    smallint NOT NULL,
    issue_code     text,
    issue_text     text,
    CONSTRAINT accepted_has_its_time CHECK ((outcome = 'accepted') = (accepted_at IS NOT NULL))
);
-- The backstop of de-duplication: an accepted request id is there once.
CREATE UNIQUE INDEX IF NOT EXISTS ledger_accepted_request ON ledger (request_id) WHERE outcome = 'accepted';
CREATE INDEX IF NOT EXISTS ledger_patient ON ledger (nhs_number, sequence) WHERE nhs_number IS NOT NULL;
CREATE INDEX IF NOT EXISTS ledger_refused ON ledger (sequence) WHERE outcome = 'refused';
CREATE INDEX IF NOT EXISTS ledger_blank ON ledger (sequence) WHERE is_blank;

-- Every accepted summary, exactly as it was sent. The key is the backstop of "stored exactly once".
CREATE TABLE IF NOT EXISTS stored_summary (
    nhs_number     text NOT NULL,
    composition_id text NOT NULL,
    sequence       bigint NOT NULL,
    body           bytea NOT NULL,
    PRIMARY KEY (nhs_number, composition_id)
);

-- The summary a reader would get now.
CREATE TABLE IF NOT EXISTS current_summary (
    nhs_number     text PRIMARY KEY,
    composition_id text NOT NULL,
    sequence       bigint NOT NULL
) WITH (fillfactor = 80);

-- The permission last set. A patient without a row counts as Ask.
CREATE TABLE IF NOT EXISTS permission (
    nhs_number text PRIMARY KEY,
    code       text NOT NULL,
    sequence   bigint NOT NULL
);

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER stored_summary_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stored_summary
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
