CREATE TABLE outbox (
    id            bigserial,
    store_id      bigint NOT NULL,
    kind          text NOT NULL CONSTRAINT outbox_kind_length CHECK (length(kind) BETWEEN 1 AND 100),
    payload       jsonb NOT NULL,
    request_id    text,
    attempts      integer NOT NULL DEFAULT 0,
    available_at  timestamptz NOT NULL DEFAULT now(),
    parked_at     timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (store_id, id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX outbox_waiting_idx ON outbox (id) WHERE parked_at IS NULL;
CREATE INDEX outbox_parked_idx ON outbox (parked_at) WHERE parked_at IS NOT NULL;

COMMENT ON TABLE outbox IS 'Events that committed with the change they tell of and wait to be carried on; a row goes when its delivery is assured. Owned by the crate outbox.';
COMMENT ON COLUMN outbox.store_id IS 'The store the event is about: where the row lives when the schema is sharded. Means nothing else here.';
COMMENT ON COLUMN outbox.kind IS 'Name of the event, such as order.confirmed.';
COMMENT ON COLUMN outbox.request_id IS 'The request that caused it, for the logs.';
COMMENT ON COLUMN outbox.available_at IS 'Not to be taken before this moment.';
COMMENT ON COLUMN outbox.attempts IS 'How often carrying it on was begun without success, by workers that read the outbox themselves.';
COMMENT ON COLUMN outbox.parked_at IS 'When it was given up; null while it waits. To have it tried again: UPDATE outbox SET parked_at = NULL, attempts = 0.';
