DROP INDEX orders_exceptions_placed_idx;
DROP INDEX orders_placed_idx;
