CREATE TABLE stores (
    id          bigserial PRIMARY KEY,
    name        text NOT NULL CONSTRAINT stores_name_length CHECK (length(name) BETWEEN 1 AND 200),
    location    text NOT NULL DEFAULT '' CONSTRAINT stores_location_length CHECK (length(location) <= 500),
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT stores_moments_legal CHECK (created_at >= '0001-01-01Z' AND created_at < '10000-01-01Z')
);
CREATE INDEX stores_name_idx ON stores (lower(name), id);

COMMENT ON TABLE stores IS 'Who sells. Names may repeat; the id is the identity. Owned by the crate stores.';

CREATE TABLE inventory (
    store_id    bigint NOT NULL REFERENCES stores (id) ON DELETE CASCADE,
    product_id  bigint NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    quantity    integer NOT NULL DEFAULT 0 CONSTRAINT inventory_quantity_not_negative CHECK (quantity >= 0),
    PRIMARY KEY (store_id, product_id)
) WITH (fillfactor = 80);
CREATE INDEX inventory_product_id_store_id_idx ON inventory (product_id, store_id);

COMMENT ON TABLE inventory IS 'What a store carries and how many units it has. Owned by the crate stores, the only writer of stock.';
COMMENT ON COLUMN inventory.quantity IS 'Units on hand. Always the sum of stock_adjustments less the lines of CONFIRMED orders.';
COMMENT ON CONSTRAINT inventory_quantity_not_negative ON inventory IS 'The last guard against selling what is not there: no bug may oversell.';

CREATE TABLE stock_adjustments (
    id          bigserial,
    store_id    bigint NOT NULL REFERENCES stores (id) ON DELETE CASCADE,
    product_id  bigint NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    delta       integer NOT NULL,
    reason      text NOT NULL CONSTRAINT stock_adjustments_reason_length CHECK (length(reason) BETWEEN 1 AND 200),
    actor       text NOT NULL DEFAULT 'system',
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (store_id, product_id, id),
    CONSTRAINT stock_adjustments_moments_legal CHECK (created_at >= '0001-01-01Z' AND created_at < '10000-01-01Z')
);
CREATE INDEX stock_adjustments_product_id_idx ON stock_adjustments (product_id);

COMMENT ON TABLE stock_adjustments IS 'Every movement of stock that is not an order: the other half of the ledger. Rows are only ever added. Owned by the crate stores.';
COMMENT ON INDEX stock_adjustments_product_id_idx IS 'For deleting a product, with which its adjustments go. No order writes here.';
COMMENT ON COLUMN stock_adjustments.delta IS 'Units that came (positive) or went (negative).';
COMMENT ON COLUMN stock_adjustments.reason IS 'seed, import, recount, receipt, damage, or the words of the person who did it.';
