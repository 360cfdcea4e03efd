CREATE TABLE orders (
    id           bigserial,
    store_id     bigint NOT NULL REFERENCES stores (id),
    status       text NOT NULL DEFAULT 'PENDING'
                      CONSTRAINT orders_status_known CHECK (status IN ('PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLED')),
    total_items  bigint NOT NULL DEFAULT 0 CONSTRAINT orders_total_items_not_negative CHECK (total_items >= 0),
    total_price  numeric(24, 2) NOT NULL DEFAULT 0 CONSTRAINT orders_total_price_not_negative CHECK (total_price >= 0 AND total_price <> 'NaN'),
    created_at   timestamptz NOT NULL DEFAULT now(),
    customer_email  text CONSTRAINT orders_customer_email_plain
                         CHECK (customer_email ~ '^[!-~]+@[!-~]+$' AND length(customer_email) <= 254),
    PRIMARY KEY (store_id, id),
    CONSTRAINT orders_moments_legal CHECK (created_at >= '0001-01-01Z' AND created_at < '10000-01-01Z')
);
CREATE INDEX orders_id_idx ON orders (id);
CREATE INDEX orders_newest_idx ON orders (store_id, created_at DESC, id DESC);
CREATE INDEX orders_exceptions_idx ON orders (store_id, status, created_at DESC, id DESC) WHERE status <> 'CONFIRMED';

COMMENT ON TABLE orders IS 'What was asked of a store, and what it answered. Owned by the crate orders.';
COMMENT ON COLUMN orders.total_items IS 'Sum of the lines'' quantities, written once with the order: lines never change.';
COMMENT ON COLUMN orders.total_price IS 'Sum of quantity times unit price over the lines, written once with the order.';
COMMENT ON COLUMN orders.customer_email IS 'Where its confirmation goes by mail; null where the customer left no address. No spaces and no control characters.';
COMMENT ON INDEX orders_id_idx IS 'For GET /orders/{id}/, which knows no store; not unique, so that the table can be sharded by store.';
COMMENT ON INDEX orders_exceptions_idx IS 'For lists by status. Confirmed orders are the rule, so they are left out and cost it nothing.';

CREATE TABLE order_items (
    store_id            bigint NOT NULL,
    order_id            bigint NOT NULL,
    line                integer NOT NULL CONSTRAINT order_items_line_positive CHECK (line >= 1),
    product_id          bigint NOT NULL REFERENCES products (id),
    quantity_requested  integer NOT NULL CONSTRAINT order_items_quantity_legal CHECK (quantity_requested BETWEEN 1 AND 1000000),
    unit_price          numeric(12, 2) NOT NULL CONSTRAINT order_items_unit_price_not_negative CHECK (unit_price >= 0 AND unit_price <> 'NaN'),
    rejection           text CONSTRAINT order_items_rejection_known CHECK (rejection IN ('insufficient_stock', 'not_stocked')),
    available           integer,
    PRIMARY KEY (store_id, order_id, line),
    FOREIGN KEY (store_id, order_id) REFERENCES orders (store_id, id) ON DELETE CASCADE,
    CONSTRAINT order_items_rejection_says_available CHECK ((rejection IS NULL) = (available IS NULL))
) WITH (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000);
CREATE INDEX order_items_product_id_idx ON order_items
    USING brin (product_id int8_bloom_ops (n_distinct_per_range = 2500)) WITH (pages_per_range = 32);

COMMENT ON TABLE order_items IS 'The lines of an order, in the order they were asked. Never changed once written. Owned by the crate orders.';
COMMENT ON INDEX order_items_product_id_idx IS 'Proves that no order names a product, before it is deleted. New lines are summarised by vacuum, hence its settings, so that an order pays nothing for it; a B-tree would double what its lines cost.';
COMMENT ON COLUMN order_items.line IS 'Place in the request, from 1.';
COMMENT ON COLUMN order_items.unit_price IS 'The product''s price when the order was decided.';
COMMENT ON COLUMN order_items.rejection IS 'Why this line could not be served; null where it could.';
COMMENT ON COLUMN order_items.available IS 'Units on hand when the line was refused.';

CREATE TABLE confirmations (
    store_id    bigint NOT NULL,
    order_id    bigint NOT NULL,
    state       text NOT NULL DEFAULT 'pending' CONSTRAINT confirmations_state_known CHECK (state IN ('pending', 'sent', 'failed')),
    attempts    integer NOT NULL DEFAULT 0 CONSTRAINT confirmations_attempts_not_negative CHECK (attempts >= 0),
    sent_at     timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (store_id, order_id),
    FOREIGN KEY (store_id, order_id) REFERENCES orders (store_id, id) ON DELETE CASCADE,
    CONSTRAINT confirmations_sent_has_time CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CONSTRAINT confirmations_moments_legal CHECK (created_at >= '0001-01-01Z' AND created_at < '10000-01-01Z'
                                                  AND sent_at >= '0001-01-01Z' AND sent_at < '10000-01-01Z')
);
CREATE INDEX confirmations_open_idx ON confirmations (created_at) WHERE state <> 'sent';

COMMENT ON TABLE confirmations IS 'One row per confirmed order: whether its customer was told. Turns sent exactly once. Owned by the crate orders.';
COMMENT ON COLUMN confirmations.attempts IS 'How many attempts it took; those under way are counted in the outbox.';

CREATE TABLE idempotency_keys (
    store_id      bigint NOT NULL,
    client        text COLLATE "C" NOT NULL DEFAULT '',
    key           text COLLATE "C" NOT NULL CONSTRAINT idempotency_keys_key_length CHECK (length(key) BETWEEN 1 AND 255),
    request_hash  bytea NOT NULL,
    order_id      bigint NOT NULL,
    answer        text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (store_id, client, key)
);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);

COMMENT ON TABLE idempotency_keys IS 'The answer given to each Idempotency-Key, committed with its order. Owned by the crate orders.';
COMMENT ON COLUMN idempotency_keys.store_id IS 'The store of the order, which refers to it.';
COMMENT ON COLUMN idempotency_keys.client IS 'Whose key it is: empty for clients without a token.';
COMMENT ON COLUMN idempotency_keys.request_hash IS 'SHA-256 of the parsed request, to tell a repeat from a reuse.';
COMMENT ON COLUMN idempotency_keys.answer IS 'The body that was answered, replayed byte for byte.';
