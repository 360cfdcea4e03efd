CREATE TABLE outbox (
    id            bigserial,
    store_id      bigint NOT NULL,
    kind          text NOT NULL CONSTRAINT outbox_kind_length CHECK (length(kind) BETWEEN 1 AND 100),
    payload       jsonb NOT NULL,
    request_id    text,
    traceparent   text,
    published_at  timestamptz,
    available_at  timestamptz NOT NULL DEFAULT now(),
    worker        bigint,
    failures      integer NOT NULL DEFAULT 0 CONSTRAINT outbox_failures_not_negative CHECK (failures >= 0),
    crashes       integer NOT NULL DEFAULT 0 CONSTRAINT outbox_crashes_not_negative CHECK (crashes >= 0),
    last_error    text,
    parked_at     timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (store_id, id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX outbox_waiting_idx ON outbox (id) WHERE parked_at IS NULL AND published_at IS NULL;
CREATE INDEX outbox_published_idx ON outbox (id) WHERE parked_at IS NULL AND published_at IS NOT NULL;
CREATE INDEX outbox_parked_idx ON outbox (id) WHERE parked_at IS NOT NULL;
CREATE INDEX outbox_parked_payload_idx ON outbox USING gin (payload jsonb_path_ops) WHERE parked_at IS NOT NULL;

COMMENT ON TABLE outbox IS 'Events that committed with the change they tell of. A row goes when its task is done, so what a broker loses is published again. Owned by the crate outbox.';
COMMENT ON INDEX outbox_parked_payload_idx IS 'Tells whether the event about an object was given up. Only parking writes into it.';
COMMENT ON COLUMN outbox.store_id IS 'The store the event is about: where the row lives when the schema is sharded. Means nothing else here.';
COMMENT ON COLUMN outbox.kind IS 'Name of the event, such as order.confirmed.';
COMMENT ON COLUMN outbox.request_id IS 'The request that caused it, for the logs.';
COMMENT ON COLUMN outbox.traceparent IS 'The trace that it belongs to (W3C Trace Context).';
COMMENT ON COLUMN outbox.published_at IS 'When the broker confirmed it; null while nobody but the outbox has it.';
COMMENT ON COLUMN outbox.available_at IS 'When something is to happen to it next: not taken before, late some time after.';
COMMENT ON COLUMN outbox.worker IS 'The worker that runs its task; it holds the advisory lock of this number while it lives.';
COMMENT ON COLUMN outbox.failures IS 'Attempts that failed.';
COMMENT ON COLUMN outbox.crashes IS 'Attempts that ended with their process.';
COMMENT ON COLUMN outbox.last_error IS 'How the last attempt that failed did so.';
COMMENT ON COLUMN outbox.parked_at IS 'When it was given up; null while it is alive. manage jobs redrive has it tried again.';
