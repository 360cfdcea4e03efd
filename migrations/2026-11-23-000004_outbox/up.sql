CREATE TABLE outbox (
    id            bigserial,
    store_id      bigint NOT NULL,
    kind          text NOT NULL CONSTRAINT outbox_kind_length CHECK (length(kind) BETWEEN 1 AND 100),
    payload       jsonb NOT NULL,
    request_id    text,
    attempts      integer NOT NULL DEFAULT 0,
    available_at  timestamptz NOT NULL DEFAULT now(),
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (store_id, id)
);
CREATE INDEX outbox_id_idx ON outbox (id);

COMMENT ON TABLE outbox IS 'Events that committed with the change they tell of and wait to be carried on; a row goes when its delivery is assured. Owned by the crate outbox.';
COMMENT ON COLUMN outbox.store_id IS 'The store the event is about: where the row lives when the schema is sharded. Means nothing else here.';
COMMENT ON COLUMN outbox.kind IS 'Name of the event, such as order.confirmed.';
COMMENT ON COLUMN outbox.request_id IS 'The request that caused it, for the logs.';
COMMENT ON COLUMN outbox.available_at IS 'Not to be taken before this moment.';
