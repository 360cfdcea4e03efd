DROP TABLE idempotency_keys;
DROP TABLE confirmations;
DROP TABLE order_items;
DROP TABLE orders;
