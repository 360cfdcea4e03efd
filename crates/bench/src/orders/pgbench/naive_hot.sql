-- As naive_three.sql, with one line, always of the same product.
\set q1 random(1, 3)
BEGIN;
SELECT id AS store_found FROM stores WHERE id = 1 \gset
SELECT price AS price1 FROM products WHERE id = 1 \gset
SELECT product_id, quantity FROM inventory WHERE store_id = 1 AND product_id = 1 FOR NO KEY UPDATE;
INSERT INTO orders (store_id, status, total_items, total_price)
VALUES (1, 'CONFIRMED', :q1::bigint, :q1::integer * :price1::numeric)
RETURNING id AS order_id \gset
INSERT INTO order_items (store_id, order_id, line, product_id, quantity_requested, unit_price)
VALUES (1, :order_id, 1, 1, :q1, :price1);
UPDATE inventory SET quantity = quantity - :q1::integer WHERE store_id = 1 AND product_id = 1;
INSERT INTO outbox (store_id, kind, payload)
VALUES (1, 'order.confirmed', jsonb_build_object('store_id', 1, 'order_id', :order_id::bigint));
INSERT INTO confirmations (store_id, order_id) VALUES (1, :order_id);
COMMIT;
