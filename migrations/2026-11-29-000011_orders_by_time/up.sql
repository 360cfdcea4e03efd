CREATE INDEX orders_placed_idx ON orders ((created_at AT TIME ZONE 'UTC'), id);
CREATE INDEX orders_exceptions_placed_idx ON orders (status, (created_at AT TIME ZONE 'UTC'), id) WHERE status <> 'CONFIRMED';

COMMENT ON INDEX orders_placed_idx IS 'For lists of all stores'' orders. By an expression, so that no plan takes it for a list of one store and passes over the orders of all others; ascending, so that new orders are appended.';
COMMENT ON INDEX orders_exceptions_placed_idx IS 'The same by status. Confirmed orders are the rule, so they are left out and cost it nothing.';
