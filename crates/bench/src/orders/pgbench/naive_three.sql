-- One order of three lines, statement by statement, as a plain transaction of an application does it.
-- Stock is plentiful, so the decision is always yes, and the constraint of the inventory is the check.
\set store random(1, :stores)
\set p1 random(1, :third)
\set p2 random(:third + 1, 2 * :third)
\set p3 random(2 * :third + 1, 3 * :third)
\set q1 random(1, 3)
\set q2 random(1, 3)
\set q3 random(1, 3)
BEGIN;
SELECT id AS store_found FROM stores WHERE id = :store \gset
SELECT max(price) FILTER (WHERE id = :p1) AS price1, max(price) FILTER (WHERE id = :p2) AS price2,
       max(price) FILTER (WHERE id = :p3) AS price3
FROM products WHERE id IN (:p1, :p2, :p3) \gset
SELECT product_id, quantity FROM inventory
WHERE store_id = :store AND product_id IN (:p1, :p2, :p3) ORDER BY product_id FOR NO KEY UPDATE;
INSERT INTO orders (store_id, status, total_items, total_price)
VALUES (:store, 'CONFIRMED', :q1::bigint + :q2::bigint + :q3::bigint,
        :q1::integer * :price1::numeric + :q2::integer * :price2::numeric + :q3::integer * :price3::numeric)
RETURNING id AS order_id \gset
INSERT INTO order_items (store_id, order_id, line, product_id, quantity_requested, unit_price)
VALUES (:store, :order_id, 1, :p1, :q1, :price1), (:store, :order_id, 2, :p2, :q2, :price2),
       (:store, :order_id, 3, :p3, :q3, :price3);
UPDATE inventory SET quantity = quantity - :q1::integer WHERE store_id = :store AND product_id = :p1;
UPDATE inventory SET quantity = quantity - :q2::integer WHERE store_id = :store AND product_id = :p2;
UPDATE inventory SET quantity = quantity - :q3::integer WHERE store_id = :store AND product_id = :p3;
INSERT INTO outbox (store_id, kind, payload)
VALUES (:store, 'order.confirmed', jsonb_build_object('store_id', :store::bigint, 'order_id', :order_id::bigint));
INSERT INTO confirmations (store_id, order_id) VALUES (:store, :order_id);
COMMIT;
